import { addressOf } from "../../ffi/mod.ts";
import { type SyscallName, SYSCALLS } from "../../ffi/syscalls.ts";
import type { Call, OperationName, Slot, Step, Struct } from "../plan/step.ts";
import { HEADER_SIZE, INSTRUCTION_SIZE, OFFSET, OPERATION, OPERATIONS } from "./instruction.ts";
import { type Operand, Operands } from "./operands.ts";
import { scoped, wanted } from "./label.ts";
import type { AssembleOptions, Origin, Program } from "./program.ts";

/**
 * Turns steps into a program: a table of instructions and the memory that they refer to.
 *
 * A call becomes one instruction. Beside it come stores of earlier results into its structs, stores
 * of its result to where it is awaited, and tests for a second expected error.
 *
 * This lies on the way of every start, and runs before any compiler has warmed up: it goes through
 * the steps once, with plain loops.
 */
export function assemble(steps: Step[], options: AssembleOptions): Program {
  return new Assembler(steps, options).program;
}

const CLOCK_MONOTONIC = 1;
const NO_WANT = 0x8000_0000; // High word of NEVER.

class Assembler {
  readonly program: Program;
  readonly #arch: 0 | 1;
  readonly #operands: Operands;
  #words = new Uint32Array(16_384);
  #count = 0;
  readonly #origins: Origin[] = [];
  /** Offsets in the table that hold an address: of the table, or of the memory behind it. */
  readonly #toTable: number[] = [];
  readonly #toMemory: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: [offset: number, label: string][] = [];
  readonly #tests: [offset: number, Call, step: number][] = [];
  readonly #times = new Map<number, number>();

  constructor(steps: Step[], readonly options: AssembleOptions) {
    const { handler = [] } = options;
    this.#arch = options.arch === "x86_64" ? 0 : 1;
    this.#operands = new Operands(options.base === "here");
    const all = handler.length === 0 ? steps : [...steps, ...handler];
    this.#shareSlots(all);
    for (let index = 0; index < all.length; index++) {
      if (index === steps.length) this.#end(index, 0);
      this.#label(index === steps.length ? "failed" : `${index}`);
      const calls = all[index]?.calls ?? [];
      for (let at = 0; at < calls.length; at++) this.#call(index, at, calls[at] as Call);
    }
    if (handler.length === 0) {
      this.#end(steps.length, 0);
      this.#label("failed");
      this.#end(-1, 1);
    }
    this.#furtherTests();
    this.program = this.#finish(all);
  }

