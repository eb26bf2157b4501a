import { addressOf, type Architecture, cString, syscallNumber } from "../../ffi/mod.ts";
import type { Room, Slot, Step, Strings, Struct } from "../plan/step.ts";
import { flatten, type Instruction, isKind, type Operand, type Origin } from "./flatten.ts";
import {
  HEADER_SIZE,
  INSTRUCTION_SIZE,
  NEVER,
  OFFSET,
  OPERATION,
  OPERATIONS,
} from "./instruction.ts";
import { Memory } from "./memory.ts";

/** A program in memory; offsets are bytes from its start. */
export interface Program {
  bytes: Uint8Array<ArrayBuffer>;
  /** The address that the offsets are relative to. */
  base: bigint;
  /** Bytes of the header and the instructions: what a stage reports when it fails. */
  tableLength: number;
  /** By instruction. */
  origins: Origin[];
  /** The steps, and after them those of the handler. */
  steps: Step[];
  /** Where the results of another program are awaited: 8 bytes each. */
  imports: Map<Slot, number>;
  results: Map<Slot, number>;
  rooms: Map<Room, number>;
  /** Where the `struct timespec` before a call is, by "step.call"; with `trace` only. */
  times: Map<string, number>;
  /** Memory that is used where it lies: reachable as long as the program is. */
  held: Uint8Array[];
}

export interface AssembleOptions {
  /** Address at which the program will lie; `here` runs it in this process. */
  base: bigint | "here";
  arch: Architecture;
  handler?: Step[];
  trace?: boolean;
  exports?: Map<Slot, bigint>;
}

/** What is known while operands are given their addresses. */
interface Layout {
  memory: Memory;
  program: Omit<Program, "bytes" | "base">;
  structs: Map<Struct, number>;
  /** Where the whole length goes, which is known last, and in how many bytes. */
  lengths: [offset: number, bytes: number][];
  here: boolean;
}

/** Turns steps into a program: a table of instructions and the memory that they refer to. */
export function assemble(steps: Step[], options: AssembleOptions): Program {
  const { handler = [], trace = false, exports = new Map() } = options;
  const { instructions, labels, shared } = flatten(steps, { handler, trace, exports });
  const tableLength = HEADER_SIZE + instructions.length * INSTRUCTION_SIZE;
  const layout: Layout = {
    memory: new Memory(),
    program: {
      tableLength,
      origins: instructions.map(({ origin }) => origin),
      steps: [...steps, ...handler],
      imports: new Map(),
      results: new Map(),
      rooms: new Map(),
      times: new Map(),
      held: [],
    },
    structs: new Map(),
    lengths: [],
    here: options.base === "here",
  };
  layout.memory.take(tableLength);
  layout.memory.address(0, HEADER_SIZE);
  for (const slot of shared) layout.program.results.set(slot, layout.memory.take(8));
  for (const [index, { to }] of instructions.entries()) {
    if (to) layout.program.results.set(to, offsetOf(index) + OFFSET.result);
  }
  for (const [index, instruction] of instructions.entries()) {
    emit(layout, offsetOf(index), instruction, labels, options.arch);
  }
  for (const [at, bytes] of layout.lengths) layout.memory.number(at, layout.memory.length, bytes);
  return { ...layout.program, ...layout.memory.finish(options.base) };
}

function offsetOf(instruction: number): number {
  return HEADER_SIZE + instruction * INSTRUCTION_SIZE;
}

