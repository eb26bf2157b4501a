import assert from "assert";
import { borrowing, lending, type Lent, piecesOf } from "./build/pieces.ts";

const node = (now: string[] = [], later: string[] = []) => ({ static: now, dynamic: later });

Deno.test("a piece borrows what its command loads at once, and has all else itself", () => {
  const graph = new Map([
    ["main", node(["a/own"], ["a/piece", "a/lazy"])],
    ["a/own", node(["a/mod.ts"])],
    ["a/mod.ts", node()],
    ["a/lazy", node(["a/own"], ["a/further"])],
    ["a/piece", node(["a/inner", "a/own"], ["a/elsewhere"])],
    ["a/inner", node(["a/mod.ts", "a/own"])],
    ["a/further", node(["a/inner"])],
    ["a/elsewhere", node(["a/own"], ["a/unreached"])],
    ["a/unreached", node()],
  ].map(([name, edges]) => [name, edges] as [string, ReturnType<typeof node>]));
  const isElsewhere = (path: string) => path === "a/elsewhere";
  const pieces = ["a/piece", "a/further", "a/unreached", "a/own"];
  assert.deepEqual(piecesOf(["main"], pieces, { graph, isElsewhere }), [
    { path: "a/further", borrowed: ["a/own"] },
    { path: "a/piece", borrowed: ["a/own"] },
  ]);
});

Deno.test("what a piece takes is what its command puts on the shelf, and only what it uses", () => {
  const lent: Lent = new Map();
  const code = `var x = 1;
import { one, two as two2, three } from "./lent/ffi/a.ts";
import { four } from "./lent/src/b.ts";
export { x };
two2(one);
`;
  const taken = borrowing(code, lent);
  assert.match(taken, /^const \{ one, two: two2 \} = globalThis\.minictr\["ffi\/a\.ts"\];\nvar x/);
  assert.doesNotMatch(taken, /import|three|four/);
  assert.deepEqual([...lent], [["ffi/a.ts", new Set(["one", "two"])]]);
  const shelf = lending(lent);
  assert.match(
    shelf,
    /^import \{ one as lent0_one, two as lent0_two \} from "file:.*\/ffi\/a\.ts";/,
  );
  assert.match(shelf, /"ffi\/a\.ts": \{ one: lent0_one, two: lent0_two \}/);
});
