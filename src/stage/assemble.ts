import { addressOf } from "../../ffi/mod.ts";
import { type SyscallName, SYSCALLS } from "../../ffi/syscalls.ts";
import type { Call, On, OperationName, Slot, Step, Struct } from "../plan/step.ts";
import { OFFSET, OPERATION, OPERATIONS } from "./instruction.ts";
import { type Operand, Operands } from "./operands.ts";
import { Labels, type Target, wanted } from "./label.ts";
import type { AssembleOptions, Origin, Program } from "./program.ts";
import { Table } from "./table.ts";

/**
 * Turns steps into a program: a table of instructions and the memory that they refer to.
 *
 * A call becomes one instruction. Beside it come stores of earlier results into its structs, stores
 * of its result to where it is awaited, and tests for a second expected error.
 *
 * This lies on the way of every start, and is interpreted: it goes through the steps once, with
 * plain loops, and neither iterators nor a string for each label take part in it.
 */
export function assemble(steps: Step[], options: AssembleOptions): Program {
  return new Assembler(steps, options).program;
}

const CLOCK_MONOTONIC = 1;

/** Tests of one instruction's result after its own: what is wanted, and where to go on then. */
interface FurtherTests {
  offset: number;
  step: number;
  tests: { want: number; target: Target }[];
  otherwise: Target;
}

class Assembler {
  readonly program: Program;
  readonly #arch: 0 | 1;
  readonly #operands: Operands;
  readonly #labels = new Labels();
  readonly #table = new Table();
  readonly #origins: Origin[] = [];
  /** Calls of the step in hand with more than one condition. */
  readonly #manifold: [offset: number, on: On[]][] = [];
  readonly #further: FurtherTests[] = [];
  readonly #times = new Map<number, number>();

  constructor(steps: Step[], readonly options: AssembleOptions) {
    const { handler = [] } = options;
    this.#arch = options.arch === "x86_64" ? 0 : 1;
    this.#operands = new Operands(options.base === "here");
    const all = handler.length === 0 ? steps : [...steps, ...handler];
    for (let index = 0; index < all.length; index++) {
      if (index === steps.length) this.#endAll(index);
      const { calls } = all[index] as Step;
      for (let at = 0; at < calls.length; at++) this.#call(index, at, calls[at] as Call);
      this.#endStep(index);
    }
    if (handler.length === 0) {
      this.#endAll(steps.length);
      this.#emit(OPERATION + OPERATIONS.end, [1], -1, 0, false);
    }
    this.#testFurther();
    this.program = this.#finish(all);
  }

