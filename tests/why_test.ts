import assert from "assert";
import { detached, fails, inspected, ok, until } from "./support/background.ts";
import { test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"], timeoutMs: 60_000 } as const;
const LIMITED = {
  requires: ["root", "command:busybox", "controller:memory"],
  timeoutMs: 60_000,
} as const;

/** Fills memory until it is killed: a variable that grows. */
const GREEDY = ["sh", "-c", "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"];

test(
  "why tells of a container killed for want of memory: limit, peak, and what to do",
  LIMITED,
  async (t) => {
    await detached(t, ["--name", "one", "--memory", "16m"], GREEDY);
    assert.equal(await ok(t, "wait", "one"), "137\n");
    await ok(t, "stop", "one"); // Returns when what was made for it is gone.
    const { State } = await inspected(t, "one");
    assert.deepEqual([State.Status, State.OOMKilled, State.ExitCode], ["exited", true, 137]);
    const text = await ok(t, "why", "one");
    assert.match(text, /^"one" was killed, out of memory: its limit is 16777216 bytes \(16 MiB\)/);
    assert.match(text, /had used up to 1\d(\.\d)? MiB\. Give it more \(--memory 32m\)/);
    await ok(t, "rm", "one");
  },
);

test("why names the step of a start that failed, and inspect has the error", NEEDS, async (t) => {
  const words = ["run", "-d", "--name", "two", "--network", "none", "--rootfs", `${t.rootfs}:O`];
  const err = await fails(t, 127, ...words, "nowhere");
  const { State } = await inspected(t, "two");
  assert.deepEqual([State.Status, State.ExitCode], ["created", 127]);
  assert.equal(`minictr: ${State.Error}\n`, err);
  assert.equal(await ok(t, "why", "two"), `"two" could not be started: ${State.Error}.\n`);
  await ok(t, "rm", "two");
});

test("why tells who ended a container, and how long it had run", NEEDS, async (t) => {
  await detached(t, ["--name", "three"], ["sh", "-c", "exit 3"]);
  await until(
    () => ok(t, "why", "three"),
    (text) => /^"three" ended by itself after [\d.]+ s, with status 3: minictr logs/.test(text),
  );
  await ok(t, "rm", "three");
  await detached(t, ["--name", "four"], ["sleep", "1000"]);
  assert.equal(await ok(t, "why", "four"), '"four" runs.\n');
  await ok(t, "kill", "four");
  await ok(t, "wait", "four");
  await ok(t, "stop", "four");
  assert.match(await ok(t, "why", "four"), /^"four" was stopped by hand after .* by SIGKILL/);
  await ok(t, "rm", "four");
});
