/**
 * Machine code of a function that makes any one system call: `long f(nr, a0, a1, a2, a3, a4, a5)`.
 *
 * libc's own syscall(2) splits a failure into -1 and a thread-local errno, which is lost when the
 * call was made on another thread, and overwritten when anything runs before it is read. This one
 * returns what the kernel returns: a result, or -errno. The assembler text beside the bytes is
 * checked against them by thunk_test.ts.
 */

// deno-fmt-ignore
export const THUNK_X86_64 = new Uint8Array([
  0x48, 0x89, 0xf8,             //   mov rax, rdi
  0x48, 0x89, 0xf7,             //   mov rdi, rsi
  0x48, 0x89, 0xd6,             //   mov rsi, rdx
  0x48, 0x89, 0xca,             //   mov rdx, rcx
  0x4d, 0x89, 0xc2,             //   mov r10, r8
  0x4d, 0x89, 0xc8,             //   mov r8, r9
  0x4c, 0x8b, 0x4c, 0x24, 0x08, //   mov r9, [rsp+8]
  0x0f, 0x05,                   //   syscall
  0xc3,                         //   ret
]);

// deno-fmt-ignore
export const THUNK_AARCH64 = new Uint8Array([
  0xe8, 0x03, 0x00, 0xaa,       //   mov x8, x0
  0xe0, 0x03, 0x01, 0xaa,       //   mov x0, x1
  0xe1, 0x03, 0x02, 0xaa,       //   mov x1, x2
  0xe2, 0x03, 0x03, 0xaa,       //   mov x2, x3
  0xe3, 0x03, 0x04, 0xaa,       //   mov x3, x4
  0xe4, 0x03, 0x05, 0xaa,       //   mov x4, x5
  0xe5, 0x03, 0x06, 0xaa,       //   mov x5, x6
  0x01, 0x00, 0x00, 0xd4,       //   svc 0
  0xc0, 0x03, 0x5f, 0xd6,       //   ret
]);
