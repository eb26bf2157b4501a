import { addressOf } from "../../ffi/mod.ts";
import type { Room, Slot, Strings, Struct, Value } from "../plan/step.ts";
import { Memory } from "./memory.ts";
import type { Place } from "./program.ts";

/** What an instruction can be about: a value of a plan, or what only the assembler makes. */
export type Operand =
  | Value
  /** An address: of an offset in the table, or in the memory behind it. */
  | { kind: "table"; offset: number }
  | { kind: "memory"; offset: number }
  /** The value at an offset in the table. */
  | { kind: "result"; offset: number };

/** What the operands of a program stand for, as far as it lies in the memory behind its table. */
export class Operands {
  readonly memory = new Memory();
  /** Offset of each slot's value: in the table, or in memory. */
  readonly slots = new Map<Slot, Place>();
  readonly imports = new Map<Slot, number>();
  readonly rooms = new Map<Room, number>();
  readonly #structs = new Map<Struct, number>();
  /** Where a length goes that is known only at the end. */
  readonly lengths: [at: number, inMemory: boolean, what: string, bytes: number][] = [];
  /** Memory that is used where it lies. */
  readonly held: Uint8Array[] = [];

  /** @param here whether the program runs in this process, where addresses are as they are */
  constructor(readonly here: boolean) {}

  /** Where a slot's value is found; one that no call here fills is awaited from another program. */
  slot(slot: Slot): Place {
    const known = this.slots.get(slot);
    if (known) return known;
    const awaited = { offset: this.memory.take(8), inMemory: true };
    this.slots.set(slot, awaited);
    this.imports.set(slot, awaited.offset);
    return awaited;
  }

  /** Where in memory lies what an operand stands for. */
  lying(value: Exclude<Operand, number | bigint>): number {
    if (typeof value === "string") return this.memory.text(value);
    if (!("kind" in value)) return this.memory.put(value);
    switch (value.kind) {
      case "memory":
        return value.offset;
      case "room":
        return this.#room(value);
      case "place":
        return this.#room(value.room) + value.offset;
      case "struct":
        return this.struct(value);
      case "strings":
        return this.#strings(value);
      default:
        throw new Error(`an operand of kind "${value.kind}" has no memory`);
    }
  }

  #room(room: Room): number {
    let offset = this.rooms.get(room);
    if (offset === undefined) this.rooms.set(room, offset = this.memory.take(room.size));
    return offset;
  }

  /** Where a struct lies. */
  struct(struct: Struct): number {
    const known = this.#structs.get(struct);
    if (known !== undefined) return known;
    const { fields } = struct;
    let size = 0;
    for (let index = 0; index < fields.length; index++) size += fields[index]?.[1] ?? 0;
    const start = this.memory.take(size);
    this.#structs.set(struct, start);
    let offset = start;
    for (let index = 0; index < fields.length; index++) {
      const [, bytes, value] = fields[index] as Struct["fields"][number];
      this.#field(offset, bytes, value);
      offset += bytes;
    }
    return start;
  }

  #field(offset: number, bytes: number, value: Value): void {
    const { memory } = this;
    if (typeof value === "number" || typeof value === "bigint") memory.number(offset, value, bytes);
    else if (typeof value === "string") memory.address(offset, this.lying(value));
    else if (!("kind" in value)) {
      if (this.here) {
        this.held.push(value);
        memory.number(offset, Number(addressOf(value as Uint8Array<ArrayBuffer>)));
      } else memory.address(offset, this.lying(value));
    } else if (value.kind === "flags") memory.number(offset, value.value, bytes);
    else if (value.kind === "self") this.lengths.push([offset, true, value.what, bytes]);
    else if (value.kind !== "slot") memory.address(offset, this.lying(value));
  }

  #strings({ values }: Strings): number {
    const { memory } = this;
    const start = memory.take(8 * (values.length + 1));
    for (let index = 0; index < values.length; index++) {
      memory.address(start + 8 * index, memory.text(values[index] ?? ""));
    }
    return start;
  }
}
