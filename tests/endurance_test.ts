import assert from "assert";
import { test } from "./support/mod.ts";

const requires = ["root", "command:busybox", "not-vm", "time"] as const;

// What either leaves is found by the end of the test and of the suite.

test("500 runs in a row do not fail and leave nothing", {
  requires,
  timeoutMs: 300_000,
}, async (t) => {
  for (let run = 0; run < 500; run++) {
    const { code, err } = await t.run([], ["true"]);
    assert.deepEqual([code, err], [0, ""], `run ${run}`);
  }
});

test("50 runs side by side do not fail and leave nothing", {
  requires,
  timeoutMs: 120_000,
}, async (t) => {
  const runs = Array.from({ length: 50 }, () => t.run([], ["sh", "-c", "sleep 1; echo $$"]));
  for (const { code, out, err } of await Promise.all(runs)) {
    assert.deepEqual([code, out, err], [0, "1\n", ""]);
  }
});
