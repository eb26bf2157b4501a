import { addressOf } from "../../ffi/mod.ts";

/**
 * Growing memory of a program whose own address is not known yet.
 *
 * Addresses inside it are written relative to its start and made absolute at the end, either to a
 * fixed address (an executable) or to wherever the bytes then lie (a program run in this process).
 */
export class Memory {
  #bytes = new Uint8Array(65_536);
  #words = new Uint32Array(this.#bytes.buffer);
  #length = 0;
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
    if (bytes === 8 && typeof value === "number" && (offset & 3) === 0) {
      this.#words[offset >> 2] = value;
      this.#words[(offset >> 2) + 1] = Math.floor(value / 0x1_0000_0000);
      return;
    }
    const view = new DataView(this.#bytes.buffer);
    const bits = BigInt.asUintN(64, BigInt(value));
    if (bytes === 8) view.setBigUint64(offset, bits, true);
    else if (bytes === 4) view.setUint32(offset, Number(bits & 0xffff_ffffn), true);
    else if (bytes === 2) view.setUint16(offset, Number(bits & 0xffffn), true);
    else view.setUint8(offset, Number(bits & 0xffn));
  }

  /** Writes the address of one offset at another. */
  address(offset: number, target: number): void {
    this.number(offset, target);
    this.#relocations.push(offset);
  }

  /** The finished bytes, their addresses made absolute to `base`; `here` is where they lie. */
  finish(base: bigint | "here"): { bytes: Uint8Array<ArrayBuffer>; base: bigint } {
    const bytes = this.#bytes.subarray(0, this.#length);
    const start = base === "here" ? addressOf(bytes) : base;
    const from = Number(start);
    for (const offset of this.#relocations) {
      const low = this.#words[offset >> 2] ?? 0;
      this.number(offset, from + low);
    }
    this.#relocations = [];
    return { bytes, base: start };
  }

  #grow(): void {
    const old = this.#bytes;
    let size = old.length * 2;
    while (size < this.#length) size *= 2;
    this.#bytes = new Uint8Array(size);
    this.#bytes.set(old);
    this.#words = new Uint32Array(this.#bytes.buffer);
  }
}
