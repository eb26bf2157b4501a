import assert from "assert";
import { DETACH_KEYS, DetachKeys } from "./keys.ts";

/** What comes through when bytes are typed in such pieces, and whether they leave. */
function typed(keys: Uint8Array, ...pieces: number[][]): { passed: number[]; leave: boolean } {
  const filter = new DetachKeys(keys);
  const passed: number[] = [];
  for (const piece of pieces) {
    const { rest, leave } = filter.pass(Uint8Array.from(piece));
    passed.push(...rest);
    if (leave) return { passed, leave };
  }
  return { passed, leave: false };
}

Deno.test("detach keys are found in one piece and in several, and what is before is passed", () => {
  assert.deepEqual(typed(DETACH_KEYS, [65, 16, 17]), { passed: [65], leave: true });
  assert.deepEqual(typed(DETACH_KEYS, [65, 16], [17]), { passed: [65], leave: true });
});

Deno.test("the beginning of detach keys is passed on when something else follows", () => {
  assert.deepEqual(typed(DETACH_KEYS, [16], [65, 17]), { passed: [16, 65, 17], leave: false });
});

Deno.test("a beginning that fails may begin them anew", () => {
  assert.deepEqual(typed(DETACH_KEYS, [16, 16, 17]), { passed: [16], leave: true });
});

Deno.test("without detach keys everything is passed", () => {
  assert.deepEqual(typed(new Uint8Array(0), [16, 17, 0]), { passed: [16, 17, 0], leave: false });
});

Deno.test("a single detach key leaves", () => {
  assert.deepEqual(typed(Uint8Array.of(1), [65, 1]), { passed: [65], leave: true });
});
