import assert from "assert";
import { detached, inspected, ok, until } from "./support/background.ts";
import { test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"], timeoutMs: 60_000 } as const;
/** Of many commands, each of which takes seconds in the virtual machine. */
const MANY = { ...NEEDS, requires: [...NEEDS.requires, "not-vm"] } as const;
const KILLED = /was killed after \S+ s: its time was over \(--timeout 1s\)/;

test("a container in the background is killed when its time is over", MANY, async (t) => {
  await detached(t, ["--name", "one", "--timeout", "1"], ["sleep", "1000"]);
  assert.equal(await ok(t, "wait", "one"), "137\n");
  assert.match(await ok(t, "why", "one"), KILLED);
  const { State } = await inspected(t, "one");
  assert.deepEqual([State.ExitCode, State.Error], [137, "its time was over"]);
  assert.equal(await ok(t, "inspect", "--format", "{{.Config.Timeout}}", "one"), "1\n");
  await ok(t, "start", "one"); // And so it is at its next start.
  assert.equal(await ok(t, "wait", "one"), "137\n");
  assert.match(await ok(t, "why", "one"), KILLED);
  await ok(t, "rm", "one");
});

test("time goes on while a container is paused", NEEDS, async (t) => {
  const always = ["--network", "none", "--rootfs", `${t.rootfs}:O`];
  await ok(t, "create", "--name", "one", "--timeout", "1", ...always, "sleep", "1000");
  await ok(t, "start", "one");
  // It may be so late that its time is over.
  const { code } = await t.minictr(["pause", "one"]);
  assert.equal(await ok(t, "wait", "one"), "137\n");
  if (code === 0) assert.match(await ok(t, "why", "one"), KILLED);
  await ok(t, "rm", "one");
});

test("one that goes when it ends is killed in time too, though it is paused", MANY, async (t) => {
  await using program = t.startRun(["--name", "one", "--timeout", "2"], ["sleep", "1000"]);
  await until(() => t.minictr(["pause", "one"]), ({ code }) => code === 0);
  assert.equal((await program.ended).code, 137);
});

test("the time limit of a container outlives the minictr that started it", MANY, async (t) => {
  const always = ["--network", "none", "--rootfs", `${t.rootfs}:O`];
  {
    const words = ["run", "--name", "one", "--timeout", "1", ...always, "sleep", "1000"];
    await using killed = t.startMinictr(words);
    await until(() => t.minictr(["events", "--since", "1h", "--until", "0s"]), ({ out }) => {
      return out.includes(" container start ");
    });
    killed.kill("SIGKILL");
    await killed.ended;
  }
  assert.equal(await ok(t, "wait", "one"), "137\n");
  assert.match(await ok(t, "why", "one"), KILLED);
  await ok(t, "rm", "one");
});

test("a kept container in the foreground is killed when its time is over", MANY, async (t) => {
  const words = ["run", "--name", "one", "--timeout", "1", "--network", "none"];
  const { code } = await t.minictr([...words, "--rootfs", `${t.rootfs}:O`, "sleep", "1000"]);
  assert.equal(code, 137);
  assert.match(await ok(t, "why", "one"), KILLED);
  await ok(t, "rm", "one");
});

test("what ends in time ends as without a limit", MANY, async (t) => {
  await detached(t, ["--name", "one", "--timeout", "1m30s"], ["sh", "-c", "exit 3"]);
  assert.equal(await ok(t, "wait", "one"), "3\n");
  assert.match(await ok(t, "why", "one"), /ended by itself after .* with status 3/);
  await detached(t, ["--name", "two", "--timeout", "90"], ["sleep", "1000"]);
  await ok(t, "kill", "two");
  assert.equal(await ok(t, "wait", "two"), "137\n");
  assert.match(await ok(t, "why", "two"), /was stopped by hand/);
  await ok(t, "rm", "one", "two");
});
