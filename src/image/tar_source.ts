import { TarError } from "./tar_entry.ts";

/** A stream of pieces as a stream of as many bytes as asked for. */
export class Source {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #piece: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #total = 0;

  constructor(stream: ReadableStream<Uint8Array>, readonly limitBytes: number) {
    this.#reader = stream.getReader();
  }

  exactly(length: number): Promise<Uint8Array<ArrayBuffer>>;
  exactly(
    length: number,
    mayEnd: boolean,
  ): Promise<Uint8Array<ArrayBuffer> | undefined>;
  async exactly(length: number, mayEnd = false): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#piece.length >= length) return this.#take(length);
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      if (this.#piece.length === 0 && !await this.#fill()) {
        if (mayEnd && filled === 0) return undefined;
        throw new TarError("cut short");
      }
      const piece = this.#take(Math.min(this.#piece.length, length - filled));
      bytes.set(piece, filled);
      filled += piece.length;
    }
    return bytes;
  }

  /** The next bytes, at least one. */
  async upTo(length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#piece.length === 0 && !await this.#fill()) throw new TarError("cut short");
    return this.#take(Math.min(length, this.#piece.length));
  }

  async drain(): Promise<void> {
    while (await this.#fill());
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {}); // The reason is already on its way up.
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    const taken = this.#piece.subarray(0, length);
    this.#piece = this.#piece.subarray(length);
    return taken;
  }

  async #fill(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return false;
      this.#total += value.length;
      if (this.#total > this.limitBytes) {
        throw new TarError(`larger than ${this.limitBytes} bytes when unpacked`);
      }
      if (value.length === 0) continue;
      this.#piece = value.buffer instanceof ArrayBuffer
        ? new Uint8Array(value.buffer, value.byteOffset, value.length)
        : new Uint8Array(value);
      return true;
    }
  }
}
