import { addressOf, ARCH, mapCode, pointer } from "../../ffi/mod.ts";
import type { Room, Slot } from "../plan/step.ts";
import type { Program } from "./program.ts";
import { interpreter } from "./elf.ts";
import { HEADER_SIZE, INSTRUCTION_SIZE, OFFSET } from "./instruction.ts";

const FUNCTION = { parameters: ["pointer"], result: "i64" } as const;

let run: Deno.UnsafeFnPointer<typeof FUNCTION> | undefined;

/** Which call of a program failed, and how. */
export interface Failure {
  step: number;
  call: number;
  /** Positive error number. */
  errno: number;
}

/**
 * Carries out a program in this process, on this thread, in one call.
 *
 * @returns the failure that ended it, if one did
 */
export function runHere(program: Program): Failure | undefined {
  run ??= new Deno.UnsafeFnPointer(pointer(mapCode(interpreter(ARCH).code)), FUNCTION);
  const failed = run.call(pointer(program.base));
  return failed === 0n ? undefined : failureIn(program, program.bytes);
}

/** Where the result of a call is in a program, in bytes from its start. */
export function resultOffset({ slots, tableLength }: Program, slot: Slot): number | undefined {
  const place = slots.get(slot);
  return place && (place.inMemory ? tableLength + place.offset : place.offset);
}

/** What a call of a program that ran here resulted in. */
export function resultOf(program: Program, slot: Slot): number {
  const offset = resultOffset(program, slot);
  if (offset === undefined) throw new Error(`no call of the program results in "${slot.name}"`);
  return Number(view(program.bytes).getBigInt64(offset, true));
}

/**
 * Where a program awaits results of another: in its memory, before that is written out. What the other
 * one is assembled with.
 */
export function awaitedBy({ bytes, imports }: Program): Map<Slot, bigint> {
  const start = addressOf(bytes);
  return new Map(Array.from(imports, ([slot, at]) => [slot, start + BigInt(at)] as const));
}

/** The bytes of a room of a program that ran here. */
export function roomOf(program: Program, room: Room): Uint8Array<ArrayBuffer> {
  const offset = program.rooms.get(room);
  if (offset === undefined) throw new Error(`the program has no room "${room.name}"`);
  return program.bytes.subarray(offset, offset + room.size);
}

/**
 * The failure that a program's table tells of.
 *
 * @param table the program's own memory, or what a stage reported
 */
export function failureIn(program: Program, table: Uint8Array): Failure | undefined {
  const failed = view(table).getBigUint64(8, true);
  if (failed === 0n) return undefined;
  const index = (Number(failed - program.base) - HEADER_SIZE) / INSTRUCTION_SIZE;
  const origin = program.origins[index];
  if (!origin) throw new Error(`a report names instruction ${index}, which the program has not`);
  const errno = -Number(view(table).getBigInt64(16, true));
  return { step: origin.step, call: origin.call, errno };
}

/** Result of each call of a table that was carried out, by instruction. */
export function resultsIn(program: Program, table: Uint8Array): bigint[] {
  const bytes = view(table);
  return program.origins.map((_, index) =>
    bytes.getBigInt64(HEADER_SIZE + index * INSTRUCTION_SIZE + OFFSET.result, true)
  );
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A call that was carried out, in the order of time. */
export interface TimedCall {
  step: number;
  call: number;
  result: bigint;
  /** Until the next call began; of the last one, 0. */
  microseconds: number;
}

/** The calls of a traced program, with what each took; loops show their last turn. */
export function timesIn(program: Program, memory: Uint8Array): TimedCall[] {
  const bytes = view(memory);
  const calls: (TimedCall & { at: number })[] = [];
  for (const [index, offset] of program.times) {
    const at = Number(bytes.getBigUint64(offset, true)) * 1e6 +
      Number(bytes.getBigUint64(offset + 8, true)) / 1e3;
    const origin = program.origins[index];
    if (at === 0 || !origin) continue;
    const result = bytes.getBigInt64(
      HEADER_SIZE + index * INSTRUCTION_SIZE + OFFSET.result,
      true,
    );
    calls.push({ step: origin.step, call: origin.call, result, microseconds: 0, at });
  }
  calls.sort((a, b) => a.at - b.at);
  for (const [index, call] of calls.entries()) {
    const next = calls[index + 1];
    if (next) call.microseconds = next.at - call.at;
  }
  return calls.map(({ at: _, ...call }) => call);
}
