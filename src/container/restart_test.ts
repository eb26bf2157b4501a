import assert from "assert";
import { nextRestart, runsAtBoot } from "./restart.ts";

const ENDED = { status: 1, ranMs: 50, restarts: { count: 0, delayMs: 0 }, stopped: false };

/** The pauses of a container that ends at once, so many times. */
function pauses(times: number): number[] {
  let restarts = { count: 0, delayMs: 0 };
  return Array.from({ length: times }, () => {
    restarts = nextRestart({ name: "always" }, { ...ENDED, restarts }) ?? restarts;
    return restarts.delayMs;
  });
}

Deno.test("the pause doubles from 100 ms to a minute", () => {
  assert.deepEqual(pauses(12), [
    100,
    200,
    400,
    800,
    1600,
    3200,
    6400,
    12_800,
    25_600,
    51_200,
    60_000,
    60_000,
  ]);
});

Deno.test("a run of ten seconds begins the pauses anew, and counts on", () => {
  const after = { ...ENDED, ranMs: 10_000, restarts: { count: 8, delayMs: 25_600 } };
  assert.deepEqual(nextRestart({ name: "always" }, after), { count: 9, delayMs: 100 });
});

Deno.test("on-failure leaves alone what ended well, or failed too often", () => {
  const policy = { name: "on-failure", most: 3 } as const;
  assert.equal(nextRestart(policy, { ...ENDED, status: 0 }), undefined);
  assert.equal(nextRestart(policy, { ...ENDED, restarts: { count: 3, delayMs: 400 } }), undefined);
  assert.deepEqual(nextRestart(policy, { ...ENDED, restarts: { count: 2, delayMs: 200 } }), {
    count: 3,
    delayMs: 400,
  });
});

Deno.test("no policy starts what was stopped by hand, and only always does so at boot", () => {
  for (const name of ["always", "unless-stopped", "on-failure"] as const) {
    assert.equal(nextRestart({ name }, { ...ENDED, stopped: true }), undefined);
  }
  assert.deepEqual(
    (["always", "unless-stopped", "on-failure"] as const)
      .map((name) => [runsAtBoot({ name }, false), runsAtBoot({ name }, true)]),
    [[true, true], [true, false], [false, false]],
  );
});
