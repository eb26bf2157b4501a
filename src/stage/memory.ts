import { cString } from "../../ffi/mod.ts";

/** Text whose bytes are its characters. */
const PLAIN = /^[ -~]*$/;
/** In front of an offset among the texts, which lie behind all else. */
const TEXTS = 0x4000_0000;

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
  readonly #texts = new Map<string, number>();
  /** Encoded all at once, which costs as much as one. */
  readonly #plain: string[] = [];
  #plainLength = 0;

  /** Bytes in use. */
  get length(): number {
    return this.#length + ((this.#plainLength + 7) & ~7);
  }

  /** Where an offset that was returned here will be. */
  place(offset: number): number {
    return offset < TEXTS ? offset : this.#length + offset - TEXTS;
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
  text(value: string): number {
    let offset = this.#texts.get(value);
    if (offset !== undefined) return offset;
    if (PLAIN.test(value)) {
      offset = TEXTS + this.#plainLength;
      this.#plain.push(value);
      this.#plainLength += value.length + 1;
    } else offset = this.put(cString(value));
    this.#texts.set(value, offset);
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
    for (let index = 0; index < this.#relocations.length; index++) {
      const offset = this.#relocations[index] as number;
      this.number(offset, start + this.place(this.#words[offset >> 2] as number));
    }
    bytes.set(this.#bytes.subarray(0, this.#length), at);
    const texts = this.#plain.join("\0"); // The last NUL is there already.
    new TextEncoder().encodeInto(texts, bytes.subarray(at + this.#length));
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