function emit(
  layout: Layout,
  at: number,
  { name, args, want, match, fail }: Instruction,
  labels: Map<string, number>,
  arch: Architecture,
): void {
  const { memory } = layout;
  const target = (label: string) => {
    const index = labels.get(label);
    if (index === undefined) throw new Error(`no step has the label "${label}"`);
    return offsetOf(index);
  };
  const operation = OPERATIONS[name as keyof typeof OPERATIONS];
  const number = operation === undefined
    ? syscallNumber(name as Parameters<typeof syscallNumber>[0], arch)
    : OPERATION + operation;
  memory.number(at, number, 4);
  let indirect = 0;
  for (const [index, arg] of args.entries()) {
    if (isKind(arg, "slot") || isKind(arg, "result")) indirect |= 1 << index;
    operand(layout, at + OFFSET.argument + 8 * index, arg);
  }
  memory.number(at + OFFSET.indirect, indirect, 4);
  memory.number(at + OFFSET.want, want ?? NEVER);
  memory.address(at + OFFSET.match, match === undefined ? 0 : target(match));
  memory.address(at + OFFSET.fail, target(fail ?? "failed"));
}

/** Writes one operand: a number, or the 8 bytes of the address of what it stands for. */
function operand(layout: Layout, at: number, value: Operand, bytes = 8): void {
  const { memory, program } = layout;
  if (typeof value === "number" || typeof value === "bigint") return memory.number(at, value);
  if (typeof value === "string") return memory.address(at, memory.text(value, cString));
  if (value instanceof Uint8Array) {
    if (!layout.here) return memory.address(at, memory.put(value));
    program.held.push(value);
    return memory.number(at, addressOf(value as Uint8Array<ArrayBuffer>));
  }
  switch (value.kind) {
    case "flags":
      return memory.number(at, value.value);
    case "slot":
      return memory.address(at, slotOffset(layout, value));
    case "cell":
      return memory.address(at, slotOffset(layout, value.slot));
    case "result":
      return memory.address(at, offsetOf(value.of) + OFFSET.result);
    case "room":
      return memory.address(at, roomOffset(layout, value));
    case "place":
      return memory.address(at, roomOffset(layout, value.room) + value.offset);
    case "struct":
      return memory.address(at, structOffset(layout, value));
    case "field":
      return memory.address(at, structOffset(layout, value.struct) + value.offset);
    case "strings":
      return memory.address(at, stringsOffset(layout, value));
    case "failure":
      return memory.address(at, 16);
    case "time":
      return memory.address(at, timeOffset(layout, value.key));
    case "self":
      if (value.what === "address") return memory.address(at, 0);
      if (value.what === "tableLength") return memory.number(at, program.tableLength, bytes);
      layout.lengths.push([at, bytes]);
      return;
  }
}

function slotOffset({ memory, program }: Layout, slot: Slot): number {
  const known = program.results.get(slot) ?? program.imports.get(slot);
  if (known !== undefined) return known;
  const offset = memory.take(8);
  program.imports.set(slot, offset);
  return offset;
}

function roomOffset({ memory, program }: Layout, room: Room): number {
  let offset = program.rooms.get(room);
  if (offset === undefined) program.rooms.set(room, offset = memory.take(room.size));
  return offset;
}

function timeOffset({ memory, program }: Layout, key: string): number {
  const offset = memory.take(16);
  program.times.set(key, offset);
  return offset;
}

function structOffset(layout: Layout, struct: Struct): number {
  const known = layout.structs.get(struct);
  if (known !== undefined) return known;
  const { memory } = layout;
  const start = memory.take(struct.fields.reduce((sum, [, bytes]) => sum + bytes, 0));
  layout.structs.set(struct, start);
  let offset = start;
  for (const [, bytes, value] of struct.fields) {
    if (typeof value === "number" || typeof value === "bigint") memory.number(offset, value, bytes);
    else if (isKind(value, "flags")) memory.number(offset, value.value, bytes);
    else if (!isKind(value, "slot")) operand(layout, offset, value, bytes);
    offset += bytes;
  }
  return start;
}

function stringsOffset({ memory }: Layout, { values }: Strings): number {
  const start = memory.take(8 * (values.length + 1));
  for (const [index, value] of values.entries()) {
    memory.address(start + 8 * index, memory.text(value, cString));
  }
  return start;
}
