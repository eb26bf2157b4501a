import type { Width } from "./condition.ts";
import { AARCH64 } from "./syscalls_aarch64.ts";
import { ARM } from "./syscalls_arm.ts";
import { I386 } from "./syscalls_i386.ts";
import { X32, X86_64 } from "./syscalls_x86_64.ts";

/** The architectures that filters can be compiled for, in the words of `Deno.build.arch`. */
export type NativeArchitecture = "x86_64" | "aarch64";

/** One way to call the kernel that a filter tells apart. */
export interface Abi {
  /** seccomp_data.arch: AUDIT_ARCH_* of `include/uapi/linux/audit.h`. */
  audit: number;
  width: Width;
  /** Names in the order of their numbers; a number where they do not go on by one. */
  syscalls: string;
  /** i386 alone: calls that also go through socketcall(2) and ipc(2). */
  multiplexed?: true;
  /** x86-64 alone: the table of the calls whose number has bit 30 set, "" if they are not listed. */
  x32?: string;
}

/** What config-linux.md#seccomp can name, and libseccomp knows; most never call a kernel of ours. */
const KNOWN = "X86 X86_64 X32 ARM AARCH64 LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 " +
  "MIPSEL64N32 PPC PPC64 PPC64LE S390 S390X PARISC PARISC64 RISCV64 SH SHEB";

/** The names of the architectures that a profile may list. */
export function isKnownArchitecture(name: string): boolean {
  return name.startsWith("SCMP_ARCH_") && KNOWN.split(" ").includes(name.slice(10));
}

/**
 * The ABIs of a kernel that a filter has rules for: the native one first, always, and of its others
 * those listed; where none is, the native one alone, as libseccomp has it.
 */
export function abisOf(native: NativeArchitecture, listed: ReadonlySet<string>): Abi[] {
  if (native === "x86_64") {
    const x32 = listed.has("SCMP_ARCH_X32") ? X32 : "";
    const abi: Abi = { audit: 0xc000_003e, width: 64, syscalls: X86_64, x32 };
    const i386: Abi = { audit: 0x4000_0003, width: 32, syscalls: I386, multiplexed: true };
    return listed.has("SCMP_ARCH_X86") ? [abi, i386] : [abi];
  }
  const abi: Abi = { audit: 0xc000_00b7, width: 64, syscalls: AARCH64 };
  const arm: Abi = { audit: 0x4000_0028, width: 32, syscalls: ARM };
  return listed.has("SCMP_ARCH_ARM") ? [abi, arm] : [abi];
}

/** Calls `visit` for each call of a table in {@link Abi.syscalls}'s form, in numeric order. */
export function eachSyscall(table: string, visit: (name: string, number: number) => void): void {
  let number = 0;
  for (const word of table.split(" ")) {
    if (isNumber(word)) number = Number(word);
    else visit(word, number++);
  }
}

/** Whether a word of a table is where the next one belongs; no call's name starts with a digit. */
export function isNumber(word: string): boolean {
  return word.charCodeAt(0) <= 0x39;
}