  /** Where a program that runs in this process returns 0, and where it goes on after a failure. */
  #endAll(step: number): void {
    this.#emit(OPERATION + OPERATIONS.end, [0], step, 0, false);
    this.#labels.name("failed", this.#table.count);
  }

  #call(step: number, at: number, call: Call): void {
    const { args, id, on, to } = call;
    if (id !== undefined) this.#labels.name(id, this.#table.count);
    const time = this.options.trace ? this.#operands.memory.take(16) : 0;
    if (time > 0) {
      const into: Operand[] = [CLOCK_MONOTONIC, { kind: "memory", offset: time }];
      this.#emit(this.#number("clock_gettime"), into, step, at, false);
    }
    for (let index = 0; index < args.length; index++) {
      const arg = args[index] as Operand;
      if (typeof arg === "object" && "kind" in arg && arg.kind === "struct") {
        this.#storeFields(arg, step, at);
      }
    }
    if (time > 0) this.#times.set(this.#table.count, time);
    const offset = this.#emit(this.#number(call.name), args, step, at, true);
    if (on) this.#branches(offset, call.name, on);
    if (to) this.#store(to, offset + OFFSET.result, step, at);
  }

  /** Says where a result is found, and stores it where it is looked for already. */
  #store(slot: Slot, offset: number, step: number, at: number): void {
    const result: Operand = { kind: "result", offset };
    const known = this.#operands.slots.get(slot);
    if (known) {
      const cell: Operand = { kind: known.inMemory ? "memory" : "table", offset: known.offset };
      this.#emit(OPERATION + OPERATIONS.store64, [cell, result], step, at, false);
    } else {
      this.#operands.slots.set(slot, { offset, inMemory: false });
    }
    const awaited = this.options.exports?.get(slot);
    if (awaited !== undefined) {
      this.#emit(OPERATION + OPERATIONS.store64, [awaited, result], step, at, false);
    }
  }

  /** The results of earlier calls that a struct holds are stored into it before the call. */
  #storeFields(struct: Struct, step: number, at: number): void {
    const { fields } = struct;
    let offset = 0;
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index] as Struct["fields"][number];
      const value = field[2];
      if (typeof value === "object" && "kind" in value) {
        if (value.kind === "struct") this.#storeFields(value, step, at);
        if (value.kind === "slot") {
          const place: Operand = { kind: "memory", offset: this.#operands.struct(struct) + offset };
          const operation = field[1] === 8 ? OPERATIONS.store64 : OPERATIONS.store32;
          this.#emit(OPERATION + operation, [place, value], step, at, false);
        }
      }
      offset += field[1];
    }
  }

  #number(name: SyscallName | OperationName): number {
    const numbers = SYSCALLS[name as SyscallName];
    return numbers === undefined
      ? OPERATION + OPERATIONS[name as OperationName]
      : numbers[this.#arch];
  }

  /** Appends an instruction; returns its offset. */
  #emit(number: number, args: readonly Operand[], step: number, call: number, main: boolean) {
    const offset = this.#table.add(number);
    let indirect = 0;
    for (let index = 0; index < args.length; index++) {
      const arg = args[index] as Operand;
      const at = offset + OFFSET.argument + 8 * index;
      if (typeof arg === "number") {
        if (arg !== 0) this.#table.put(at, arg);
      } else if (this.#operand(at, arg)) indirect |= 1 << index;
    }
    if (indirect > 0) this.#table.indirect(offset, indirect);
    this.#origins.push({ step, call, main });
    return offset;
  }

  /** The first condition is the instruction's own; further ones are tested after a failure. */
  #branches(offset: number, name: string, on: On[]): void {
    let conditions = 0;
    for (let index = 0; index < on.length; index++) {
      const condition = on[index] as On;
      if (condition.errno === "any") this.#labels.jump(offset + OFFSET.fail, condition.goto);
      else if (conditions > 0 && condition.errno === undefined) {
        throw new Error(`only the first condition of "${name}" can be a value`);
      } else if (conditions++ === 0) {
        this.#table.want(offset, wanted(condition));
        this.#labels.jump(offset + OFFSET.match, condition.goto);
      }
    }
    if (conditions > 1) this.#manifold.push([offset, on]);
  }

  /** From here on, the labels that begin with a dot are others. */
  #endStep(step: number): void {
    for (let each = this.#manifold.pop(); each; each = this.#manifold.pop()) {
      const [offset, on] = each;
      const tests = on.filter(({ errno }) => errno !== "any").slice(1)
        .map((one) => ({
          want: wanted(one),
          target: this.#labels.target(one.goto, this.#table.count),
        }));
      const any = on.find(({ errno }) => errno === "any");
      const otherwise = this.#labels.target(any?.goto ?? "failed", this.#table.count);
      this.#further.push({ offset, step, tests, otherwise });
    }
    this.#labels.endStep(this.#table.count);
  }

  #testFurther(): void {
    for (const { offset, step, tests, otherwise } of this.#further) {
      this.#labels.jumpTo(offset + OFFSET.fail, this.#table.count);
      for (const { want, target } of tests) {
        this.#test([{ kind: "table", offset: 16 }], want, target, step);
      }
      this.#test([], 0, otherwise, step);
    }
  }

  /** Goes on elsewhere if the 8 bytes at an address are as wanted; without an address always. */
  #test(args: Operand[], want: number, target: Target, step: number): void {
    const operation = args.length > 0 ? OPERATIONS.load64 : OPERATIONS.add;
    const offset = this.#emit(OPERATION + operation, args, step, 0, false);
    this.#table.want(offset, want);
    this.#labels.jumpTo(offset + OFFSET.match, target);
  }

  /** Writes an operand; returns whether it is the address of the value and not the value. */
  #operand(at: number, value: Exclude<Operand, number>): boolean {
    if (typeof value === "string") {
      this.#table.address(at, this.#operands.memory.text(value), true);
      return false;
    }
    if (typeof value === "bigint") {
      this.#table.putWide(at, value);
      return false;
    }
    if (!("kind" in value)) {
      if (this.#operands.here) {
        this.#operands.held.push(value);
        this.#table.put(at, Number(addressOf(value as Uint8Array<ArrayBuffer>)));
      } else this.#table.address(at, this.#operands.lying(value), true);
      return false;
    }
    switch (value.kind) {
      case "flags":
        this.#table.put(at, value.value);
        return false;
      case "slot": {
        const { offset, inMemory } = this.#operands.slot(value);
        this.#table.address(at, offset, inMemory);
        return true;
      }
      case "table":
      case "result":
        this.#table.address(at, value.offset, false);
        return value.kind === "result";
      case "self":
        if (value.what === "address") this.#table.address(at, 0, false);
        else this.#operands.lengths.push([at, false, value.what, 8]);
        return false;
      default:
        this.#table.address(at, this.#operands.lying(value), true);
        return false;
    }
  }

  #finish(steps: Step[]): Program {
    const { memory, lengths } = this.#operands;
    memory.encodeTexts();
    const tableLength = this.#table.length;
    const length = tableLength + memory.length;
    for (const [at, inMemory, what, bytes] of lengths) {
      const value = what === "length" ? length : tableLength;
      if (inMemory) memory.number(at, value, bytes);
      else this.#table.put(at, value);
    }
    const bytes = new Uint8Array(length);
    const base = this.options.base === "here" ? addressOf(bytes) : this.options.base;
    this.#table.finish(bytes, Number(base), memory, this.#labels);
    memory.finish(bytes, tableLength, Number(base) + tableLength);
    return { bytes, base, tableLength, origins: this.#origins, steps, ...this.#maps(tableLength) };
  }

  #maps(tableLength: number) {
    const behind = <K>(map: Map<K, number>) => {
      for (const [key, offset] of map) map.set(key, tableLength + offset);
      return map;
    };
    return {
      imports: behind(this.#operands.imports),
      rooms: behind(this.#operands.rooms),
      times: behind(this.#times),
      slots: this.#operands.slots,
      held: this.#operands.held,
    };
  }
}
