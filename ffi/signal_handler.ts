/**
 * Machine code of a signal handler: `void f(int signal)` writes the signal's number, one byte, to a
 * descriptor. It runs on whichever thread the kernel picks, without the runtime's knowledge, so it
 * may do no more; signal-safety(7). The descriptor is patched in.
 */
import { ARCH, mapCode, syscall } from "./syscall.ts";
import {
  F_DUPFD_CLOEXEC,
  O_CLOEXEC,
  O_NONBLOCK,
  SA_RESTART,
  SIGCHLD,
  SIGKILL,
  SIGPIPE,
  SIGSTOP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGURG,
} from "./constants.ts";

// deno-fmt-ignore
export const HANDLER_X86_64 = new Uint8Array([
  0x57,                                       //   push rdi
  0xb8, 0x01, 0x00, 0x00, 0x00,               //   mov eax, 1
  0xbf, 0x00, 0x00, 0x00, 0x00,               //   mov edi, 0
  0x48, 0x89, 0xe6,                           //   mov rsi, rsp
  0xba, 0x01, 0x00, 0x00, 0x00,               //   mov edx, 1
  0x0f, 0x05,                                 //   syscall
  0x5f,                                       //   pop rdi
  0xc3,                                       //   ret
  // restorer:
  0xb8, 0x0f, 0x00, 0x00, 0x00,               //   mov eax, 15
  0x0f, 0x05,                                 //   syscall
]);
const DESCRIPTOR_X86_64 = 7;
const RESTORER_X86_64 = 23;

// deno-fmt-ignore
export const HANDLER_AARCH64 = new Uint8Array([
  0xe0, 0x0f, 0x1f, 0xf8,                     //   str x0, [sp, -16]!
  0x08, 0x08, 0x80, 0xd2,                     //   mov x8, 64
  0x00, 0x00, 0x80, 0xd2,                     //   mov x0, 0
  0xe1, 0x03, 0x00, 0x91,                     //   mov x1, sp
  0x22, 0x00, 0x80, 0xd2,                     //   mov x2, 1
  0x01, 0x00, 0x00, 0xd4,                     //   svc 0
  0xe0, 0x07, 0x41, 0xf8,                     //   ldr x0, [sp], 16
  0xc0, 0x03, 0x5f, 0xd6,                     //   ret
]);
const DESCRIPTOR_AARCH64 = 8;

const SA_RESTORER = 0x0400_0000;
const LAST_SIGNAL = 64;
/** What stops a job at its terminal: Ctrl-Z, and reading or setting the terminal behind another job. */
const OF_JOBS = [SIGTSTP, SIGTTIN, SIGTTOU];
/** Not passed on: what cannot be caught, what a thread does to itself, and what is minictr's own. */
const KEPT = [SIGKILL, SIGSTOP, SIGCHLD, SIGPIPE, SIGURG, ...OF_JOBS, 4, 5, 6, 7, 8, 11, 31];

/**
 * From now on each signal sent to this process is a byte in a pipe and does nothing else, but
 * for those of job control, which stop it: the kernel would send SIGTTIN without end to a reader
 * that goes on; tty_ioctl(4), setpgid(2).
 *
 * @returns the pipe's reading end, which does not block
 */
export function catchSignals(): number {
  const ends = new Int32Array(2);
  const bytes = new Uint8Array(ends.buffer);
  syscall("pipe2", bytes, O_CLOEXEC | O_NONBLOCK);
  const [reading = -1, end = -1] = ends;
  const writing = syscall("fcntl", end, F_DUPFD_CLOEXEC, 200);
  syscall("close", end);
  const address = mapCode(handler(writing));
  const action = new BigUint64Array(4); // handler, flags, restorer, mask
  action[0] = address;
  action[1] = BigInt(SA_RESTART | (ARCH === "x86_64" ? SA_RESTORER : 0));
  action[2] = ARCH === "x86_64" ? address + BigInt(RESTORER_X86_64) : 0n;
  const struct = new Uint8Array(action.buffer);
  for (let signal = 1; signal <= LAST_SIGNAL; signal++) {
    if (!KEPT.includes(signal) && !(signal >= 32 && signal <= 33)) {
      syscall("rt_sigaction", signal, struct, 0, 8);
    }
  }
  return reading;
}

function handler(descriptor: number): Uint8Array<ArrayBuffer> {
  if (ARCH === "x86_64") {
    const code = HANDLER_X86_64.slice();
    new DataView(code.buffer).setUint32(DESCRIPTOR_X86_64, descriptor, true);
    return code;
  }
  const code = HANDLER_AARCH64.slice();
  const view = new DataView(code.buffer); // mov x0, imm16: the immediate is bits 5 to 20.
  view.setUint32(DESCRIPTOR_AARCH64, 0xd280_0000 | (descriptor << 5), true);
  return code;
}
