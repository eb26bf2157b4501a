import assert from "assert";
import { files, moduleGraph, ROOT } from "./source.ts";

const paths = [...files()];
const code = paths.filter((path) => /\.(ts|sh|py)$/.test(path));
const product = code.filter((path) =>
  /^(ffi|src|rootfs)\/.*\.ts$/.test(path) && !path.endsWith("_test.ts")
);

function read(path: string): string {
  return Deno.readTextFileSync(ROOT + path);
}

/** Files with a line that matches, with that line. */
function matches(among: readonly string[], pattern: RegExp): string[] {
  return among.flatMap((path) =>
    read(path).split("\n").filter((line) => pattern.test(line)).map((line) => `${path}: ${line}`)
  );
}

Deno.test("no note of unfinished work is left in the code", () => {
  const notes = ["TO" + "DO", "FIX" + "ME", "XX" + "X"];
  assert.deepEqual(matches(code, new RegExp(`\\b(${notes.join("|")})\\b`)), []);
});

Deno.test("no test is run alone, and no debugger is called", () => {
  const leftovers = new RegExp(
    ["test\\.on" + "ly", "\\bon" + "ly: true", "^\\s*debug" + "ger;"].join("|"),
  );
  assert.deepEqual(matches(code, leftovers), []);
});

Deno.test("no file names a directory of the machine it was written on", () => {
  const text = paths.filter((path) => /\.(ts|sh|py|md|json|txt)$|\/(run|vm|init2?)$/.test(path));
  assert.deepEqual(matches(text, new RegExp("/wo" + "rk/|/tmp/b" + "in/|/root/\\.n" + "pm")), []);
});

Deno.test("every folder of src opens with a mod.ts that says what it is", () => {
  const folders = new Set(
    product.filter((path) => path.startsWith("src/"))
      .map((path) => path.slice(0, path.lastIndexOf("/"))),
  );
  const silent = [...folders].filter((folder) => {
    const door = `${folder}/mod.ts`;
    return !product.includes(door) || !/^\/\*\*[^]*?@module\s*\n \*\//.test(read(door));
  });
  assert.deepEqual(silent, []);
});

Deno.test("names of files are in snake_case", () => {
  const odd = code.filter((path) => !/^([a-z0-9_.]+\/)*[a-z0-9_]+\.(ts|sh|py)$/.test(path));
  assert.deepEqual(odd, []);
});

Deno.test("every module of the product is reached from main.ts", async () => {
  const graph = await moduleGraph(["main.ts"]);
  const typesOnly = (path: string) =>
    !/^export (async )?(function|const|class|\{|\*)/m.test(read(path));
  assert.deepEqual(product.filter((path) => !graph.has(path) && !typesOnly(path)), []);
});
