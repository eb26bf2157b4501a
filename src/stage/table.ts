import { HEADER_SIZE, INSTRUCTION_SIZE, OFFSET } from "./instruction.ts";
import type { Memory } from "./memory.ts";
import type { Labels } from "./label.ts";

const NO_WANT = 0x8000_0000; // High word of NEVER.
const HIGH = 0x1_0000_0000;

/** A growing table of instructions whose own address is not known yet; all offsets are in bytes. */
export class Table {
  #words = new Uint32Array(16_384);
  /** How many instructions there are. */
  count = 0;
  /** Offsets that hold an address: of the table, or of the memory behind it. */
  readonly #toTable: number[] = [];
  readonly #toMemory: number[] = [];

  /** Bytes of the header and all instructions. */
  get length(): number {
    return HEADER_SIZE + this.count * INSTRUCTION_SIZE;
  }

  /** Appends an instruction without arguments, that waits for no value; returns its offset. */
  add(number: number): number {
    const offset = this.length;
    if (offset + INSTRUCTION_SIZE > this.#words.length * 4) {
      const grown = new Uint32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[offset >> 2] = number;
    this.#words[(offset + OFFSET.want + 4) >> 2] = NO_WANT;
    this.count++;
    return offset;
  }

  /** Says which arguments of an instruction are addresses of their value; a bit for each. */
  indirect(offset: number, bits: number): void {
    this.#words[(offset + OFFSET.indirect) >> 2] = bits;
  }

  /** Says which result an instruction waits for. */
  want(offset: number, value: number): void {
    const word = (offset + OFFSET.want) >> 2;
    this.#words[word] = value;
    this.#words[word + 1] = Math.floor(value / HIGH);
  }

  /** Writes a number into 8 zeroed bytes. */
  put(offset: number, value: number): void {
    this.#words[offset >> 2] = value;
    if (value < 0 || value >= HIGH) this.#words[(offset >> 2) + 1] = Math.floor(value / HIGH);
  }

  /** Writes a number of 64 bits. */
  putWide(offset: number, value: bigint): void {
    this.#words[offset >> 2] = Number(value & 0xffff_ffffn);
    this.#words[(offset >> 2) + 1] = Number((value >> 32n) & 0xffff_ffffn);
  }

  /** Writes the address of an offset: in the memory, or in the table. */
  address(offset: number, target: number, inMemory: boolean): void {
    this.#words[offset >> 2] = target;
    (inMemory ? this.#toMemory : this.#toTable).push(offset);
  }

  /** Copies all of it to `bytes`, which will lie at `start`: its addresses and jumps made absolute. */
  finish(bytes: Uint8Array<ArrayBuffer>, start: number, memory: Memory, labels: Labels): void {
    const { length } = this;
    const words = new Uint32Array(bytes.buffer, 0, length >> 2);
    words.set(this.#words.subarray(0, length >> 2));
    const put = (offset: number, address: number) => {
      words[offset >> 2] = address;
      words[(offset >> 2) + 1] = address / HIGH;
    };
    put(0, start + HEADER_SIZE);
    for (let index = 0; index < this.#toTable.length; index++) {
      const at = (this.#toTable[index] as number) >> 2;
      const address = start + (words[at] as number);
      words[at] = address; // Its low half: a word takes no more.
      words[at + 1] = address / HIGH;
    }
    memory.makeAbsolute(words, this.#toMemory, start + length);
    const instruction = (index: number) => start + HEADER_SIZE + index * INSTRUCTION_SIZE;
    const failed = instruction(labels.find("failed")); // Where nothing else is said.
    const low = failed % HIGH, high = Math.floor(failed / HIGH);
    const size = INSTRUCTION_SIZE >> 2;
    for (let at = (HEADER_SIZE + OFFSET.fail) >> 2; at < words.length; at += size) {
      words[at] = low;
      words[at + 1] = high;
    }
    labels.eachJump((offset, index) => put(offset, instruction(index)));
  }
}
