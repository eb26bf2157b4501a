/**
 * The instruction set of syscall programs: data that a few hundred bytes of machine code carry out.
 *
 * A program is a header and a table of instructions of one size. An instruction is one system call
 * (or one operation on memory), what to do with its result, and where to go from there:
 *
 * ```c
 * struct header {
 *   u64 first;           //  0  address of the instruction to begin with
 *   u64 failed;          //  8  address of the instruction that failed last, or 0
 *   s64 failed_result;   // 16  what it returned: -errno
 * };
 * struct instruction {
 *   u32 number;          //  0  system call number, or OPERATION | one of the operations below
 *   u32 indirect;        //  4  bit i: argument i is the address of the value, not the value
 *   u64 argument[6];     //  8
 *   s64 result;          // 56  written by the interpreter
 *   s64 want;            // 64  if result == want, go on at `match`
 *   u64 match;           // 72
 *   u64 fail;            // 80  else if the result is an error (-4095 … -1), note it in the header
 * };                     //     and go on here; otherwise go on with the next instruction
 * ```
 *
 * An argument that is the result of an earlier call is the address of that call's `result`, so data
 * flows through the table itself and needs no registers. Operations never fail.
 */

import type { OperationName } from "../plan/step.ts";

/** Bytes of a header. */
export const HEADER_SIZE = 24;
/** Bytes of an instruction. */
export const INSTRUCTION_SIZE = 88;
/** Byte offsets within an instruction. */
export const OFFSET = { indirect: 4, argument: 8, result: 56, want: 64, match: 72, fail: 80 };
/** Set in `number` where the instruction is an operation. */
export const OPERATION = 0x8000_0000;
/** A `want` that no call returns. */
export const NEVER = -0x8000_0000_0000_0000n;
/** Where a stage's program is mapped; the interpreter's listing names it too. */
export const PROGRAM_ADDRESS = 0x50_0000n;

/** The operations' codes: what goes into `number` beside OPERATION. */
export const OPERATIONS: Record<OperationName, number> = {
  end: 0,
  load64: 1,
  load32: 2,
  store64: 3,
  store32: 4,
  add: 5,
  and: 6,
  less: 7,
  copy: 8,
  subtract: 9,
};
