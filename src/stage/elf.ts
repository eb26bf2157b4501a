import { ARCH, type Architecture } from "../../ffi/mod.ts";
import { PROGRAM_ADDRESS } from "./instruction.ts";
import { ELF_ENTRY_AARCH64, INTERPRETER_AARCH64 } from "./interpreter_aarch64.ts";
import { ELF_ENTRY_X86_64, INTERPRETER_X86_64 } from "./interpreter_x86_64.ts";
import type { Program } from "./program.ts";

const CODE_ADDRESS = 0x40_0000n;
const FILE_HEADER_SIZE = 64;
const SEGMENT_HEADER_SIZE = 56;
const SEGMENTS = 3;
const MACHINES = { x86_64: 62, aarch64: 183 };
const PT_LOAD = 1;
const PT_GNU_STACK = 0x6474_e551;
const PF_X = 1, PF_W = 2, PF_R = 4;

/** An executable: its head, and the program behind it. Read when the steps are carried out. */
export interface Executable {
  head: Uint8Array;
  program: Uint8Array;
  programOffset: number;
}

/** The executable that carries out a program on this machine. */
export function executableOf({ bytes }: Program): Executable {
  return { ...elfHead(ARCH, bytes.length), program: bytes };
}

/** The interpreter of an architecture, and the byte at which an executable enters it. */
export function interpreter(arch: Architecture): { code: Uint8Array<ArrayBuffer>; entry: number } {
  return arch === "x86_64"
    ? { code: INTERPRETER_X86_64, entry: ELF_ENTRY_X86_64 }
    : { code: INTERPRETER_AARCH64, entry: ELF_ENTRY_AARCH64 };
}

/**
 * The head of a static executable that carries out a program: written at byte 0 of a file in which
 * the program itself lies at `programOffset`.
 *
 * Three segments: the headers with the interpreter (readable, executable), the program (readable,
 * writable, at PROGRAM_ADDRESS), and a stack that is not executable. Nothing is both writable and
 * executable; elf(5).
 *
 * @param programLength bytes
 */
export function elfHead(
  arch: Architecture,
  programLength: number,
): { head: Uint8Array<ArrayBuffer>; programOffset: number } {
  const { code, entry } = interpreter(arch);
  const codeOffset = FILE_HEADER_SIZE + SEGMENTS * SEGMENT_HEADER_SIZE;
  const head = new Uint8Array(codeOffset + code.length);
  const programOffset = arch === "x86_64" ? 4096 : 65_536; // The largest page each may have.
  const view = new DataView(head.buffer);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // ELF, 64 bits, little-endian, version 1.
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, MACHINES[arch], true);
  view.setUint32(20, 1, true); // EV_CURRENT
  view.setBigUint64(24, CODE_ADDRESS + BigInt(codeOffset + entry), true);
  view.setBigUint64(32, BigInt(FILE_HEADER_SIZE), true);
  view.setUint16(52, FILE_HEADER_SIZE, true);
  view.setUint16(54, SEGMENT_HEADER_SIZE, true);
  view.setUint16(56, SEGMENTS, true);
  segment(view, 0, PT_LOAD, PF_R | PF_X, 0, CODE_ADDRESS, head.length, programOffset);
  segment(
    view,
    1,
    PT_LOAD,
    PF_R | PF_W,
    programOffset,
    PROGRAM_ADDRESS,
    programLength,
    programOffset,
  );
  segment(view, 2, PT_GNU_STACK, PF_R | PF_W, 0, 0n, 0, 16);
  head.set(code, codeOffset);
  return { head, programOffset };
}

function segment(
  view: DataView,
  index: number,
  type: number,
  flags: number,
  offset: number,
  address: bigint,
  size: number,
  align: number,
): void {
  const at = FILE_HEADER_SIZE + index * SEGMENT_HEADER_SIZE;
  view.setUint32(at, type, true);
  view.setUint32(at + 4, flags, true);
  view.setBigUint64(at + 8, BigInt(offset), true);
  view.setBigUint64(at + 16, address, true);
  view.setBigUint64(at + 24, address, true);
  view.setBigUint64(at + 32, BigInt(size), true);
  view.setBigUint64(at + 40, BigInt(size), true);
  view.setBigUint64(at + 48, BigInt(align), true);
}
