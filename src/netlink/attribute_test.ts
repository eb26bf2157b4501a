import assert from "assert";
import fc from "fast-check";
import {
  type Attributes,
  parseAttributes,
  PAYLOAD_LIMIT,
  readAttributes,
  readList,
  serialiseAttributes,
} from "./attribute.ts";
import { big32, nulString, textOf, u16, u32 } from "./value.ts";

const payload = fc.uint8Array({ maxLength: 40 });
const type = fc.integer({ min: 1, max: 0x3fff });
const { tree } = fc.letrec<{ tree: Attributes; node: Uint8Array | Attributes }>((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, payload, tie("tree")),
  tree: fc.dictionary(
    type.map(String),
    fc.oneof(tie("node"), fc.array(tie("node"), { minLength: 2, maxLength: 3 })),
    { maxKeys: 4 },
  ).map((entries) => ({ ...entries })),
}));

Deno.test("attributes are the same after serialising and parsing", () => {
  fc.assert(fc.property(tree, (attributes) => {
    assert.deepEqual(parseAttributes(serialiseAttributes(attributes)), attributes);
  }));
});

Deno.test("bytes that parse are the same after serialising, whatever they were", () => {
  fc.assert(fc.property(tree, (attributes) => {
    const bytes = serialiseAttributes(attributes);
    assert.deepEqual(serialiseAttributes(parseAttributes(bytes)), bytes);
  }));
});

Deno.test("random bytes are parsed or refused, never read beyond their end", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    try {
      for (const [, value] of readAttributes(bytes)) assert(value.length <= bytes.length - 4);
    } catch (error) {
      assert(error instanceof Error && /^cannot read attribute/.test(error.message));
    }
  }));
});

Deno.test("an attribute is its length, its type, and its payload up to a multiple of four", () => {
  assert.deepEqual(
    [...serialiseAttributes({ 3: nulString("br0"), 4: u16(1500) })],
    [8, 0, 3, 0, 0x62, 0x72, 0x30, 0, 6, 0, 4, 0, 0xdc, 0x05, 0, 0],
  );
});

Deno.test("a nested attribute has its type marked, and undefined is left out", () => {
  assert.deepEqual(
    [...serialiseAttributes({ 1: undefined, 18: { 1: u32(1) } })],
    [12, 0, 18, 0x80, 8, 0, 1, 0, 1, 0, 0, 0],
  );
});

Deno.test("a list is one type several times over", () => {
  const list = [{ 1: big32(1) }, { 1: big32(2) }];
  const bytes = serialiseAttributes({ 1: list });
  assert.deepEqual(readList(bytes).map((one) => parseAttributes(one)), list);
});

Deno.test("a payload longer than its length can say is refused, nested ones too", () => {
  assert.equal(serialiseAttributes({ 1: new Uint8Array(PAYLOAD_LIMIT) }).length, 65_536);
  const long = new Uint8Array(PAYLOAD_LIMIT + 1);
  assert.throws(() => serialiseAttributes({ 1: long }), /65532 bytes, and the limit is 65531/);
  const half = new Uint8Array(40_000);
  assert.throws(() => serialiseAttributes({ 1: { 1: half, 2: half } }), RangeError);
});

Deno.test("text with a NUL is refused, and read up to the first", () => {
  assert.throws(() => nulString("eth0\0evil"), /has a NUL/);
  assert.throws(() => nulString("é\0evil"), /has a NUL/);
  assert.equal(textOf(nulString("é€")), "é€");
  assert.equal(textOf(new TextEncoder().encode("eth0\0evil")), "eth0");
});

Deno.test("a number that does not fit is refused", () => {
  assert.throws(() => u16(65_536), RangeError);
  assert.throws(() => u32(1.5), RangeError);
  assert.deepEqual([...big32(-300)], [0xff, 0xff, 0xfe, 0xd4]);
});
