import { errnoNumber } from "../../ffi/mod.ts";
import type { Call, On, Slot, Step, Struct, Value } from "../plan/step.ts";

/** An operand that only the assembler makes: an address inside the program. */
export type Operand =
  | Value
  /** Where the header notes the last failure's result. */
  | { kind: "failure" }
  /** A field of a struct that lies in the program. */
  | { kind: "field"; struct: Struct; offset: number }
  /** The result of the instruction of that index. */
  | { kind: "result"; of: number }
  /** The 8 bytes of a slot that several calls may fill, whichever of them is reached. */
  | { kind: "cell"; slot: Slot }
  /** Where the time before a call is noted. */
  | { kind: "time"; key: string };

/** Where an instruction comes from; `call` is its index in the step. */
export interface Origin {
  step: number;
  call: number;
  /** Whether it is the call itself, not one that stands beside it. */
  main: boolean;
}

/** An instruction before it has an address. */
export interface Instruction {
  name: Call["name"];
  args: Operand[];
  origin: Origin;
  to?: Slot;
  want?: bigint;
  /** Labels. */
  match?: string;
  fail?: string;
}

/** A program before it has addresses. */
export interface Flat {
  instructions: Instruction[];
  /** Index of the instruction that each label stands before. */
  labels: Map<string, number>;
  /** Slots that more than one call may fill. */
  shared: Set<Slot>;
}

export interface FlattenOptions {
  /** Steps that follow a failure; without them a failure ends the program. */
  handler: Step[];
  /** Note the time before each call. */
  trace: boolean;
  /** Slots that another program awaits: the address of their 8 bytes. */
  exports: Map<Slot, bigint>;
}

const CLOCK_MONOTONIC = 1;

/**
 * Lays steps out as one row of instructions.
 *
 * A call becomes one instruction. Beside it come stores of earlier results into its structs, a store
 * of its result to where another program awaits it, and tests for a second expected error.
 */
export function flatten(steps: Step[], options: FlattenOptions): Flat {
  const all = [...steps, ...options.handler];
  const flat: Flat = { instructions: [], labels: new Map(), shared: filledTwice(all) };
  const tests: Instruction[][] = [];
  for (const [index, step] of all.entries()) {
    if (index === steps.length) end(flat, index);
    flat.labels.set(index === steps.length ? "failed" : `step ${index}`, flat.instructions.length);
    for (const [at, call] of step.calls.entries()) {
      flattenCall(flat, tests, index, at, call, options);
    }
  }
  if (options.handler.length === 0) end(flat, all.length);
  else flat.labels.set(`step ${all.length}`, flat.labels.get("end") ?? 0);
  if (options.handler.length === 0) {
    flat.labels.set("failed", flat.instructions.length);
    flat.instructions.push({ name: "end", args: [1], origin: { step: 0, call: 0, main: false } });
  }
  for (const [index, row] of tests.entries()) {
    flat.labels.set(`test ${index}`, flat.instructions.length);
    flat.instructions.push(...row);
  }
  return flat;
}

/** A label that begins with a dot belongs to its step. */
function scoped(label: string, step: number): string {
  return label.startsWith(".") ? `${step}${label}` : label;
}

function filledTwice(steps: Step[]): Set<Slot> {
  const seen = new Set<Slot>();
  const twice = new Set<Slot>();
  for (const { calls } of steps) {
    for (const { to } of calls) {
      if (!to) continue;
      if (seen.has(to)) twice.add(to);
      seen.add(to);
    }
  }
  return twice;
}

/** Where the steps end and the handler, if any, begins. */
function end(flat: Flat, step: number): void {
  flat.labels.set("end", flat.instructions.length);
  flat.labels.set(`step ${step}`, flat.instructions.length);
  flat.instructions.push({ name: "end", args: [0], origin: { step, call: 0, main: false } });
}

function flattenCall(
  flat: Flat,
  tests: Instruction[][],
  stepIndex: number,
  at: number,
  call: Call,
  { trace, exports }: FlattenOptions,
): void {
  const { instructions, labels } = flat;
  const origin = { step: stepIndex, call: at, main: false };
  if (call.id !== undefined) labels.set(scoped(call.id, stepIndex), instructions.length);
  if (trace) {
    const args: Operand[] = [CLOCK_MONOTONIC, { kind: "time", key: `${stepIndex}.${at}` }];
    instructions.push({ name: "clock_gettime", args, origin });
  }
  for (const arg of call.args) {
    if (isKind(arg, "struct")) instructions.push(...fieldStores(arg, origin));
  }
  const made: Instruction = { name: call.name, args: call.args, origin: { ...origin, main: true } };
  const shared = call.to && flat.shared.has(call.to);
  if (call.to && !shared) made.to = call.to;
  branch(made, call.on ?? [], tests);
  instructions.push(made);
  if (call.to && shared) {
    const result: Operand = { kind: "result", of: instructions.length - 1 };
    const args: Operand[] = [{ kind: "cell", slot: call.to }, result];
    instructions.push({ name: "store64", args, origin });
  }
  const awaited = call.to && exports.get(call.to);
  if (call.to && awaited !== undefined) {
    instructions.push({ name: "store64", args: [awaited, call.to], origin });
  }
}

/** The results of earlier calls that a struct holds are stored into it before the call. */
function fieldStores(struct: Struct, origin: Origin): Instruction[] {
  const stores: Instruction[] = [];
  let offset = 0;
  for (const [, bytes, value] of struct.fields) {
    if (isKind(value, "slot")) {
      const name = bytes === 8 ? "store64" : "store32";
      stores.push({ name, args: [{ kind: "field", struct, offset }, value], origin });
    } else if (isKind(value, "struct")) {
      stores.push(...fieldStores(value, origin));
    }
    offset += bytes;
  }
  return stores;
}

/** The first condition is the instruction's own; further ones are tested after a failure. */
function branch(made: Instruction, conditions: On[], tests: Instruction[][]): void {
  const { step } = made.origin;
  const further: Instruction[] = [];
  const origin = { ...made.origin, main: false };
  for (const on of conditions) {
    const match = on.goto === "next" ? `step ${step + 1}` : scoped(on.goto, step);
    if (on.errno === "any") {
      made.fail = match;
      continue;
    }
    const want = on.errno === undefined ? BigInt(on.value ?? 0) : -BigInt(errnoNumber(on.errno));
    if (made.match === undefined) {
      made.want = want;
      made.match = match;
    } else {
      further.push({ name: "load64", args: [{ kind: "failure" }], origin, want, match });
    }
  }
  if (further.length === 0) return;
  const match = made.fail ?? "failed";
  tests.push([...further, { name: "add", args: [0, 0], origin, want: 0n, match }]);
  made.fail = `test ${tests.length - 1}`;
}

/** Whether an operand is of a kind. */
export function isKind<K extends string>(
  operand: Operand,
  kind: K,
): operand is Extract<Operand, { kind: K }> {
  return typeof operand === "object" && "kind" in operand && operand.kind === kind;
}
