import assert from "assert";
import { test } from "./support/mod.ts";

const requires = ["root", "command:busybox", "not-vm"] as const;

test("run --explain prints the plan and does nothing", { requires }, async (t) => {
  const rootfs = await t.ownRootfs();
  const flags = ["--rootfs", rootfs, "--explain"];
  const { code, out, err } = await t.run(flags, ["touch", "/made"]);
  assert.equal(code, 0, err);
  for (const word of ["pivot_root", "/proc", "capset", "execve"]) {
    assert.ok(out.includes(word), word);
  }
  assert.throws(() => Deno.statSync(`${rootfs}/made`), Deno.errors.NotFound);
});

test("run --explain needs no capability", {
  requires: [...requires, "command:setpriv"],
}, async (t) => {
  const words = t.runWords(["--explain"], ["true"]);
  const bare = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", ...words];
  await using program = t.start(bare);
  const { code, out, err } = await program.ended;
  assert.equal(code, 0, err);
  assert.ok(out.includes("pivot_root"));
});

test("run --explain shows what a supervisor does where there is one", { requires }, async (t) => {
  const always = ["--network", "none", "--rootfs", t.rootfs, "--explain", "true"];
  const explained = async (...flags: string[]) => {
    const { code, out, err } = await t.minictr(["run", ...flags, ...always]);
    assert.equal(code, 0, err);
    return out;
  };
  const inBackground = await explained("-d", "--timeout", "5");
  for (const step of ["become the supervisor", "log stream 2", "container's time is over"]) {
    assert.match(inBackground, new RegExp(`^ *\\d+ supervisor  .*${step}`, "m"));
  }
  assert.match(inBackground, /^ *\d+ container {3}load the seccomp filter$/m);
  assert.doesNotMatch(inBackground, /echo what has been read/);
  assert.match(await explained(), /supervisor {2}echo what has been read/);
  assert.doesNotMatch(await explained("--rm"), /supervisor/);
});

test("run --explain --json prints the plan as JSON", { requires }, async (t) => {
  const { code, out, err } = await t.run(["--explain", "--json"], ["true"]);
  assert.equal(code, 0, err);
  assert.ok(JSON.stringify(JSON.parse(out)).includes("pivot_root"));
});

test("run --trace runs the command and tells each step's time on standard error", {
  requires,
}, async (t) => {
  const { code, out, err } = await t.run(["--trace"], ["echo", "run"]);
  assert.deepEqual([code, out], [0, "run\n"]);
  assert.match(err, /pivot_root/);
  assert.match(err, /\d\s?[µu]s/);
});

test("run --print-spec prints the config.json that the flags made", { requires }, async (t) => {
  const flags = ["--hostname", "box", "--memory", "10m", "--print-spec"];
  const { code, out, err } = await t.run(flags, ["echo", "hello"]);
  assert.equal(code, 0, err);
  const spec = JSON.parse(out);
  assert.match(spec.ociVersion, /^1\./);
  assert.deepEqual(spec.process.args, ["echo", "hello"]);
  assert.equal(spec.hostname, "box");
  assert.equal(spec.linux.resources.memory.limit, 10 * 1024 ** 2);
});

test("what --print-spec prints runs as a bundle, and with another runtime too", {
  requires: [...requires, "command:runc"],
}, async (t) => {
  const bundle = await t.bundle(["echo", "from the bundle"]);
  const own = await t.minictr(["run", "--rm", "--bundle", bundle, "--name", `${t.name}-own`]);
  assert.deepEqual([own.code, own.out], [0, "from the bundle\n"], own.err);
  const runc = [
    "runc",
    "--root",
    `${t.directory}/runc`,
    "run",
    "--bundle",
    bundle,
    `${t.name}-runc`,
  ];
  await using program = t.start(runc);
  const { code, out: runcOut, err } = await program.ended;
  assert.deepEqual([code, runcOut], [0, "from the bundle\n"], err);
});

test("spec prints a config.json", { requires }, async (t) => {
  const { code, out, err } = await t.minictr(["spec"]);
  assert.equal(code, 0, err);
  const spec = JSON.parse(out);
  assert.match(spec.ociVersion, /^1\./);
  assert.ok(spec.process.args.length > 0 && spec.linux.namespaces.length > 0);
});
