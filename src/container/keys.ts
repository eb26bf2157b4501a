import type { Filter } from "./stream_copy.ts";

/** docker's: Ctrl-P, Ctrl-Q. */
export const DETACH_KEYS = Uint8Array.of(0x10, 0x11);

/**
 * Looks for the keys that leave a container running in what is typed. The beginning of them is held
 * back until it is clear whether the rest follows; then it is passed on, too. As docker's escape proxy.
 */
export class DetachKeys implements Filter {
  #matched = 0;

  /** @param keys none: nothing is ever found */
  constructor(readonly keys: Uint8Array) {}

  pass(bytes: Uint8Array): { rest: Uint8Array; leave: boolean } {
    const rest: number[] = [];
    for (const byte of bytes) {
      if (this.keys.length > 0 && byte === this.keys[this.#matched]) {
        if (++this.#matched < this.keys.length) continue;
        return { rest: Uint8Array.from(rest), leave: true };
      }
      for (let at = 0; at < this.#matched; at++) rest.push(this.keys[at] ?? 0);
      // What has failed to go on may be a new beginning.
      this.#matched = 0;
      if (this.keys.length > 1 && byte === this.keys[0]) this.#matched = 1;
      else rest.push(byte);
    }
    return { rest: Uint8Array.from(rest), leave: false };
  }
}
