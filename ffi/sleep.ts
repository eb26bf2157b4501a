/**
 * Blocks this thread for so many milliseconds: for the commands that wait for a lock or a process.
 * `setTimeout` would load Node's timers first, which costs as much as a fifth of a start.
 */
export function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
