import { SyscallError } from "./errno.ts";
import { THUNK_AARCH64, THUNK_X86_64 } from "./thunk.ts";
import { type Architecture, type SyscallName, syscallNumber } from "./syscalls.ts";

/** An argument of a system call: a number, or memory (text gets its NUL) whose address is passed. */
export type Argument = number | bigint | string | Uint8Array;

const PROT_READ_WRITE = 0x3;
const PROT_READ_EXEC = 0x5;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const PAGE = 65_536; // Bytes; the largest page of either architecture.

const ARGUMENTS = ["u64", "u64", "u64", "u64", "u64", "u64", "u64"] as const;
const encoder = new TextEncoder();

let libc: ReturnType<typeof openLibc> | undefined;
let thunk: Deno.UnsafeFnPointer<{ parameters: typeof ARGUMENTS; result: "i64" }> | undefined;
let waiting:
  | Deno.UnsafeFnPointer<{ parameters: typeof ARGUMENTS; result: "i64"; nonblocking: true }>
  | undefined;

/** The architecture that this process runs on. */
export const ARCH: Architecture = Deno.build.arch;

/** `long syscall(long number, ...)`, and `void *memcpy(void *dest, const void *src, size_t n)`. */
function openLibc() {
  return Deno.dlopen("libc.so.6", {
    syscall: { parameters: ARGUMENTS, result: "i64" },
    memcpy: { parameters: ["u64", "buffer", "usize"], result: "void" },
  });
}

/**
 * Puts machine code where it can be executed: mapped writable, filled, then made executable, so that
 * no page is ever both; mmap(2), mprotect(2).
 *
 * @returns the code's address
 */
export function mapCode(code: Uint8Array<ArrayBuffer>): bigint {
  libc ??= openLibc();
  const { syscall, memcpy } = libc.symbols;
  const address = syscall(
    syscallNumber("mmap", ARCH),
    0,
    PAGE,
    PROT_READ_WRITE,
    MAP_PRIVATE_ANONYMOUS,
    -1n & 0xffff_ffff_ffff_ffffn,
    0,
  );
  if (address === -1n) throw new Error("cannot map memory for machine code");
  memcpy(address, code, BigInt(code.length));
  if (syscall(syscallNumber("mprotect", ARCH), address, PAGE, PROT_READ_EXEC, 0, 0, 0) !== 0n) {
    throw new Error(
      "cannot make memory executable: the kernel or a security module forbids it (SELinux: execmem)",
    );
  }
  return address;
}

/** A pointer object for an address, as the FFI wants it. */
export function pointer(address: bigint): Deno.PointerObject {
  const made = Deno.UnsafePointer.create(address);
  if (made === null) throw new Error("null pointer");
  return made;
}

/** The address of a buffer's first byte: valid as long as the buffer is reachable. */
export function addressOf(memory: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory));
}

/** Text as a C string: UTF-8 with a NUL at its end. Refuses a NUL inside. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new Error(`cannot pass ${JSON.stringify(text)}: it has a NUL`);
  return encoder.encode(text + "\0");
}

/** Numbers stay; memory becomes its address, and is kept in `held` until the call is over. */
function raw(args: Argument[], held: Uint8Array[]): (number | bigint)[] {
  return args.map((arg) => {
    if (typeof arg === "number") return arg < 0 ? BigInt.asUintN(64, BigInt(arg)) : arg;
    if (typeof arg === "bigint") return BigInt.asUintN(64, arg);
    const memory = typeof arg === "string" ? cString(arg) : arg as Uint8Array<ArrayBuffer>;
    held.push(memory);
    return addressOf(memory);
  });
}

/**
 * Makes one system call on this thread.
 *
 * @returns what the kernel returned: a result, or a negative error number
 */
export function trySyscall(name: SyscallName, ...args: Argument[]): number {
  thunk ??= new Deno.UnsafeFnPointer(thunkPointer(), { parameters: ARGUMENTS, result: "i64" });
  const held: Uint8Array[] = [];
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = raw(args, held);
  return Number(thunk.call(syscallNumber(name, ARCH), a, b, c, d, e, f));
}

/**
 * Makes one system call on this thread.
 *
 * @throws {SyscallError} when the kernel refuses
 */
export function syscall(name: SyscallName, ...args: Argument[]): number {
  const result = trySyscall(name, ...args);
  if (result < 0 && result >= -4095) throw new SyscallError(name, -result);
  return result;
}

/**
 * Makes one system call that may wait, on a thread of its own, so that signals and timers go on.
 *
 * @returns a result, or a negative error number
 */
export async function waitSyscall(name: SyscallName, ...args: Argument[]): Promise<number> {
  waiting ??= new Deno.UnsafeFnPointer(thunkPointer(), {
    parameters: ARGUMENTS,
    result: "i64",
    nonblocking: true,
  });
  const held: Uint8Array[] = [];
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = raw(args, held);
  const result = await waiting.call(syscallNumber(name, ARCH), a, b, c, d, e, f);
  return held.length >= 0 ? Number(result) : 0; // Uses `held`: memory lives until here.
}

let thunkAt: Deno.PointerObject | undefined;

function thunkPointer(): Deno.PointerObject {
  thunkAt ??= pointer(mapCode(ARCH === "x86_64" ? THUNK_X86_64 : THUNK_AARCH64));
  return thunkAt;
}
