/**
 * The kernel's ABI: the only place that touches memory or calls libc.
 *
 * libc is opened for two functions, syscall(2) and memcpy(3), which put a few bytes of machine code
 * into memory; every kernel call then goes through that code and gets -errno back, on whichever
 * thread it ran. Functions and constants keep their C spelling and the man page's order.
 *
 * @see syscalls(2), intro(2)
 * @module
 */
export * from "./constants.ts";
export { ERRNO, errnoName, errnoText, SyscallError } from "./errno.ts";
export { Fd } from "./fd.ts";
export { type Locked, lockWithin, tryLock } from "./flock.ts";
export { catchSignals } from "./signal_handler.ts";
export { pause, sleep } from "./sleep.ts";
export {
  addressOf,
  ARCH,
  type Argument,
  cString,
  mapCode,
  pointer,
  syscall,
  trySyscall,
  waitSyscall,
} from "./syscall.ts";
export { type Architecture, type SyscallName, syscallNumber, SYSCALLS } from "./syscalls.ts";
