import assert from "assert";
import { borrowing, lending, type Lent, piecesOf, refuseNamesakes } from "./build/pieces.ts";

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

Deno.test("a piece has a name that nothing else is imported by", () => {
  const graph = new Map([
    ["a/user", node([], ["a/piece.ts"])],
    ["b/user", node([], ["b/piece.ts", "c/piece.ts"])],
  ].map(([name, edges]) => [name, edges] as [string, ReturnType<typeof node>]));
  refuseNamesakes(["c/piece.ts"], new Map([["a/user", node([], ["c/piece.ts", "c/other.ts"])]]));
  refuseNamesakes(["b/other.ts"], graph);
  const expected = { message: /"b\/piece.ts" as a piece: "a\/user" imports "a\/piece.ts"/ };
  assert.throws(() => refuseNamesakes(["b/piece.ts"], graph), expected);
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
