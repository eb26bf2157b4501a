import assert from "assert";
import fc from "fast-check";
import { type Call, call, place, room, slot, type Step, step } from "../plan/step.ts";
import { resultsIn, roomOf } from "./mod.ts";
import { ran } from "./scratch_program_test.ts";

const MEMORY_BYTES = 64;
const word = (value: bigint) => BigInt.asUintN(64, value);
/** What no operation may result in: `want` of an instruction that waits for nothing. */
const NEVER = 1n << 63n;

/** An operand: a number, or the result of the operation so many places before, 0 being the last. */
type Operand = { number: bigint } | { back: number };
/** An operation; where it results in `wanted`, the next `skip` ones are left out. */
interface Operation {
  name: Call["name"];
  a: Operand;
  b: Operand;
  /** Bytes in the memory that all share. */
  at: number;
  from: number;
  length: number;
  wanted: number | undefined;
  skip: number;
}

const operand: fc.Arbitrary<Operand> = fc.oneof(
  fc.record({ number: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }) }),
  fc.record({ number: fc.bigInt({ min: -4n, max: 4n }) }),
  fc.record({ back: fc.nat(6) }),
);
const operation: fc.Arbitrary<Operation> = fc.record({
  name: fc.constantFrom(
    "add",
    "and",
    "less",
    "subtract",
    "copy",
    "load64",
    "load32",
    "store64",
    "store32",
  ),
  a: operand,
  b: operand,
  at: fc.nat(MEMORY_BYTES - 16),
  from: fc.nat(MEMORY_BYTES - 16),
  length: fc.nat(16),
  wanted: fc.option(fc.integer({ min: -2, max: 3 }), { nil: undefined }),
  skip: fc.integer({ min: 1, max: 4 }),
});

/** What the operations result in and leave in memory; a result that is not reached is 0. */
function model(operations: Operation[]): { results: bigint[]; memory: Uint8Array } {
  const memory = new Uint8Array(MEMORY_BYTES);
  const results = operations.map(() => 0n);
  for (let index = 0; index < operations.length; index++) {
    const one = operations[index];
    if (!one) break;
    const value = (operand: Operand) =>
      "number" in operand ? word(operand.number) : results[index - 1 - operand.back] ?? 0n;
    const result = modelOf(one, value(one.a), value(one.b), memory);
    results[index] = result;
    if (one.wanted !== undefined && result === word(BigInt(one.wanted))) index += one.skip;
  }
  return { results, memory };
}

function modelOf({ name, at, from, length }: Operation, a: bigint, b: bigint, memory: Uint8Array) {
  const view = new DataView(memory.buffer);
  switch (name) {
    case "add":
      return word(a + b);
    case "and":
      return a & b;
    case "less":
      return a < b ? 1n : 0n;
    case "subtract":
      return word(a - b);
    case "load64":
      return view.getBigUint64(at, true);
    case "load32":
      return BigInt(view.getUint32(at, true));
    case "store64":
      view.setBigUint64(at, b, true);
      return b;
    case "store32":
      view.setUint32(at, Number(b & 0xffff_ffffn), true);
      return b;
    default:
      for (let byte = 0; byte < length; byte++) memory[at + byte] = memory[from + byte] ?? 0;
      return BigInt(length);
  }
}

function stepsOf(operations: Operation[], memory: ReturnType<typeof room>): Step[] {
  const slots = operations.map((_, index) => slot(`${index}`));
  return operations.map(({ name, a, b, at, from, length, wanted, skip }, index) => {
    const value = (operand: Operand) =>
      "number" in operand ? operand.number : slots[index - 1 - operand.back] ?? 0;
    const args = name === "copy"
      ? [place(memory, at), place(memory, from), length]
      : name.startsWith("load")
      ? [place(memory, at)]
      : name.startsWith("store")
      ? [place(memory, at), value(b)]
      : [value(a), value(b)];
    const after = Math.min(index + 1 + skip, operations.length);
    const on = wanted === undefined ? [] : [{ value: wanted, goto: `at ${after}` }];
    return step(`${index}`, [
      { ...call(name, args, { on, id: `at ${index}` }), to: slots[index] } as Call,
    ]);
  });
}

Deno.test("programs of operations do what the words of each say", () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 40 }), (operations) => {
      const { results, memory } = model(operations);
      fc.pre(!results.includes(NEVER));
      const shared = room("memory", MEMORY_BYTES);
      const end = step("end", [
        call("copy", [shared, shared, 0], { id: `at ${operations.length}` }),
      ]);
      const program = ran(...stepsOf(operations, shared), end);
      const all = resultsIn(program, program.bytes);
      const got = operations.map((_, index) =>
        word(all[program.origins.findIndex((of) => of.step === index && of.main)] ?? 0n)
      );
      assert.deepEqual(got, results);
      assert.equal(roomOf(program, shared).toHex(), memory.toHex());
    }),
    { numRuns: 500 },
  );
});
