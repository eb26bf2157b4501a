import type { Architecture } from "../../ffi/mod.ts";
import type { Room, Slot, Step } from "../plan/step.ts";

/** Where an instruction comes from: a call, or what stands beside it (`main` is false). */
export interface Origin {
  step: number;
  call: number;
  main: boolean;
}

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
  /** Where the value of each slot is; `resultOffset` says it from the program's start. */
  slots: ReadonlyMap<Slot, Place>;
  rooms: Map<Room, number>;
  /** Where the `struct timespec` before each main instruction is; empty without `trace`. */
  times: Map<number, number>;
  /** Memory that is used where it lies: reachable as long as the program is. */
  held: Uint8Array[];
}

/** Bytes from the start of the table, or of the memory behind it. */
export interface Place {
  offset: number;
  inMemory: boolean;
}

/** How steps are made into a program. */
export interface AssembleOptions {
  /** Address at which the program will lie; `here` runs it in this process. */
  base: bigint | "here";
  arch: Architecture;
  /** Steps that follow a failure; without them a failure ends the program. */
  handler?: Step[];
  /** Note the time before each call. */
  trace?: boolean;
  /** Slots that another program awaits: the address of their 8 bytes. */
  exports?: Map<Slot, bigint>;
}
