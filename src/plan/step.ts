/**
 * The vocabulary of a plan: labelled steps, each a few system calls, as data.
 *
 * A mechanism (mounts.ts, capabilities.ts, …) is a pure function that returns steps. Nothing here
 * calls the kernel: `stage/assemble.ts` turns steps into a program, `explain.ts` into text.
 */
import type { ERRNO } from "../../ffi/errno.ts";
import type { SyscallName } from "../../ffi/syscalls.ts";

/**
 * What a step can do other than a system call; each results in what is said here.
 *
 * - `end`: leaves a program that runs in this process
 * - `load64`, `load32`: the 8 or 4 bytes at address 0, zero-extended
 * - `store64`, `store32`: stores argument 1 in the 8 or 4 bytes at address 0
 * - `add`, `and`, `subtract`: of two arguments; `less`: 1 if argument 0 is below argument 1, unsigned, else 0
 * - `copy`: copies argument 2 bytes to address 0 from address 1
 */
export type OperationName =
  | "end"
  | "load64"
  | "load32"
  | "store64"
  | "store32"
  | "add"
  | "and"
  | "less"
  | "copy"
  | "subtract";

/** What a call returned, as an argument of later calls. Known by identity; the name is for people. */
export interface Slot {
  kind: "slot";
  name: string;
}

/** A number with the header's names for it: `O_PATH|O_CLOEXEC`. */
export interface Flags {
  kind: "flags";
  value: number;
  named: Record<string, number>;
}

/** Memory that the kernel fills, or that several calls share. Known by identity. */
export interface Room {
  kind: "room";
  name: string;
  /** Bytes. */
  size: number;
}

/** An address inside a room. */
export interface Place {
  kind: "place";
  room: Room;
  /** Bytes from its start. */
  offset: number;
}

/** A C struct built for one call: its fields in order, without padding other than what is named. */
export interface Struct {
  kind: "struct";
  name: string;
  fields: [name: string, bytes: 1 | 2 | 4 | 8, value: Value][];
}

/** `char *[]` ending in NULL: argv or envp. */
export interface Strings {
  kind: "strings";
  values: string[];
}

/** The program's own memory, its length in bytes, and that of its table alone: for reports. */
export interface Self {
  kind: "self";
  what: "address" | "length" | "tableLength";
}

/** The name of an error that a plan may expect. */
export type ExpectedErrno = keyof typeof ERRNO;

/** An argument of a call. Text and bytes stand for their address. */
export type Value =
  | number
  | bigint
  | string
  | Uint8Array
  | Slot
  | Flags
  | Room
  | Place
  | Struct
  | Strings
  | Self;

/**
 * Where to go on when a call returned this error or value: `next` is the next step, a label that
 * begins with a dot is looked for in this step, any other in the whole program.
 */
export interface On {
  /** `any` for every error. */
  errno?: ExpectedErrno | "any";
  value?: number;
  goto: string;
}

/** One system call, or an operation on memory. */
export interface Call {
  name: SyscallName | OperationName;
  args: Value[];
  to?: Slot;
  on?: On[];
  /** A place to go to. */
  id?: string;
}

/** Some calls that do one thing, in words that an administrator understands. */
export interface Step {
  label: string;
  calls: Call[];
  /** What is usually the cause of an error and what to do, by its header name. */
  hints?: Record<string, string>;
  /** Whether a failure is the command's: 126 or 127, as a shell has it, and not 125. */
  ofCommand?: true;
}

/** A new slot. */
export function slot(name: string): Slot {
  return { kind: "slot", name };
}

/** A new room of some bytes. */
export function room(name: string, size: number): Room {
  return { kind: "room", name, size };
}

/** The address of a byte of a room. */
export function place(room: Room, offset: number): Place {
  return { kind: "place", room, offset };
}

/** A C struct for one call. */
export function struct(name: string, fields: Struct["fields"]): Struct {
  return { kind: "struct", name, fields };
}

/** argv or envp. */
export function strings(values: string[]): Strings {
  return { kind: "strings", values };
}

/** Flags of different bits that keep their names: `flags({ O_PATH, O_CLOEXEC })`. */
export function flags(named: Record<string, number>): Flags {
  let value = 0;
  for (const name in named) value += named[name] ?? 0;
  return { kind: "flags", value, named };
}

/** Permissions, which people read in octal. */
export function mode(permissions: number): Flags {
  return flags({ [`0${permissions.toString(8)}`]: permissions });
}

/**
 * One call; `more` says where the result goes and what to do about errors that are expected. Arguments
 * that are left out are 0.
 */
export function call(
  name: Call["name"],
  args: Value[],
  more?: { to?: Slot; on?: On[]; id?: string },
): Call {
  return more ? { name, args, ...more } : { name, args };
}

/** One step. */
export function step(label: string, calls: Call[], hints?: Step["hints"]): Step {
  return hints ? { label, calls, hints } : { label, calls };
}

/** A step whose failure means that the command cannot be invoked. */
export function ofCommand(step: Step): Step {
  return { ...step, ofCommand: true };
}

/** On this error, go on with the next step. */
export function ignore(...errnos: ExpectedErrno[]): On[] {
  return errnos.map((errno) => ({ errno, goto: "next" }));
}
