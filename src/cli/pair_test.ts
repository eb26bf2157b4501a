import assert from "assert";
import fc from "fast-check";
import { parsePair, parsePairs } from "./pair.ts";
import { UsageError } from "./usage_error.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => parsePairs(bytes(text), (name) => ({ HOME: "/h" })[name]);

const TAKEN: [does: string, text: string, pairs: string[]][] = [
  ["takes lines", "A=1\nB=2\n", ["A=1", "B=2"]],
  ["leaves out comments and empty lines", "# x\n\n  # y\nA=1", ["A=1"]],
  ["takes # in a value", "A=1 # x", ["A=1 # x"]],
  ["keeps quotes", `A="1 2"`, [`A="1 2"`]],
  ["keeps blanks of a value, not those before a name", " \tA= 1 ", ["A= 1 "]],
  ["takes an empty value", "A=", ["A="]],
  ["cuts at the first =", "A=b=c", ["A=b=c"]],
  ["imports a name without a value", "HOME", ["HOME=/h"]],
  ["leaves out what cannot be imported", "NOBODY", []],
  ["leaves out a byte order mark", "\uFEFFA=1", ["A=1"]],
  ["takes lines that end in CR LF", "A=1\r\nB=2\r\n", ["A=1", "B=2"]],
  ["takes any letters in a name", "a.b-c=1\nä=2", ["a.b-c=1", "ä=2"]],
];

for (const [does, text, pairs] of TAKEN) {
  Deno.test(`parsePairs() ${does}`, () => {
    assert.deepEqual(read(text), pairs);
  });
}

for (const text of ["=1", "A B=1", "export A=1", "A =1", "A=\0"]) {
  Deno.test(`parsePairs() refuses ${JSON.stringify(text)} with the number of the line`, () => {
    assert.throws(() => read(`X=1\n${text}`), (error: unknown) => {
      assert(error instanceof UsageError);
      assert.match(error.message, /^line 2: /);
      return true;
    });
  });
}

Deno.test("parsePairs() refuses what is not UTF-8", () => {
  assert.throws(() => parsePairs(new Uint8Array([65, 61, 255]), () => undefined), UsageError);
});

Deno.test("parsePairs() gives back each variable that was written", () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]*$/);
  const value = fc.stringMatching(/^[^\0\r\n]*$/);
  fc.assert(fc.property(fc.array(fc.tuple(name, value)), (variables) => {
    const lines = variables.map(([name, value]) => `${name}=${value}`);
    assert.deepEqual(read(lines.join("\n")), lines.map((line) => line.toWellFormed()));
  }));
});

Deno.test("parsePair() cuts at the first =", () => {
  assert.deepEqual(parsePair("a=b=c"), ["a", "b=c"]);
  assert.deepEqual(parsePair("a"), ["a", ""]);
  assert.throws(() => parsePair("a", true), UsageError);
  assert.throws(() => parsePair("=b"), UsageError);
});
