import assert from "assert";
import { IN_VM, test } from "./support/mod.ts";

const requires = ["root", "command:busybox"] as const;

test("--memory kills a hog with 137 and names the limit", {
  requires: [...requires, "controller:memory"],
}, async (t) => {
  const { code, err } = await t.run(["--memory", "10m", "--memory-swap", "10m"], [
    "tail",
    "/dev/zero",
  ]);
  assert.equal(code, 137, err);
  assert.match(err, /out of memory/i);
  assert.match(err, /10 ?Mi?B?/i);
});

test("--memory leaves a modest command alone", {
  requires: [...requires, "controller:memory"],
}, async (t) => {
  const { code, out, err } = await t.run(["--memory", "512k"], ["/bin/true"]);
  assert.deepEqual([code, out], [0, ""], err);
});

test("--cpus 0.25 gives a busy loop a quarter of a core", {
  requires: [...requires, "controller:cpu"],
}, async (t) => {
  const script = "read before rest </proc/uptime; timeout 4 sh -c 'while :; do :; done'; " +
    "read after rest </proc/uptime; echo $before $after; times";
  const { out, err } = await t.run(["--cpus", "0.25"], ["sh", "-c", script]);
  const [uptimes = "", , ofChildren = ""] = out.trim().split("\n");
  const [before = 0, after = 0] = uptimes.split(" ").map(Number);
  // The second line of times(1p) is the children's user and system time: "0m1.01s 0m0.00s".
  const used = [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)]
    .reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0);
  const share = used / (after - before);
  assert.ok(Math.abs(share - 0.25) <= 0.25 * (IN_VM ? 0.3 : 0.15), `${share}; ${out} ${err}`);
});

test("--pids-limit 20 stops a fork bomb at 20", {
  requires: [...requires, "controller:pids"],
}, async (t) => {
  const script = "( while :; do sleep 30 & done ) 2>/dev/null; set -- /proc/[0-9]*; echo $#";
  const { out, err } = await t.run(["--pids-limit", "20"], ["sh", "-c", script]);
  const processes = Number(out);
  assert.ok(processes >= 18 && processes <= 20, `"${out}" ${err}`);
});

test("a limit whose controller is missing is an error that names it", {
  requires: [...requires, "cgroup-v1"],
}, async (t) => {
  const { code, err } = await t.run(["--cgroup-conf", "memory.high=1"], ["true"]);
  assert.equal(code, 125);
  assert.match(err, /memory\.high|cgroup-conf/);
});

test("--ulimit sets soft and hard limits", { requires }, async (t) => {
  const { out, err } = await t.run(["--ulimit", "nofile=100:200"], [
    "sh",
    "-c",
    "ulimit -Sn; ulimit -Hn",
  ]);
  assert.equal(out, "100\n200\n", err);
});

test("a CPU that the host does not have is refused, and the host is said to lack it", {
  requires: [...requires, "controller:cpuset"],
}, async (t) => {
  const { code, err } = await t.run(["--cpuset-cpus", "999"], ["true"]);
  assert.equal(code, 125);
  assert.match(
    err,
    /^minictr: cannot run on the CPUs 999: .*"999" is beyond what this host has\n$/,
  );
});
