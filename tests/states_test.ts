import assert from "assert";
import { detached, fails, inspected, ok } from "./support/background.ts";
import { type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"], timeoutMs: 90_000 } as const;
/** Of many commands, each of which takes seconds in the virtual machine. */
const MANY = { requires: ["root", "command:busybox", "not-vm"], timeoutMs: 90_000 } as const;

/** What each command says of containers in each state that it does not suit. */
async function refusals(t: Scratch, name: string, said: Record<string, RegExp>): Promise<void> {
  for (const [words, pattern] of Object.entries(said)) {
    assert.match(await fails(t, 1, ...words.split(" "), name), pattern, words);
  }
}

test("every command says when the state of a container does not allow it", MANY, async (t) => {
  await ok(t, "create", "--name", "made", "--rootfs", t.rootfs, "--network", "none", "sleep", "9");
  await refusals(t, "made", {
    "pause": /"made" does not run: it was never started/,
    "unpause": /"made" does not run: it was never started/,
    "kill": /"made" does not run: it was never started/,
    "kill -s HUP": /"made" does not run: it was never started/,
  });
  const stopped = await t.minictr(["stop", "made"]);
  assert.deepEqual([stopped.code, stopped.out], [0, "made\n"]);
  assert.match(stopped.err, /"made" was never started/);
  assert.match(await fails(t, 125, "exec", "made", "true"), /does not run/);
  assert.match(await ok(t, "why", "made"), /was never started: minictr start made/);
  assert.equal((await inspected(t, "made")).State.Status, "created");
  await ok(t, "rm", "made");

  await detached(t, ["--name", "live"], ["sleep", "1000"]);
  await refusals(t, "live", {
    "unpause": /"live" is not paused/,
    "rm": /"live" runs: stop it first, or remove it with -f/,
  });
  await ok(t, "start", "live"); // As with docker: it runs.
  await ok(t, "pause", "live");
  assert.match(await fails(t, 125, "exec", "live", "true"), /is paused/);
  await refusals(t, "live", { "pause": /"live" is paused already/ });
  await ok(t, "kill", "live"); // Thaws it.
  assert.equal(await ok(t, "wait", "live"), "137\n");
  await ok(t, "stop", "live");
  await refusals(t, "live", {
    "pause": /"live" does not run: it has ended/,
    "kill": /"live" does not run: it has ended/,
  });
  await ok(t, "rm", "live");
});

test(
  "a container that runs is known by its new name alone, and restarts under it",
  NEEDS,
  async (t) => {
    await detached(t, ["--name", "old"], ["sleep", "1000"]);
    await ok(t, "rename", "old", "new");
    const { Name, State } = await inspected(t, "new");
    assert.deepEqual([Name, State.Status], ["new", "running"]);
    await fails(t, 1, "inspect", "old");
    await ok(t, "restart", "-t", "0", "new");
    const again = await inspected(t, "new");
    assert.deepEqual([again.Name, again.State.Status], ["new", "running"]);
    assert.notEqual(again.State.Pid, State.Pid);
    await ok(t, "destroy", "-f", "new");
  },
);

test("rename refuses a name that is taken, and keeps all but the name", MANY, async (t) => {
  await detached(t, ["--name", "old"], ["sleep", "1000"]);
  await detached(t, ["--name", "other"], ["true"]);
  assert.match(await fails(t, 125, "rename", "old", "other"), /"other" is already in use/);
  assert.match(await fails(t, 125, "rename", "old", "old"), /that is its name already/);
  assert.match(await fails(t, 125, "rename", "old", "/x"), /"\/x" is not a name/);
  const { State } = await inspected(t, "old");
  await ok(t, "rename", "old", "new");
  assert.equal((await inspected(t, "new")).State.Pid, State.Pid);
  assert.equal((await t.minictr(["exec", "new", "true"])).code, 0);
  await ok(t, "rm", "-f", "new");
  await ok(t, "container", "rm", "other");
});

test("container prune removes one that was never started", NEEDS, async (t) => {
  const words = ["--network", "none", "--rootfs", t.rootfs, "true"];
  const id = await ok(t, "create", "--name", "made", ...words);
  assert.ok((await ok(t, "container", "prune", "-f")).startsWith(`Deleted Containers:\n${id}`));
  assert.equal(await ok(t, "ps", "-aq"), "");
});

test("container prune removes what does not run, as far as its filters go", MANY, async (t) => {
  const live = await detached(t, ["--name", "live"], ["sleep", "1000"]);
  const ended = await detached(t, ["--name", "ended", "--label", "keep=no"], ["true"]);
  await ok(t, "create", "--name", "made", "--rootfs", t.rootfs, "--network", "none", "true");
  await ok(t, "wait", "ended");
  assert.match(await ok(t, "container", "prune", "-f", "--filter", "until=10m"), /^Total .* 0B\n$/);
  const some = await ok(t, "container", "prune", "-f", "--filter", "label=keep");
  assert.match(some, new RegExp(`^Deleted Containers:\n${ended}\n\nTotal reclaimed space: `));
  await ok(t, "container", "prune", "-f");
  assert.equal(await ok(t, "container", "ls", "-aq", "--no-trunc"), `${live}\n`);
  await ok(t, "rm", "-f", "live");
});
