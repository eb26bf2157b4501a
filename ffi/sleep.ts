import { waitSyscall } from "./syscall.ts";

/**
 * Blocks this thread for so many milliseconds: for the commands that wait for a lock or a process.
 * `setTimeout` would load Node's timers first, which costs as much as a fifth of a start.
 */
export function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** The same for who may not keep anything else from happening meanwhile; ppoll(2). */
export async function pause(milliseconds: number): Promise<void> {
  const limit = new BigUint64Array(2); // struct timespec
  limit[0] = BigInt(Math.floor(milliseconds / 1000));
  limit[1] = BigInt(Math.round(milliseconds % 1000 * 1e6));
  await waitSyscall("ppoll", 0, 0, new Uint8Array(limit.buffer), 0, 8);
}
