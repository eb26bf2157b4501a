/** A reading of classic BPF as the kernel runs it on a system call; seccomp(2), bpf(4). */

/** struct seccomp_data without the instruction pointer; `args` may be short. */
export interface SeccompData {
  /** Of 32 bits. */
  nr: number;
  /** AUDIT_ARCH_* */
  arch: number;
  args?: readonly bigint[];
}

/** What a filter answers, and how many instructions it took. */
export interface Answer {
  action: number;
  steps: number;
}

/** Runs struct sock_filter[]; throws for what the kernel would refuse to load. */
export function runFilter(filter: Uint8Array, data: SeccompData): Answer {
  const program = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const input = seccompData(data);
  let accumulator = 0;
  for (let at = 0, steps = 1;; steps++) {
    const word = program.getUint32(at * 8, true);
    const k = program.getUint32(at * 8 + 4, true);
    const [code, jt, jf] = [word & 0xffff, word >>> 16 & 0xff, word >>> 24];
    const jump = (holds: boolean) => at += 1 + (holds ? jt : jf);
    if (code === 0x06) return { action: k, steps };
    if (code === 0x20) accumulator = input.getUint32(k, true), at += 1;
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0, at += 1;
    else if (code === 0x05) at += 1 + k;
    else if (code === 0x15) jump(accumulator === k);
    else if (code === 0x25) jump(accumulator > k);
    else if (code === 0x35) jump(accumulator >= k);
    else if (code === 0x45) jump((accumulator & k) !== 0);
    else throw new Error(`instruction ${at} has the unknown code 0x${code.toString(16)}`);
  }
}

function seccompData({ nr, arch, args = [] }: SeccompData): DataView {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(0, nr, true);
  view.setUint32(4, arch, true);
  for (const [index, arg] of args.entries()) view.setBigUint64(16 + 8 * index, arg, true);
  return view;
}