  /** A slot that several calls may fill is 8 bytes of its own, stored after whichever is reached. */
  #shareSlots(steps: Step[]): void {
    const seen = new Set<Slot>();
    for (const { calls } of steps) {
      for (const { to } of calls) {
        if (!to) continue;
        if (!seen.has(to)) seen.add(to);
        else if (!this.#operands.slots.has(to)) {
          this.#operands.slots.set(to, { offset: this.#operands.memory.take(8), inMemory: true });
        }
      }
    }
  }

  #label(name: string): void {
    this.#labels.set(name, this.#count);
  }

  /** Where a program that runs in this process returns: 0, or 1 after a failure. */
  #end(step: number, status: number): void {
    if (step >= 0) this.#label(`${step}`);
    this.#emit(OPERATION + OPERATIONS.end, [status], { step, call: 0, main: false });
  }

  #call(step: number, at: number, call: Call): void {
    const beside = { step, call: at, main: false };
    if (call.id !== undefined) this.#label(scoped(call.id, step));
    const time = this.options.trace ? this.#operands.memory.take(16) : 0;
    if (time > 0) {
      const args: Operand[] = [CLOCK_MONOTONIC, { kind: "memory", offset: time }];
      this.#emit(this.#number("clock_gettime"), args, beside);
    }
    for (const arg of call.args) {
      if (typeof arg === "object" && "kind" in arg && arg.kind === "struct") {
        this.#storeFields(arg, beside);
      }
    }
    const offset = HEADER_SIZE + this.#count * INSTRUCTION_SIZE;
    if (time > 0) this.#times.set(this.#count, time);
    this.#emit(this.#number(call.name), call.args, { step, call: at, main: true });
    if (call.on) this.#branches(offset, call, step);
    if (call.to) this.#store(call.to, offset + OFFSET.result, beside);
  }

  /** Says where a result is found, and stores it where it is awaited. */
  #store(slot: Slot, offset: number, beside: Origin): void {
    const result: Operand = { kind: "result", offset };
    const shared = this.#operands.slots.get(slot);
    if (shared?.inMemory) {
      const cell: Operand = { kind: "memory", offset: shared.offset };
      this.#emit(OPERATION + OPERATIONS.store64, [cell, result], beside);
    } else {
      this.#operands.slots.set(slot, { offset, inMemory: false });
    }
    const awaited = this.options.exports?.get(slot);
    if (awaited !== undefined) {
      this.#emit(OPERATION + OPERATIONS.store64, [awaited, result], beside);
    }
  }

  /** The results of earlier calls that a struct holds are stored into it before the call. */
  #storeFields(struct: Struct, beside: Origin): void {
    let offset = 0;
    for (const [, bytes, value] of struct.fields) {
      if (typeof value === "object" && "kind" in value) {
        if (value.kind === "struct") this.#storeFields(value, beside);
        if (value.kind === "slot") {
          const field: Operand = { kind: "memory", offset: this.#operands.struct(struct) + offset };
          const operation = bytes === 8 ? OPERATIONS.store64 : OPERATIONS.store32;
          this.#emit(OPERATION + operation, [field, value], beside);
        }
      }
      offset += bytes;
    }
  }

  #number(name: SyscallName | OperationName): number {
    const numbers = SYSCALLS[name as SyscallName];
    return numbers === undefined
      ? OPERATION + OPERATIONS[name as OperationName]
      : numbers[this.#arch];
  }

  #emit(number: number, args: readonly Operand[], origin: Origin): void {
    const offset = HEADER_SIZE + this.#count * INSTRUCTION_SIZE;
    if (offset + INSTRUCTION_SIZE > this.#words.length * 4) {
      const grown = new Uint32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    const word = offset >> 2;
    let indirect = 0;
    for (let index = 0; index < args.length; index++) {
      if (this.#operand(offset + OFFSET.argument + 8 * index, args[index] as Operand)) {
        indirect |= 1 << index;
      }
    }
    this.#words[word] = number;
    this.#words[word + 1] = indirect;
    this.#words[(offset + OFFSET.want + 4) >> 2] = NO_WANT;
    this.#origins.push(origin);
    this.#count++;
  }

  /** The first condition is the instruction's own; further ones are tested after a failure. */
  #branches(offset: number, call: Call, step: number): void {
    let conditions = 0;
    for (const on of call.on ?? []) {
      const label = scoped(on.goto === "next" ? `${step + 1}` : on.goto, step);
      if (on.errno === "any") this.#jumps.push([offset + OFFSET.fail, label]);
      else if (conditions > 0 && on.errno === undefined) {
        throw new Error(`only the first condition of "${call.name}" can be a value`);
      } else if (conditions++ === 0) {
        this.#put(offset + OFFSET.want, wanted(on));
        this.#jumps.push([offset + OFFSET.match, label]);
      }
    }
    if (conditions > 1) this.#tests.push([offset, call, step]);
  }

  #furtherTests(): void {
    for (const [offset, call, step] of this.#tests) {
      const label = `test ${offset}`;
      this.#label(label);
      const origin = { step, call: 0, main: false };
      let otherwise = "failed";
      let first = true;
      for (const on of call.on ?? []) {
        const goto = scoped(on.goto === "next" ? `${step + 1}` : on.goto, step);
        if (on.errno === "any") otherwise = goto;
        else if (first) first = false;
        else this.#test([{ kind: "table", offset: 16 }], wanted(on), goto, origin);
      }
      this.#test([], 0, otherwise, origin);
      this.#jumps.push([offset + OFFSET.fail, label]);
    }
  }

  /** Goes to a label if the 8 bytes at an address are as wanted; without an address always. */
  #test(args: Operand[], want: number, label: string, origin: Origin): void {
    const offset = HEADER_SIZE + this.#count * INSTRUCTION_SIZE;
    const operation = args.length > 0 ? OPERATIONS.load64 : OPERATIONS.add;
    this.#emit(OPERATION + operation, args, origin);
    this.#put(offset + OFFSET.want, want);
    this.#jumps.push([offset + OFFSET.match, label]);
  }

  /** Writes a number into 8 bytes of the table. */
  #put(offset: number, value: number): void {
    this.#words[offset >> 2] = value;
    this.#words[(offset >> 2) + 1] = Math.floor(value / 0x1_0000_0000);
  }

  #address(offset: number, target: number, inMemory: boolean): void {
    this.#words[offset >> 2] = target;
    (inMemory ? this.#toMemory : this.#toTable).push(offset);
  }

  /** Writes an operand; returns whether it is the address of the value and not the value. */
  #operand(at: number, value: Operand): boolean {
    if (typeof value === "number") this.#put(at, value);
    else if (typeof value === "bigint") {
      this.#words[at >> 2] = Number(value & 0xffff_ffffn);
      this.#words[(at >> 2) + 1] = Number((value >> 32n) & 0xffff_ffffn);
    } else if (value instanceof Uint8Array && this.#operands.here) {
      this.#operands.held.push(value);
      this.#put(at, Number(addressOf(value as Uint8Array<ArrayBuffer>)));
    } else if (typeof value === "object" && "kind" in value) {
      if (value.kind === "flags") this.#put(at, value.value);
      else if (value.kind === "table") this.#address(at, value.offset, false);
      else if (value.kind === "self" && value.what === "address") this.#address(at, 0, false);
      else if (value.kind === "self") this.#operands.lengths.push([at, false, value.what, 8]);
      else if (value.kind === "result") {
        this.#address(at, value.offset, false);
        return true;
      } else if (value.kind === "slot") {
        const { offset, inMemory } = this.#operands.slot(value);
        this.#address(at, offset, inMemory);
        return true;
      } else this.#address(at, this.#operands.lying(value), true);
    } else this.#address(at, this.#operands.lying(value), true);
    return false;
  }

  #finish(steps: Step[]): Program {
    const memory = this.#operands.memory;
    const tableLength = HEADER_SIZE + this.#count * INSTRUCTION_SIZE;
    const length = tableLength + memory.length;
    for (const [at, inMemory, what, bytes] of this.#operands.lengths) {
      const value = what === "length" ? length : tableLength;
      if (inMemory) memory.number(at, value, bytes);
      else this.#put(at, value);
    }
    const bytes = new Uint8Array(length);
    const words = new Uint32Array(bytes.buffer);
    const base = this.options.base === "here" ? addressOf(bytes) : this.options.base;
    const start = Number(base);
    words.set(this.#words.subarray(0, tableLength >> 2));
    const put = (offset: number, address: number) => {
      words[offset >> 2] = address;
      words[(offset >> 2) + 1] = Math.floor(address / 0x1_0000_0000);
    };
    put(0, start + HEADER_SIZE);
    for (const offset of this.#toTable) put(offset, start + (words[offset >> 2] ?? 0));
    for (const offset of this.#toMemory) {
      put(offset, start + tableLength + (words[offset >> 2] ?? 0));
    }
    const failed = start + this.#target("failed"); // Where nothing else is said.
    for (let at = HEADER_SIZE + OFFSET.fail; at < tableLength; at += INSTRUCTION_SIZE) {
      put(at, failed);
    }
    for (const [offset, label] of this.#jumps) put(offset, start + this.#target(label));
    memory.finish(bytes, tableLength, start + tableLength);
    return { bytes, base, tableLength, origins: this.#origins, steps, ...this.#maps(tableLength) };
  }

  #target(label: string): number {
    const index = this.#labels.get(label);
    if (index === undefined) throw new Error(`no step has the label "${label}"`);
    return HEADER_SIZE + index * INSTRUCTION_SIZE;
  }

  #maps(tableLength: number) {
    const behind = <K>(map: Map<K, number>) => {
      for (const [key, offset] of map) map.set(key, tableLength + offset);
      return map;
    };
    const results = new Map<Slot, number>();
    for (const [slot, { offset, inMemory }] of this.#operands.slots) {
      results.set(slot, inMemory ? tableLength + offset : offset);
    }
    return {
      imports: behind(this.#operands.imports),
      rooms: behind(this.#operands.rooms),
      times: behind(this.#times),
      results,
      held: this.#operands.held,
    };
  }
}
