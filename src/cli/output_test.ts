import assert from "assert";
import fc from "fast-check";
import { inspected, listed, type Listing } from "./output.ts";
import { aligned, columnsOf, oneLine } from "./table.ts";

const LISTING: Listing = {
  headings: { ID: "CONTAINER ID", Names: "NAMES", Ports: "PORTS" },
  columns: ["ID", "Ports", "Names"],
  quiet: "ID",
  called: ["Label"],
};
const ROWS = [
  { ID: "0123456789ab", Names: "web", Ports: "", Label: (key: unknown) => `label ${key}` },
  { ID: "ba9876543210", Names: "数据库", Ports: "80/tcp, 443/tcp", Label: () => "" },
];

Deno.test("without a format rows are a table with docker's widths", async () => {
  assert.equal(
    await listed(LISTING, ROWS, {}),
    "CONTAINER ID   PORTS             NAMES\n" +
      "0123456789ab                     web\n" +
      "ba9876543210   80/tcp, 443/tcp   数据库\n",
  );
  assert.equal(await listed(LISTING, [], {}), "CONTAINER ID   PORTS     NAMES\n");
});

Deno.test("json is one object a line, and quiet the ids alone", async () => {
  const lines = (await listed(LISTING, ROWS, { format: "json" })).trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => JSON.parse(line).Names), ["web", "数据库"]);
  assert.equal(await listed(LISTING, ROWS, { quiet: true }), "0123456789ab\nba9876543210\n");
});

Deno.test("a template is one line a row, with \\t and \\n as docker reads them", async () => {
  const format = "{{.ID}}\\t{{.Names}}\\n";
  assert.equal(
    await listed(LISTING, ROWS.slice(0, 1), { format, quiet: true }),
    "0123456789ab\tweb\n\n",
  );
});

Deno.test("a template of a table has headings, whatever is done to a value or called", async () => {
  const format = 'table {{upper .Names}}\\t{{.Label "tier"}}';
  assert.equal(
    await listed(LISTING, ROWS.slice(0, 1), { format }),
    "NAMES     tier\nWEB       label tier\n",
  );
  assert.equal(await listed(LISTING, [], { format }), "NAMES     tier\n");
});

Deno.test("a mistake in a template is told with the template and its place", async () => {
  await assert.rejects(
    listed(LISTING, ROWS, { format: "{{.Name}}" }),
    /--format: "{{\.Name}}" at column 3: "\." has no field "Name"/,
  );
});

Deno.test("inspect prints an array, in one line for json, and a line each for a template", async () => {
  const things = [{ State: { Pid: 1 } }, { State: { Pid: 2 } }];
  assert.deepEqual(JSON.parse(await inspected(things, undefined)), things);
  assert.equal(await inspected(things, "json"), `${JSON.stringify(things)}\n`);
  assert.equal(await inspected(things, "{{.State.Pid}}"), "1\n2\n");
});

Deno.test("every column of a table begins at one place, however wide its characters", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", "é", "漢", "🐳", "e\u0301", "-") });
  fc.assert(fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (pairs) => {
    const lines = aligned(pairs.map(([a, b]) => [a, `|${b}`])).split("\n").slice(0, -1);
    const at = lines.map((line) => columnsOf(line.slice(0, line.indexOf("|"))));
    assert.equal(new Set(at).size, 1);
  }));
});

Deno.test("nothing in a cell moves the cursor", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.doesNotMatch(oneLine(text), /[\p{Cc}\u2028\u2029]/u);
  }));
  assert.equal(oneLine("a\x1b[2Jb"), "a\\u001b[2Jb");
});
