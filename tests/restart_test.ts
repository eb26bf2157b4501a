import assert from "assert";
import { detached, fails, inspected, ok, until } from "./support/background.ts";
import { test } from "./support/mod.ts";

/** Of many commands, each of which takes seconds in the virtual machine. */
const MANY = { requires: ["root", "command:busybox", "not-vm"], timeoutMs: 90_000 } as const;
const NEEDS = { requires: ["root", "command:busybox"], timeoutMs: 90_000 } as const;

test("on-failure:2 starts a container again twice, with its files", NEEDS, async (t) => {
  await detached(t, ["--name", "one", "--restart", "on-failure:2"], [
    "sh",
    "-c",
    "echo x >>/times; wc -l </times; exit 7",
  ]);
  const { State } = await until(
    () => inspected(t, "one"),
    ({ State, RestartCount }) => State.Status === "exited" && RestartCount === 2,
  );
  assert.equal(State.ExitCode, 7);
  assert.equal(await ok(t, "logs", "one"), "1\n2\n3\n");
  await ok(t, "rm", "one");
});

test(
  "what waits to be restarted is a process without a runtime, and stop ends it",
  MANY,
  async (t) => {
    await detached(t, ["--name", "two", "--restart", "always"], ["false"]);
    // From the fifth pause on, 1.6 s, there is time to look.
    await until(() => inspected(t, "two"), ({ RestartCount }) => RestartCount >= 5);
    const { State } = await until(() => inspected(t, "two"), ({ State }) => State.Restarting);
    assert.deepEqual([State.Status, State.Running], ["restarting", true]);
    assert.match(await ok(t, "ps"), /Restarting \(1\) .* ago .*two/);
    const waiting = waiters(t.root);
    assert.equal(waiting.length, 1);
    const [pid] = waiting;
    assert.match(Deno.readLinkSync(`/proc/${pid}/exe`), /memfd:stage/);
    const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
    assert.ok(Number(/^Private_Dirty:\s+(\d+)/m.exec(rollup)?.[1]) <= 128);
    assert.match(await fails(t, 1, "rm", "two"), /is being restarted: stop it first/);
    await ok(t, "stop", "two");
    assert.deepEqual(waiters(t.root), []);
    assert.equal((await inspected(t, "two")).State.Status, "exited");
    await ok(t, "rm", "two");
  },
);

test("a container that was stopped by hand stays stopped", MANY, async (t) => {
  await detached(t, ["--name", "three", "--restart", "always"], ["sleep", "1000"]);
  const { State } = await inspected(t, "three");
  await ok(t, "stop", "-t", "0", "three");
  assert.equal((await inspected(t, "three")).State.Status, "exited");
  await ok(t, "start", "three");
  const again = (await inspected(t, "three")).State;
  assert.notEqual(again.Pid, State.Pid);
  // Killed by somebody else it comes back.
  Deno.kill(again.Pid, "SIGKILL");
  const third = await until(
    () => inspected(t, "three"),
    ({ State }) => State.Status === "running" && State.Pid !== again.Pid,
  );
  assert.equal(third.RestartCount, 1);
  await ok(t, "rm", "-f", "three");
  assert.equal(await ok(t, "ps", "-aq"), "");
});

test("restart stops and starts, and starts what does not run", MANY, async (t) => {
  await detached(t, ["--name", "four"], ["sleep", "1000"]);
  const first = (await inspected(t, "four")).State.Pid;
  await ok(t, "restart", "-t", "0", "four");
  const second = (await inspected(t, "four")).State.Pid;
  assert.notEqual(first, second);
  await ok(t, "stop", "-t", "0", "four");
  await ok(t, "restart", "four");
  assert.equal((await inspected(t, "four")).State.Status, "running");
  await ok(t, "rm", "-f", "four");
});

test("a restart policy is refused where it makes no sense", MANY, async (t) => {
  const run = (...flags: string[]) =>
    fails(t, 125, "run", "-d", ...flags, "--rootfs", t.rootfs, "true");
  assert.match(await run("--rm", "--restart", "always"), /--restart excludes --rm/);
  assert.match(await run("--restart", "often"), /--restart: "often" is none of/);
  assert.match(await run("--restart", "always:3"), /only on-failure has a number/);
  assert.match(await run("--restart", "on-failure:x"), /--restart: "x"/);
});

/** Processes that wait to restart a container below this root. */
function waiters(root: string): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    try {
      const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`);
      return words.startsWith("minictr-waits") && words.includes(root);
    } catch {
      return false;
    }
  });
}
