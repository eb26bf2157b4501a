import assert from "assert";
import { detached, fails, inspected, ok, until } from "./support/background.ts";
import { type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"], timeoutMs: 90_000 } as const;
/** Of many commands, each of which takes seconds in the virtual machine. */
const MANY = { requires: ["root", "command:busybox", "not-vm"], timeoutMs: 90_000 } as const;

/** Runs a container with a check that comes each 200 ms. */
async function checked(
  t: Scratch,
  command: string,
  flags: string[] = [],
  script = "sleep 1000",
): Promise<string> {
  const often = ["--health-interval", "200ms", "--health-retries", "2", ...flags];
  return await detached(t, ["--name", "one", "--health-cmd", command, ...often], [
    "sh",
    "-c",
    script,
  ]);
}

async function health(t: Scratch) {
  const { State: { Health } } = await inspected(t, "one");
  return Health ?? assert.fail("there is no State.Health");
}

/** The one process that looks after the container's health, while it sleeps. */
function sleeper(root: string): number | undefined {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).find((pid) => {
    try {
      const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`);
      return words.startsWith("minictr-waits to check") && words.includes(root);
    } catch {
      return false;
    }
  });
}

test(
  "a check tells healthy from unhealthy, and ps, inspect and events show it",
  NEEDS,
  async (t) => {
    await checked(t, "echo seen; test ! -e /broken", [], "sleep 1000");
    const well = await until(() => health(t), ({ Status }) => Status === "healthy");
    assert.deepEqual([well.Log.at(-1)?.ExitCode, well.Log.at(-1)?.Output], [0, "seen\n"]);
    assert.match(await ok(t, "ps"), /Up .* \(healthy\)/);
    await ok(t, "exec", "one", "touch", "/broken");
    const ill = await until(() => health(t), ({ Status }) => Status === "unhealthy");
    assert.ok(ill.FailingStreak >= 2);
    assert.match(await ok(t, "ps", "--filter", "health=unhealthy"), /\(unhealthy\)/);
    const told = await ok(
      t,
      ...["events", "--since", "1h", "--until", "0s", "--filter", "event=health_status"],
      ...["--format", "{{.Action}}"],
    );
    assert.equal(told, "health_status: healthy\nhealth_status: unhealthy\n");
    await ok(t, "rm", "-f", "one");
    await until(() => sleeper(t.root), (pid) => pid === undefined);
  },
);

test(
  "between checks one process without a runtime waits, and it ends with the container",
  NEEDS,
  async (t) => {
    await checked(t, "true", ["--health-interval", "1h"]);
    const pid = await until(() => sleeper(t.root), (found) => found !== undefined);
    assert.match(Deno.readLinkSync(`/proc/${pid}/exe`), /memfd:stage/);
    const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
    assert.ok(Number(/^Private_Dirty:\s+(\d+)/m.exec(rollup)?.[1]) <= 128);
    assert.match(await ok(t, "ps"), /\(health: starting\)/);
    assert.equal(await ok(t, "healthcheck", "run", "one"), "healthy\n");
    await ok(t, "stop", "-t", "0", "one");
    await until(() => sleeper(t.root), (found) => found === undefined);
    await ok(t, "rm", "one");
  },
);

test("a check that takes too long is killed and counts as a failure", MANY, async (t) => {
  await checked(t, "echo begun; sleep 1000", ["--health-timeout", "300ms"]);
  const { Log } = await until(() => health(t), ({ Status }) => Status === "unhealthy");
  assert.deepEqual([Log[0]?.ExitCode, Log[0]?.Output], [
    -1,
    "Health check exceeded timeout (0.3s)",
  ]);
  assert.doesNotMatch(await ok(t, "exec", "one", "ps"), /echo begun/);
  await ok(t, "rm", "-f", "one");
});

test(
  "a paused container is not checked, and the time does not count as a failure",
  MANY,
  async (t) => {
    await checked(t, "true");
    await until(() => health(t), ({ Status }) => Status === "healthy");
    await ok(t, "pause", "one");
    const before = await health(t);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const after = await health(t);
    assert.deepEqual([after.Status, after.FailingStreak], ["healthy", 0]);
    assert.ok(after.Log.every(({ ExitCode }) => ExitCode === 0));
    await ok(t, "unpause", "one");
    await until(() => health(t), (now) => JSON.stringify(now) !== JSON.stringify(before));
    await ok(t, "rm", "-f", "one");
  },
);

test("only the first 4096 bytes of what a check writes are kept", MANY, async (t) => {
  await checked(t, "head -c 100000 /dev/zero | tr '\\0' x; exit 3");
  const { Log } = await until(() => health(t), ({ Log }) => Log.length > 0);
  assert.deepEqual([Log[0]?.ExitCode, Log[0]?.Output], [3, "x".repeat(4096)]);
  await ok(t, "rm", "-f", "one");
});

test("flags of a health check without one are refused", NEEDS, async (t) => {
  const run = (...flags: string[]) => fails(t, 125, "run", ...flags, "--rootfs", t.rootfs, "true");
  assert.match(await run("--health-interval", "1s"), /--health-interval needs a check/);
  assert.match(await run("--no-healthcheck", "--health-cmd", "true"), /--no-healthcheck excludes/);
  assert.match(await run("--health-cmd", "x", "--health-timeout", "1y"), /--health-timeout: "1y"/);
});
