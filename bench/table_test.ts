import assert from "assert";
import { type Bench } from "./contenders.ts";
import { type Comparison, markdown, tableOf } from "./table.ts";
import { TABLES } from "./tables.ts";

const BENCH: Bench = { scratch: "/s", rootfs: "/r", bundle: "/b", project: "/p/" };

Deno.test("ratios are to the first row's times", () => {
  const table = markdown([{ name: "a", times: [10, 20] }, { name: "b", times: [5, 10] }]);
  assert.match(table, /^\| a \| 15\.0 \| 10\.0 \| 1\.00 \|$/m);
  assert.match(table, /^\| b \| 7\.5 \| 5\.0 \| 0\.50 \|$/m);
});

Deno.test("who is not installed is left out with the reason, and cleared up after all the same", () => {
  let isClear = false;
  const comparison: Comparison = {
    name: "x",
    title: "X",
    contenders: () => [
      { name: "it", words: ["/nonexistent/program"] },
      { name: "other", words: ["true"] },
    ],
    clear: () => isClear = true,
  };
  const text = tableOf(comparison, BENCH, 2);
  assert.match(text, /^### X$/m);
  assert.match(text, /^\| other \|/m);
  assert.match(text, /^- it is left out: not installed$/m);
  assert.ok(isClear);
});

Deno.test("tables have names of their own, and minictr is in each", () => {
  assert.equal(new Set(TABLES.map(({ name }) => name)).size, TABLES.length);
  for (const table of TABLES) {
    assert.ok(table.contenders(BENCH).some(({ name }) => name === "minictr"), table.name);
  }
});
