import assert from "assert";
import { addressOf } from "../../ffi/mod.ts";
import { call, flags, place, room, slot, step, strings, struct, type Value } from "../plan/step.ts";
import { resultOf, roomOf, runHere } from "./mod.ts";
import { assembled, ran } from "./scratch_program_test.ts";

const text = new TextDecoder();

/** The bytes that a value's address leads to when a program runs. */
function bytesAt(value: Value, size: number): Uint8Array {
  const seen = room("seen", size);
  return roomOf(ran(step("copy", [call("copy", [seen, value, size])])), seen).slice();
}

Deno.test("the result of a call is an argument of later ones", () => {
  const fds = room("fds", 8), got = room("got", 16);
  const reading = slot("reading"), writing = slot("writing"), count = slot("count");
  const program = ran(
    step("make a pipe", [
      call("pipe2", [fds, 0]),
      call("load32", [place(fds, 0)], { to: reading }),
      call("load32", [place(fds, 4)], { to: writing }),
    ]),
    step("write", [call("write", [writing, "through a pipe", 14])]),
    step("read", [call("read", [reading, got, 16], { to: count })]),
    step("close", [call("close", [reading]), call("close", [writing])]),
  );
  assert.equal(resultOf(program, count), 14);
  assert.equal(text.decode(roomOf(program, got)), "through a pipe\0\0");
});

Deno.test("text gets a NUL, equal texts lie in one place, bytes are as they are", () => {
  assert.deepEqual(bytesAt("añ", 4), Uint8Array.of(0x61, 0xc3, 0xb1, 0));
  assert.deepEqual(bytesAt(Uint8Array.of(1, 2, 3), 3), Uint8Array.of(1, 2, 3));
  const difference = slot("difference");
  const program = ran(step("", [call("subtract", ["same", "same"], { to: difference })]));
  assert.equal(resultOf(program, difference), 0);
});

Deno.test("a struct has its fields one behind the other, little-endian", () => {
  const fields = struct("s", [
    ["a", 1, 0x12],
    ["b", 1, 0xff],
    ["c", 2, 0x3456],
    ["d", 4, 0x89ab_cdef],
    ["e", 8, 0x1122_3344_5566_7788n],
    ["f", 4, -2],
    ["g", 4, flags({ ONE: 1, FOUR: 4 })],
    ["h", 8, 2 ** 40 + 3],
    ["i", 8, -3],
    ["j", 8, 2n ** 64n - 1n],
  ]);
  assert.equal(
    bytesAt(fields, 48).toHex(),
    "12ff5634efcdab898877665544332211feffffff050000000300000000010000fdffffffffffffff" +
      "ffffffffffffffff",
  );
});

Deno.test("results are stored into fields of 4 and 8 bytes, also of a struct inside a struct", () => {
  const big = slot("big"), small = slot("small"), seen = room("seen", 24), inside = room("in", 8);
  const inner = struct("inner", [["x", 4, small], ["y", 4, 7]]);
  const outer = struct("outer", [
    ["before", 4, 0x0101_0101],
    ["small", 4, small],
    ["big", 8, big],
    ["inner", 8, inner],
  ]);
  const pointer = slot("pointer");
  const program = ran(step("", [
    call("add", [0x7fff_ffff_0000_0001n, 1], { to: big }),
    call("add", [0xff_0000_0000n, 5], { to: small }),
    call("copy", [seen, outer, 24]),
    call("load64", [place(seen, 16)], { to: pointer }),
    call("copy", [inside, pointer, 8]),
  ]));
  assert.equal(
    roomOf(program, seen).subarray(0, 16).toHex(),
    "0101010105000000020000" + "00ffffff7f",
  );
  assert.equal(roomOf(program, inside).toHex(), "0500000007000000");
});

Deno.test("strings are pointers to texts, and a NULL", () => {
  const list = strings(["first", "second", "first"]);
  const pointers = new BigUint64Array(4);
  const seen = room("pointers", 32), second = room("second", 7), at = slot("at");
  const program = ran(step("", [
    call("copy", [seen, list, 32]),
    call("load64", [place(seen, 8)], { to: at }),
    call("copy", [second, at, 7]),
  ]));
  new Uint8Array(pointers.buffer).set(roomOf(program, seen));
  assert.equal(pointers[0], pointers[2]);
  assert.notEqual(pointers[0], pointers[1]);
  assert.equal(pointers[3], 0n);
  assert.equal(text.decode(roomOf(program, second)), "second\0");
});

