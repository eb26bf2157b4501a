import type { Width } from "./condition.ts";

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
  /** x86-64 alone, where the profile has x32: the calls whose number has bit 30 set. */
  x32?: { other: string; lacks: ReadonlySet<string> };
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
 * those listed. Only their tables are loaded.
 */
export async function abisOf(
  native: NativeArchitecture,
  listed: ReadonlySet<string>,
): Promise<Abi[]> {
  return native === "x86_64" ? await x86(listed) : await arm(listed);
}

async function x86(listed: ReadonlySet<string>): Promise<Abi[]> {
  const { X86_64, X32_OTHER, X32_LACKS } = await import("./syscalls_x86_64.ts");
  const abi: Abi = { audit: 0xc000_003e, width: 64, syscalls: X86_64 };
  if (listed.has("SCMP_ARCH_X32")) {
    abi.x32 = { other: X32_OTHER, lacks: new Set(X32_LACKS.split(" ")) };
  }
  if (!listed.has("SCMP_ARCH_X86")) return [abi];
  const { I386 } = await import("./syscalls_i386.ts");
  return [abi, { audit: 0x4000_0003, width: 32, syscalls: I386, multiplexed: true }];
}

async function arm(listed: ReadonlySet<string>): Promise<Abi[]> {
  const { AARCH64 } = await import("./syscalls_aarch64.ts");
  const abi: Abi = { audit: 0xc000_00b7, width: 64, syscalls: AARCH64 };
  if (!listed.has("SCMP_ARCH_ARM")) return [abi];
  const { ARM } = await import("./syscalls_arm.ts");
  return [abi, { audit: 0x4000_0028, width: 32, syscalls: ARM }];
}

/** Calls `visit` for each call of a table in {@link Abi.syscalls}'s form, in numeric order. */
export function eachSyscall(table: string, visit: (name: string, number: number) => void): void {
  let number = 0;
  for (const word of table.split(" ")) {
    if (word.charCodeAt(0) <= 0x39) number = Number(word); // A digit.
    else visit(word, number++);
  }
}
