/** What a reboot leaves: state files of another boot, or none, and nothing that runs. */
import assert from "assert";
import { detached, inspected, ok } from "./support/background.ts";
import { type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox", "not-vm"], timeoutMs: 90_000 } as const;

/** Kills a container and its supervisor, and has its state tell of a boot before this one. */
async function asAfterReboot(t: Scratch, id: string): Promise<void> {
  const { State } = await inspected(t, id);
  const path = `${t.root}/run/containers/${id}/state.json`;
  const state = JSON.parse(Deno.readTextFileSync(path));
  Deno.kill(State.Supervisor, "SIGKILL");
  // The process id may be another process's by then: this one's, which must be left alone.
  const another = { ...state, bootId: crypto.randomUUID(), pid: Deno.pid };
  Deno.writeTextFileSync(path, JSON.stringify(another));
}

test(
  "after a reboot start --all-restartable starts what is to run, and no more",
  NEEDS,
  async (t) => {
    const run = (name: string, policy: string) =>
      detached(t, ["--name", name, "--restart", policy], ["sleep", "1000"]);
    const ids = {
      always: await run("always", "always"),
      unless: await run("unless", "unless-stopped"),
      stopped: await run("stopped", "unless-stopped"),
      failing: await run("failing", "on-failure"),
      none: await detached(t, ["--name", "none"], ["sleep", "1000"]),
    };
    await ok(t, "stop", "-t", "0", "stopped");
    for (const name of ["always", "unless", "failing", "none"] as const) {
      await asAfterReboot(t, ids[name]);
      assert.equal((await inspected(t, name)).State.Status, "dead");
    }
    const started = (await ok(t, "start", "--all-restartable")).trim().split("\n");
    assert.deepEqual(started, [ids.always, ids.unless]);
    assert.equal((await inspected(t, "always")).State.Status, "running");
    assert.equal(await ok(t, "start", "--all-restartable"), started.join("\n") + "\n"); // They run.
    assert.match(await ok(t, "why", "none"), /"none" ended, and nobody saw its end/);
    await ok(t, "rm", "-f", ...Object.keys(ids));
  },
);

test("generate systemd prints units that systemd finds nothing wrong with", NEEDS, async (t) => {
  await ok(t, "create", "--name", "web", "--network", "none", "--rootfs", t.rootfs, "true");
  for (const [name, words] of [["minictr", []], ["web", ["web"]]] as const) {
    const unit = await ok(t, "generate", "systemd", ...words);
    assert.match(unit, /^ExecStart=\/.* start (--all-restartable|[0-9a-f]{64})$/m);
    const path = `${t.directory}/${name}.service`;
    Deno.writeTextFileSync(path, unit);
    const { code, err } = await t.start([
      "sh",
      "-c",
      `command -v systemd-analyze || exit 0
      systemd-analyze verify --man=no "$0"`,
      path,
    ]).ended;
    assert.equal(code, 0, err);
  }
  await ok(t, "rm", "web");
});
