/** Containers whose host's clock is set; the clock is the whole machine's. */
import assert from "assert";
import { detached, inspected, ok, until } from "../support/background.ts";
import { test } from "../support/mod.ts";

const DAY_S = 86_400;

/** Sets the clock that many seconds forward, or back; clock_settime(2). */
function turnClock(seconds: number): void {
  const at = Math.floor(Date.now() / 1000) + seconds;
  const { success } = new Deno.Command("date", { args: ["-s", `@${at}`] }).outputSync();
  assert.ok(success, "cannot set the clock");
}

for (const [how, seconds] of [["back", -DAY_S], ["forward", 400 * DAY_S]] as const) {
  test(`a clock that is set ${how} ends no container, and none is taken for another`, {
    requires: ["root", "command:busybox", "vm"],
    timeoutMs: 120_000,
  }, async (t) => {
    const health = ["--health-cmd", "true", "--health-interval", "1s"];
    const ticking = ["sh", "-c", "while :; do echo tick; sleep 0.2; done"];
    await detached(t, ["--name", "one", "--restart", "always", ...health], ticking);
    turnClock(seconds);
    try {
      const { State: before } = await inspected(t, "one");
      assert.equal(before.Status, "running");
      assert.match(await ok(t, "ps", "--format", "{{.Status}}"), /^Up /);
      assert.equal(await ok(t, "exec", "one", "echo", "here"), "here\n");
      await until(() => inspected(t, "one"), ({ State }) => State.Health?.Status === "healthy");
      Deno.kill(before.Pid, "SIGKILL"); // Its policy starts it again.
      await until(
        () => inspected(t, "one"),
        ({ State }) => State.Running && State.Pid !== before.Pid,
      );
      await until(() => ok(t, "logs", "--tail", "1", "one"), (log) => log === "tick\n");
      await ok(t, "stop", "-t", "0", "one");
      assert.equal((await inspected(t, "one")).State.Status, "exited");
    } finally {
      turnClock(-seconds);
      await ok(t, "rm", "-f", "one");
    }
  });
}
