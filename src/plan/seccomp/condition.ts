import type { LinuxSeccompArg, Uint64 } from "../../spec/types.ts";
import { SpecError } from "../../spec/error.ts";
import { JEQ, JGE, JGT, type Program, type Target } from "./program.ts";

/** A comparison of one argument of a system call; words are unsigned and of 32 bits. */
export interface Condition {
  /** 0..5. */
  index: number;
  op: Operator;
  high: number;
  low: number;
  /** All ones but for SCMP_CMP_MASKED_EQ. */
  maskHigh: number;
  maskLow: number;
}

/** How wide arguments are compared: i386, arm and x32 have 32-bit ones, as in libseccomp. */
export type Width = 32 | 64;

type Operator = keyof typeof OPERATORS;

/** How specific each is: the specific ones are asked first, in libseccomp's order. */
const OPERATORS = {
  SCMP_CMP_NE: 3,
  SCMP_CMP_EQ: 3,
  SCMP_CMP_MASKED_EQ: 3,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 2,
  SCMP_CMP_GE: 1,
  SCMP_CMP_GT: 1,
} as const;

/** The names of config-linux.md#seccomp's operators. */
export const OPERATOR_NAMES: readonly string[] = Object.keys(OPERATORS);

const ALL = 0xffff_ffff;

/** struct seccomp_data { int nr; u32 arch; u64 instruction_pointer; u64 args[6]; } */
const ARGS_OFFSET_BYTES = 16;

/**
 * A comparison of config.json; for SCMP_CMP_MASKED_EQ `value` is the mask and `valueTwo` what the
 * masked argument must be.
 *
 * @throws SpecError for an operator or an argument that there is not
 */
export function conditionOf(arg: LinuxSeccompArg, field: string): Condition {
  const { index, op, value, valueTwo = 0 } = arg;
  if (!isOperator(op)) {
    const message = `"${op}" is not an operator; there are ${OPERATOR_NAMES.join(", ")}`;
    throw new SpecError(`${field}.op`, message);
  }
  if (!(index >= 0 && index <= 5)) {
    throw new SpecError(`${field}.index`, `there is no argument ${index}; there are 0 to 5`);
  }
  const [high, low] = words(value);
  if (op !== "SCMP_CMP_MASKED_EQ") return { index, op, high, low, maskHigh: ALL, maskLow: ALL };
  const [otherHigh, otherLow] = words(valueTwo);
  return {
    index,
    op,
    high: (otherHigh & high) >>> 0,
    low: (otherLow & low) >>> 0,
    maskHigh: high,
    maskLow: low,
  };
}

/** An argument that must be `value`. */
export function equal(index: number, value: number): Condition {
  return { index, op: "SCMP_CMP_EQ", high: 0, low: value, maskHigh: ALL, maskLow: ALL };
}

/** Whether it holds for every argument. */
export function isAlways({ maskHigh, maskLow }: Condition, width: Width): boolean {
  return maskLow === 0 && (width === 32 || maskHigh === 0);
}

/** The more specific condition first: negative if `a` comes before `b`, 0 if they are the same. */
export function compareConditions(a: Condition, b: Condition, width: Width): number {
  const rank = b.index - a.index || OPERATORS[b.op] - OPERATORS[a.op];
  if (rank !== 0) return rank;
  const difference = (width === 64 ? b.high - a.high : 0) || b.low - a.low;
  const ascends = OPERATORS[a.op] === 2;
  return (ascends ? -difference : difference) || (width === 64 ? b.maskHigh - a.maskHigh : 0) ||
    b.maskLow - a.maskLow || (a.op < b.op ? -1 : Number(a.op > b.op));
}

/** The instructions that go on at `yes` if the condition holds, else at `no`. */
export function putCondition(
  program: Program,
  condition: Condition,
  { yes, no, width }: { yes: Target; no: Target; width: Width },
): Target {
  switch (condition.op) {
    case "SCMP_CMP_EQ":
      return putEqual(program, condition, yes, no, width);
    case "SCMP_CMP_NE":
      return putEqual(program, condition, no, yes, width);
    case "SCMP_CMP_MASKED_EQ":
      return putMasked(program, condition, yes, no, width);
    case "SCMP_CMP_GT":
      return putOrder(program, condition, JGT, yes, no, width);
    case "SCMP_CMP_GE":
      return putOrder(program, condition, JGE, yes, no, width);
    case "SCMP_CMP_LE":
      return putOrder(program, condition, JGT, no, yes, width);
    case "SCMP_CMP_LT":
      return putOrder(program, condition, JGE, no, yes, width);
  }
}

/**
 *     ld high; jeq #high, 0, no
 *     ld low;  jeq #low, yes, no
 */
function putEqual(p: Program, { index, high, low }: Condition, yes: Target, no: Target, w: Width) {
  const last = p.load(lowOf(index), p.compare(JEQ, low, yes, no));
  return w === 32 ? last : p.load(highOf(index), p.compare(JEQ, high, last, no));
}

/** As for equality, with `and #mask` behind each load; a half that is masked out is not asked. */
function putMasked(p: Program, condition: Condition, yes: Target, no: Target, width: Width) {
  const { index, high, low, maskHigh, maskLow } = condition;
  let next = yes;
  if (maskLow !== 0) {
    next = p.load(lowOf(index), p.and(maskLow, p.compare(JEQ, low, next, no)));
  }
  if (width === 32 || maskHigh === 0) return next;
  return p.load(highOf(index), p.and(maskHigh, p.compare(JEQ, high, next, no)));
}

/**
 *     ld high; jgt #high, yes, 0; jeq #high, 0, no
 *     ld low;  jgt or jge #low, yes, no
 */
function putOrder(
  p: Program,
  { index, high, low }: Condition,
  code: typeof JGT | typeof JGE,
  yes: Target,
  no: Target,
  width: Width,
) {
  const last = p.load(lowOf(index), p.compare(code, low, yes, no));
  if (width === 32) return last;
  const same = p.compare(JEQ, high, last, no);
  return p.load(highOf(index), p.compare(JGT, high, yes, same));
}

const lowOf = (index: number) => ARGS_OFFSET_BYTES + 8 * index;
const highOf = (index: number) => ARGS_OFFSET_BYTES + 8 * index + 4;

function isOperator(op: string): op is Operator {
  return Object.hasOwn(OPERATORS, op);
}

function words(value: Uint64): [high: number, low: number] {
  if (typeof value === "bigint") return [Number(value >> 32n), Number(value & 0xffff_ffffn)];
  return [Math.floor(value / 2 ** 32), value >>> 0];
}
