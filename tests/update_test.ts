import assert from "assert";
import { detached, fails, inspected, ok, until } from "./support/background.ts";
import { type Scratch, test } from "./support/mod.ts";

const NEEDS = {
  requires: ["root", "command:busybox", "controller:memory", "controller:pids"],
  timeoutMs: 90_000,
} as const;
const MIB = 2 ** 20;

/** What a file of the container's cgroup says, in the first of these places where there is one. */
async function limit(t: Scratch, name: string, v1: string, v2: string): Promise<string> {
  const [{ CgroupPath }] = JSON.parse(await ok(t, "inspect", name));
  const [controller] = v1.split(".");
  const paths = [
    `/sys/fs/cgroup/${controller}${CgroupPath}/${v1}`,
    `/sys/fs/cgroup${CgroupPath}/${v2}`,
  ];
  for (const path of paths) {
    try {
      return Deno.readTextFileSync(path).trim();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return assert.fail(`there is neither of ${paths}`);
}

test(
  "update changes the limits of a running container, and of its next start",
  NEEDS,
  async (t) => {
    await detached(t, ["--name", "one", "--memory", "64m", "--pids-limit", "20"], [
      "sleep",
      "1000",
    ]);
    const memory = () => limit(t, "one", "memory.limit_in_bytes", "memory.max");
    const pids = () => limit(t, "one", "pids.max", "pids.max");
    assert.equal(await ok(t, "update", "--memory", "128m", "--pids-limit", "30", "one"), "one\n");
    assert.deepEqual([await memory(), await pids()], [String(128 * MIB), "30"]);
    await ok(t, "update", "--memory", "32m", "one");
    assert.equal(await memory(), String(32 * MIB));
    await ok(t, "restart", "-t", "0", "one");
    assert.deepEqual([await memory(), await pids()], [String(32 * MIB), "30"]);
    await ok(t, "rm", "-f", "one");
  },
);

test("update refuses a limit below what is used, and changes nothing then", NEEDS, async (t) => {
  const fill = "head -c 20000000 /dev/zero >/dev/shm/filled; echo full; sleep 1000";
  await detached(t, ["--name", "two", "--memory", "128m"], ["sh", "-c", fill]);
  await until(() => ok(t, "logs", "two"), (out) => out.includes("full"));
  const refused = await fails(t, 1, "update", "--memory", "8m", "--pids-limit", "9", "two");
  assert.match(refused, /cannot update "two": it uses \d+ bytes of memory, more than 8388608/);
  assert.equal(await limit(t, "two", "memory.limit_in_bytes", "memory.max"), String(128 * MIB));
  assert.notEqual(await limit(t, "two", "pids.max", "pids.max"), "9");
  assert.match(await fails(t, 125, "update", "two"), /needs something to change/);
  await ok(t, "rm", "-f", "two");
});

test("a policy that is updated holds when the container ends next", NEEDS, async (t) => {
  await detached(t, ["--name", "three"], ["sleep", "1000"]);
  const { State } = await inspected(t, "three");
  await ok(t, "update", "--restart", "always", "three");
  Deno.kill(State.Pid, "SIGKILL");
  const again = await until(
    () => inspected(t, "three"),
    ({ State, RestartCount }) => RestartCount === 1 && State.Pid > 0,
  );
  await ok(t, "update", "--restart", "no", "three");
  Deno.kill(again.State.Pid, "SIGKILL");
  const last = await until(() => inspected(t, "three"), ({ State }) => !State.Running);
  assert.equal(last.State.Status, "exited");
  await ok(t, "rm", "three");
});
