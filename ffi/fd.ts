import { trySyscall } from "./syscall.ts";

/** A file descriptor that closes at the end of its `using` scope; close(2). */
export class Fd {
  #number: number;

  constructor(number: number) {
    this.#number = number;
  }

  /** The descriptor; throws once it is closed. */
  get number(): number {
    if (this.#number < 0) throw new Error("file descriptor used after close");
    return this.#number;
  }

  /** Gives the descriptor away: the scope no longer closes it. */
  release(): number {
    const number = this.number;
    this.#number = -1;
    return number;
  }

  close(): void {
    if (this.#number >= 0) trySyscall("close", this.#number);
    this.#number = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
