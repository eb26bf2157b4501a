/** In front of an offset among the texts, which lie behind all else. */
const TEXTS = 0x4000_0000;
const HIGH = 0x1_0000_0000;

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
  /** Texts, and where each begins among all of them: in characters, each with its NUL. */
  readonly #texts = new Map<string, number>();
  #characters = 0;
  /** The same in UTF-8: encoding all of them costs as much as one. */
  #encoded = new Uint8Array();
  /** Where texts begin in bytes, by characters; empty while both are the same. */
  readonly #shifted = new Map<number, number>();

  /** Bytes in use; those of texts since they are encoded. */
  get length(): number {
    return this.#length + ((this.#encoded.length + 7) & ~7);
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
    const known = this.#texts.get(value);
    if (known !== undefined) return TEXTS + known;
    if (value.includes("\0")) throw new Error(`cannot pass ${JSON.stringify(value)}: it has a NUL`);
    const begin = this.#characters;
    this.#texts.set(value, begin);
    this.#characters += value.length + 1;
    return TEXTS + begin;
  }

  /** Ends the taking in of texts: from here on, `length` is that of all. */
  encodeTexts(): void {
    const texts = Array.from(this.#texts.keys()).concat("").join("\0");
    this.#encoded = new TextEncoder().encode(texts);
    if (this.#encoded.length === texts.length) return;
    let begin = 0;
    for (const characters of this.#texts.values()) {
      this.#shifted.set(characters, begin);
      begin = this.#encoded.indexOf(0, begin) + 1;
    }
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
    this.makeAbsolute(this.#words, this.#relocations, start);
    bytes.set(this.#bytes.subarray(0, this.#length), at);
    bytes.set(this.#encoded, at + this.#length);
  }

  /** Makes offsets that were returned here addresses, where they stand in `words`, by byte offset. */
  makeAbsolute(words: Uint32Array, places: readonly number[], start: number): void {
    const texts = start + this.#length;
    for (let index = 0; index < places.length; index++) {
      const at = (places[index] as number) >> 2;
      const offset = words[at] as number;
      const address = offset < TEXTS ? start + offset : texts + this.#among(offset - TEXTS);
      words[at] = address; // Its low half: a word takes no more.
      words[at + 1] = address / HIGH;
    }
  }

  /** Where among the encoded texts one begins. */
  #among(characters: number): number {
    return this.#shifted.get(characters) ?? characters;
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
