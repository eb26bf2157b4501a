/**
 * Growing memory whose own address is not known yet: what a program's instructions refer to.
 *
 * Addresses inside it are written relative to its start, and made absolute at the end.
 */
export class Memory {
  #bytes = new Uint8Array(32_768);
  #words = new Uint32Array(this.#bytes.buffer);
  #length = 8; // Nothing lies at 0, so that an offset is never 0.
  #relocations: number[] = [];
  #texts = new Map<string, number>();

  /** Bytes in use. */
  get length(): number {
    return this.#length;
  }

  /** Takes zeroed bytes, 8-byte aligned; returns their offset. */
  take(size: number): number {
    const offset = this.#length;
    this.#length += (size + 7) & ~7;
    if (this.#length > this.#bytes.length) this.#grow();
    return offset;
  }

  /** Copies bytes in; returns their offset. */
  put(bytes: Uint8Array): number {
    const offset = this.take(bytes.length);
    this.#bytes.set(bytes, offset);
    return offset;
  }

  /** Puts text with its NUL, once however often it is asked for; returns its offset. */
  text(value: string, encode: (text: string) => Uint8Array): number {
    let offset = this.#texts.get(value);
    if (offset === undefined) this.#texts.set(value, offset = this.put(encode(value)));
    return offset;
  }

  /** Writes a little-endian number of 1, 2, 4 or 8 bytes; a negative one as two's complement. */
  number(offset: number, value: number | bigint, bytes = 8): void {
    if (typeof value === "bigint") {
      this.number(offset, Number(value & 0xffff_ffffn), Math.min(bytes, 4));
      if (bytes === 8) this.number(offset + 4, Number((value >> 32n) & 0xffff_ffffn), 4);
    } else if (bytes >= 4 && (offset & 3) === 0) {
      this.#words[offset >> 2] = value;
      if (bytes === 8) this.#words[(offset >> 2) + 1] = Math.floor(value / 0x1_0000_0000);
    } else {
      for (let at = 0, rest = value; at < bytes; at++, rest = Math.floor(rest / 256)) {
        this.#bytes[offset + at] = rest;
      }
    }
  }

  /** Writes the address of one offset at another. */
  address(offset: number, target: number): void {
    this.number(offset, target);
    this.#relocations.push(offset);
  }

  /** Copies all of it to `at` in `bytes`, its addresses made absolute to `start`. */
  finish(bytes: Uint8Array, at: number, start: number): void {
    for (const offset of this.#relocations) {
      this.number(offset, start + (this.#words[offset >> 2] ?? 0));
    }
    bytes.set(this.#bytes.subarray(0, this.#length), at);
  }

  #grow(): void {
    let size = this.#bytes.length * 2;
    while (size < this.#length) size *= 2;
    const grown = new Uint8Array(size);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#words = new Uint32Array(grown.buffer);
  }
}
