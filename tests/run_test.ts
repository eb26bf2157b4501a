import assert from "assert";
import { test } from "./support/mod.ts";

const requires = ["root", "command:busybox"] as const;

test("run ends with the container's exit code, each of the 256", {
  requires: [...requires, "not-vm"],
  timeoutMs: 180_000,
}, async (t) => {
  const codes = Array.from({ length: 256 }, (_, code) => code);
  const worker = async () => {
    for (let code = codes.shift(); code !== undefined; code = codes.shift()) {
      const ended = await t.run([], ["sh", "-c", `exit ${code}`]);
      assert.equal(ended.code, code, ended.err);
      assert.equal(ended.err, "");
    }
  };
  await Promise.all([worker(), worker()]);
});

test("run ends with the container's exit code", { requires }, async (t) => {
  for (const code of [0, 1, 125, 255]) {
    assert.equal((await t.run([], ["sh", "-c", `exit ${code}`])).code, code);
  }
});

test("run -i passes standard input and output through byte for byte", { requires }, async (t) => {
  const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  const { code, stdout, err } = await t.run(["-i"], ["cat"], { stdin: bytes });
  assert.equal(code, 0, err);
  assert.deepEqual(stdout, bytes);
});

test("run keeps standard output and standard error apart", { requires }, async (t) => {
  const { out, err } = await t.run([], ["sh", "-c", "echo out; echo err >&2"]);
  assert.deepEqual([out, err], ["out\n", "err\n"]);
});

test("run without -i gives the container no standard input", { requires }, async (t) => {
  const { code, out } = await t.run([], ["cat"], { stdin: ["not for the container"] });
  assert.deepEqual([code, out], [0, ""]);
});

test("run works with its standard input closed", { requires }, async (t) => {
  for (const flags of [[], ["-i"]]) {
    const { code, out, err } = await t.run(flags, ["echo", "fine"], { stdin: "closed" });
    assert.deepEqual([code, out], [0, "fine\n"], err);
  }
});

test("run -i ends the container's input where its own ends", { requires }, async (t) => {
  await using program = t.startRun(["-i"], ["cat"], { stdin: "pipe" });
  await program.write("first\n");
  await program.until("first\n");
  await program.write("second\n");
  await program.until("second\n");
  await program.closeStdin();
  assert.equal((await program.ended).code, 0);
});

test("run ends when the reader of its output goes away", { requires }, async (t) => {
  const words = t.runWords([], ["yes"]);
  await using program = t.start(["sh", "-c", '"$@" | head -n 1', "sh", ...words]);
  assert.equal((await program.ended).out, "y\n");
});

test("run passes on the signals that it gets", { requires }, async (t) => {
  for (const signal of ["TERM", "HUP", "INT", "QUIT", "USR1", "USR2"] as const) {
    const script = `trap "exit 42" ${signal}; echo ready; while :; do sleep 0.1; done`;
    await using program = t.startRun([], ["sh", "-c", script]);
    await program.until("ready");
    program.kill(`SIG${signal}`);
    assert.equal((await program.ended).code, 42, signal);
  }
});

// Only SIGKILL reaches a process 1 that handles nothing; pid_namespaces(7).
test("run ends with 137 when the container's process 1 is killed", { requires }, async (t) => {
  const pidFile = `${t.directory}/pid`;
  const script = "echo ready; sleep 100";
  await using program = t.startRun(["--pidfile", pidFile], ["sh", "-c", script]);
  await program.until("ready");
  Deno.kill(Number(Deno.readTextFileSync(pidFile)), "SIGKILL");
  assert.equal((await program.ended).code, 137);
});

test("run --init ends with 128 + n when signal n kills the command", { requires }, async (t) => {
  for (const [signal, code] of [["SEGV", 139], ["TERM", 143], ["KILL", 137]] as const) {
    const ended = await t.run(["--init"], ["sh", "-c", `kill -${signal} $$`]);
    assert.equal(ended.code, code, ended.err);
  }
});

test("nothing is left of a run that was killed, once the next command has run", {
  requires,
}, async (t) => {
  await using program = t.startRun([], ["sh", "-c", "echo ready; sleep 100"]);
  await program.until("ready");
  program.kill("SIGKILL");
  assert.equal((await t.run([], ["true"])).code, 0);
  await program.ended; // Its output is closed: no process of the container holds it any more.
});

test("run sets the working directory, user and environment", { requires }, async (t) => {
  const flags = ["-w", "/tmp", "-u", "1000:100", "-e", "GREETING=hello world"];
  const { out, err } = await t.run(flags, ["sh", "-c", 'pwd; id -u; id -g; echo "$GREETING"']);
  assert.equal(out, "/tmp\n1000\n100\nhello world\n", err);
});

test("options of run end at the first operand", { requires }, async (t) => {
  const { out, err } = await t.run([], ["echo", "--hostname", "x", "-w", "--", "y"]);
  assert.equal(out, "--hostname x -w -- y\n", err);
});

test("where memory files may not be executed the stage is a file, of which nothing is left", {
  requires: ["root", "command:busybox", "command:unshare", "file:/proc/sys/vm/memfd_noexec"],
}, async (t) => {
  const words = t.runWords([], ["echo", "from a file"]);
  const script = 'echo 2 >/proc/sys/vm/memfd_noexec && exec "$@"';
  await using program = t.start([
    "unshare",
    "--pid",
    "--fork",
    "--mount-proc",
    "sh",
    "-c",
    script,
    "sh",
    ...words,
  ]);
  const { code, out, err } = await program.ended;
  assert.deepEqual([code, out, err], [0, "from a file\n", ""]);
  const left = Array.from(Deno.readDirSync(`${t.root}/run`), ({ name }) => name);
  assert.deepEqual(left.sort(), ["containers", "events", "names"]);
});
