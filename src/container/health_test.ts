import assert from "assert";
import { type Health, HEALTH_DEFAULTS, nextHealth, pauseBefore, STARTING } from "./health.ts";

const CHECK = { ...HEALTH_DEFAULTS, command: "true", retries: 2, startPeriodMs: 1000 };
const START = Date.parse("2026-01-01T00:00:00Z");

function after(before: Health, ExitCode: number, ms: number): Health {
  const at = new Date(START + ms).toISOString();
  return nextHealth(before, { Start: at, End: at, ExitCode, Output: "" }, CHECK, START);
}

Deno.test("failures during the start period do not count, and its end begins the count", () => {
  const early = after(after(STARTING, 1, 100), 1, 900);
  assert.deepEqual([early.Status, early.FailingStreak], ["starting", 0]);
  const late = after(early, 1, 1000);
  assert.deepEqual([late.Status, late.FailingStreak], ["starting", 1]);
  assert.equal(after(late, 1, 2000).Status, "unhealthy");
});

Deno.test("one success makes it healthy, and ends the start period", () => {
  const healthy = after(STARTING, 0, 100);
  assert.equal(healthy.Status, "healthy");
  const failing = after(healthy, 1, 200);
  assert.deepEqual([failing.Status, failing.FailingStreak], ["healthy", 1]);
  const unhealthy = after(failing, -1, 300);
  assert.equal(unhealthy.Status, "unhealthy");
  assert.deepEqual([after(unhealthy, 0, 400).Status, after(unhealthy, 0, 400).FailingStreak], [
    "healthy",
    0,
  ]);
});

Deno.test("the last five checks are kept", () => {
  let health = STARTING;
  for (let n = 0; n < 8; n++) health = after(health, n, 2000 + n);
  assert.deepEqual(health.Log.map(({ ExitCode }) => ExitCode), [3, 4, 5, 6, 7]);
});

Deno.test("checks come more often during the start period, until one succeeds", () => {
  assert.equal(pauseBefore(STARTING, CHECK, START, START + 10), 5000);
  assert.equal(pauseBefore(STARTING, CHECK, START, START + 1000), 30_000);
  assert.equal(pauseBefore(after(STARTING, 0, 5), CHECK, START, START + 10), 30_000);
});