Deno.test("each text is found behind others that are longer in UTF-8 than in characters", () => {
  const values = ["plain", "señor", "日本語", "", "💾 disk", "plain again"];
  const size = values.map((value) => new TextEncoder().encode(value).length + 1);
  const found = values.map((value, index) => room(value, size[index] ?? 0));
  const program = ran(step(
    "",
    values.map((value, index) => call("copy", [found[index] ?? 0, value, size[index] ?? 0])),
  ));
  assert.deepEqual(
    found.map((room) => text.decode(roomOf(program, room))),
    values.map((value) => `${value}\0`),
  );
});

Deno.test("text with a NUL is refused, which would end it for the kernel", () => {
  assert.throws(() => assembled([step("", [call("chdir", ["/a\0/b"])])]), /it has a NUL/);
});

Deno.test("one program hands its results to another before that one runs", () => {
  const handed = slot("handed"), sum = slot("sum"), seen = room("seen", 4);
  const second = assembled([
    step("", [
      call("add", [handed, 1], { to: sum }),
      call("copy", [seen, struct("s", [["four", 4, handed]]), 4]),
    ]),
  ]);
  assert.deepEqual([...second.imports.keys()], [handed]);
  const exports = new Map(
    Array.from(second.imports, ([slot, at]) => [slot, addressOf(second.bytes) + BigInt(at)]),
  );
  const first = assembled([step("", [call("add", [40, 1], { to: handed })])], { exports });
  assert.equal(runHere(first), undefined);
  assert.equal(runHere(second), undefined);
  assert.equal(resultOf(second, sum), 42);
  assert.equal(roomOf(second, seen).toHex(), "29000000");
});

Deno.test("a program of 5,000 calls runs them all", () => {
  const total = room("total", 8);
  const steps = Array.from({ length: 1000 }, (_, index) => {
    const before = slot("before"), after = slot("after");
    return step(`${index}`, [
      call("getpid", []),
      call("load64", [total], { to: before }),
      call("add", [before, index], { to: after }),
      call("store64", [total, after]),
      call("fcntl", [-1, 1], { on: [{ errno: "any", goto: "next" }] }),
    ]);
  });
  const view = new DataView(roomOf(ran(...steps), total).slice().buffer);
  assert.equal(view.getBigUint64(0, true), 499_500n);
});

Deno.test("an environment of 1 MB is there to its last byte", () => {
  const values = Array.from({ length: 1024 }, (_, index) => `V${index}=`.padEnd(1023, `${index}`));
  const pointer = slot("pointer"), at = slot("at"), last = room("last", 1024);
  const program = ran(step("", [
    call("add", [strings(values), 8 * 1023], { to: at }),
    call("load64", [at], { to: pointer }),
    call("copy", [last, pointer, 1024]),
  ]));
  assert.equal(text.decode(roomOf(program, last)), `${values[1023]}\0`);
});

Deno.test("a program knows its own address, its length and that of its table", () => {
  const lengths = struct("lengths", [
    ["length", 8, { kind: "self", what: "length" }],
    ["tableLength", 4, { kind: "self", what: "tableLength" }],
  ]);
  const seen = room("seen", 20), length = slot("length"), difference = slot("difference");
  const program = ran(step("", [
    call("add", [{ kind: "self", what: "tableLength" }, 0], { to: length }),
    call("subtract", [{ kind: "self", what: "length" }, length], { to: difference }),
    call("store64", [place(seen, 0), { kind: "self", what: "address" }]),
    call("copy", [place(seen, 8), lengths, 12]),
  ]));
  const { base, bytes, tableLength } = program;
  const view = new DataView(roomOf(program, seen).slice().buffer);
  assert.equal(view.getBigUint64(0, true), base);
  assert.equal(view.getBigUint64(8, true), BigInt(bytes.length));
  assert.equal(view.getUint32(16, true), tableLength);
  assert.equal(resultOf(program, difference), bytes.length - tableLength);
});
