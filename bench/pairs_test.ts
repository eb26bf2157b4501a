import assert from "assert";
import { median, ratio, whyNot } from "./pairs.ts";

Deno.test("median() is the middle, or the mean of the two in the middle", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 9, 2]), 3);
  assert.equal(median([7]), 7);
});

Deno.test("ratio() compares within rounds, so that a slow round does not count more", () => {
  const a = { name: "a", times: [2, 200, 2] };
  const b = { name: "b", times: [1, 100, 1] };
  assert.equal(ratio(a, b), 2);
});

Deno.test("whyNot() tells a missing program from one that fails", () => {
  assert.equal(whyNot({ name: "x", words: ["/nonexistent/program"] }), "not installed");
  assert.equal(whyNot({ name: "x", words: ["sh", "-c", "echo why >&2; exit 1"] }), "why");
  assert.equal(whyNot({ name: "x", words: ["true"] }), undefined);
});
