import { SyscallError } from "./errno.ts";
import { THUNK_AARCH64, THUNK_X86_64 } from "./thunk.ts";
import { type Architecture, type SyscallName, syscallNumber } from "./syscalls.ts";

/** An argument of a system call: a number, or memory (text gets its NUL) whose address is passed. */
export type Argument = number | bigint | string | Uint8Array;

const PROT_READ_WRITE = 0x3n;
const PROT_READ_EXEC = 0x5n;
const MAP_PRIVATE_ANONYMOUS = 0x22n;
const PAGE = 65_536n; // Bytes; the largest page of either architecture.

const ARGUMENTS = ["u64", "u64", "u64", "u64", "u64", "u64", "u64"] as const;
const THUNK = { parameters: ARGUMENTS, result: "i64" } as const;
const WAITING_THUNK = { parameters: ARGUMENTS, result: "i64", nonblocking: true } as const;
const MEMCPY = { parameters: ["u64", "buffer", "usize"], result: "void" } as const;
const encoder = new TextEncoder();

let libc: ReturnType<typeof openLibc> | undefined;
let thunkAt: bigint | undefined;
let thunk: Deno.UnsafeFnPointer<typeof THUNK> | undefined;
let waitingThunk: Deno.UnsafeFnPointer<typeof WAITING_THUNK> | undefined;

/** The architecture that this process runs on. */
export const ARCH: Architecture = Deno.build.arch;

/**
 * `long syscall(long number, ...)`, and `void *memcpy(void *dest, const void *src, size_t n)`.
 *
 * Both are asked for as data, which gives their addresses: for a function Deno would compile a way
 * to call it fast, which takes longer (0.3 ms) than all the calls that are made this way.
 */
function openLibc() {
  const { symbols } = Deno.dlopen("libc.so.6", {
    syscall: { type: "pointer" },
    memcpy: { type: "pointer" },
  });
  if (symbols.syscall === null || symbols.memcpy === null) throw new Error("cannot find libc");
  return {
    syscall: new Deno.UnsafeFnPointer(symbols.syscall as Deno.PointerObject<typeof THUNK>, THUNK),
    memcpy: new Deno.UnsafeFnPointer(symbols.memcpy as Deno.PointerObject<typeof MEMCPY>, MEMCPY),
  };
}

/**
 * Puts machine code where it can be executed: mapped writable, filled, then made executable, so that
 * no page is ever both; mmap(2), mprotect(2).
 *
 * @returns the code's address
 */
export function mapCode(code: Uint8Array<ArrayBuffer>): bigint {
  libc ??= openLibc();
  const { syscall, memcpy } = libc;
  const address = syscall.call(
    BigInt(syscallNumber("mmap", ARCH)),
    0n,
    PAGE,
    PROT_READ_WRITE,
    MAP_PRIVATE_ANONYMOUS,
    BigInt.asUintN(64, -1n),
    0n,
  );
  if (address === -1n) throw new Error("cannot map memory for machine code");
  memcpy.call(address, code, BigInt(code.length));
  const mprotect = BigInt(syscallNumber("mprotect", ARCH));
  if (syscall.call(mprotect, address, PAGE, PROT_READ_EXEC, 0n, 0n, 0n) !== 0n) {
    throw new Error(
      "cannot make memory executable: the kernel or a security module forbids it (SELinux: execmem)",
    );
  }
  return address;
}

/** A pointer object for an address, as the FFI wants it. */
export function pointer<T>(address: bigint): Deno.PointerObject<T> {
  const made = Deno.UnsafePointer.create<T>(address);
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

/** The six machine words of a call; memory becomes its address, and is put into `held`. */
function words(args: Argument[], held: Uint8Array[]) {
  const word = (arg: Argument | undefined): bigint => {
    if (arg === undefined) return 0n;
    if (typeof arg === "number" || typeof arg === "bigint") return BigInt.asUintN(64, BigInt(arg));
    const memory = typeof arg === "string" ? cString(arg) : arg as Uint8Array<ArrayBuffer>;
    held.push(memory);
    return addressOf(memory);
  };
  const [a, b, c, d, e, f] = args;
  return [word(a), word(b), word(c), word(d), word(e), word(f)] as const;
}

function thunkPointer<T>(): Deno.PointerObject<T> {
  thunkAt ??= mapCode(ARCH === "x86_64" ? THUNK_X86_64 : THUNK_AARCH64);
  return pointer<T>(thunkAt);
}

/**
 * Makes one system call on this thread.
 *
 * @returns what the kernel returned: a result, or a negative error number
 */
export function trySyscall(name: SyscallName, ...args: Argument[]): number {
  thunk ??= new Deno.UnsafeFnPointer(thunkPointer(), THUNK);
  const held: Uint8Array[] = []; // Reachable, so alive, until the call has returned.
  return Number(thunk.call(BigInt(syscallNumber(name, ARCH)), ...words(args, held)));
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

const inFlight = new Set<Uint8Array[]>();

/**
 * Makes one system call that may wait, on a thread of its own, so that signals and timers go on.
 *
 * @returns a result, or a negative error number
 */
export async function waitSyscall(name: SyscallName, ...args: Argument[]): Promise<number> {
  waitingThunk ??= new Deno.UnsafeFnPointer(thunkPointer(), WAITING_THUNK);
  const held: Uint8Array[] = [];
  inFlight.add(held);
  try {
    const number = BigInt(syscallNumber(name, ARCH));
    return Number(await waitingThunk.call(number, ...words(args, held)));
  } finally {
    inFlight.delete(held);
  }
}
