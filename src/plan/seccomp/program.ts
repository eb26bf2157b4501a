/** What the kernel takes at most; BPF_MAXINSNS of `include/uapi/linux/bpf_common.h`. */
export const PROGRAM_LIMIT_INSTRUCTIONS = 4096;

/** How far jt and jf of struct sock_filter reach. */
const REACH = 255;

// BPF_LD | BPF_W | BPF_ABS and so on; `include/uapi/linux/bpf_common.h`.
const LD = 0x20;
const AND = 0x54;
const JA = 0x05;
const RET = 0x06;
export const JEQ = 0x15;
export const JGT = 0x25;
export const JGE = 0x35;

/** An instruction that can be jumped to: how many instructions stood behind it when it was put. */
export type Target = number;

/**
 * A classic BPF program, written from its end to its beginning: jumps only go forwards, so the
 * distance to each target is known when the jump is put.
 *
 * @see bpf(2), linux/filter.h
 */
export class Program {
  /** `code | jt << 16 | jf << 24`, and k: struct sock_filter { u16 code; u8 jt, jf; u32 k; } */
  readonly #words: number[] = [];
  readonly #returns = new Map<number, Target>();

  /** `ret #value`, in reach of the next two instructions. */
  ret(value: number): Target {
    const known = this.#returns.get(value);
    if (known !== undefined && this.#reaches(known)) return known;
    const target = this.#put(RET, value);
    this.#returns.set(value, target);
    return target;
  }

  /** `code #k, yes, no`: where a target is out of reach, a jump to it is put in between. */
  compare(code: number, k: number, yes: Target, no: Target): Target {
    const near = this.#near(yes);
    const far = no === yes ? near : this.#near(no);
    const here = this.#length;
    return this.#put(code | (here - near - 1) << 16 | (here - far - 1) << 24, k);
  }

  /** `ld [offset]`, of struct seccomp_data, then `then`. */
  load(offset: number, then: Target): Target {
    this.#adjoin(then);
    return this.#put(LD, offset);
  }

  /** `and #mask`, then `then`. */
  and(mask: number, then: Target): Target {
    this.#adjoin(then);
    return this.#put(AND, mask);
  }

  /** struct sock_filter[]: what was put last comes first. Both architectures are little-endian. */
  bytes(): Uint8Array<ArrayBuffer> {
    const forwards = new Uint32Array(this.#words.length);
    for (let from = this.#words.length, to = 0; from > 0; from -= 2) {
      forwards[to++] = this.#words[from - 2] ?? 0;
      forwards[to++] = this.#words[from - 1] ?? 0;
    }
    return new Uint8Array(forwards.buffer);
  }

  get #length(): number {
    return this.#words.length / 2;
  }

  /** Leaves room for the two jumps that a comparison may put before itself. */
  #reaches(target: Target): boolean {
    return this.#length - target - 1 <= REACH - 2;
  }

  #near(target: Target): Target {
    if (this.#reaches(target)) return target;
    const code = this.#words[target * 2];
    if (code === RET) return this.ret(this.#words[target * 2 + 1] ?? 0);
    return this.#put(JA, this.#length - target - 1);
  }

  #adjoin(target: Target): void {
    if (target !== this.#length - 1) this.#put(JA, this.#length - target - 1);
  }

  #put(word: number, k: number): Target {
    this.#words.push(word, k);
    return this.#length - 1;
  }
}
