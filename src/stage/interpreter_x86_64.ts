/**
 * The interpreter of syscall programs, as x86-64 machine code with its listing.
 *
 * What it does is told in instruction.ts; rbx points at the current instruction, r12 at the
 * program's header.
 * The assembler text beside the bytes is checked against them with `as`, Intel syntax, by
 * interpreter_test.ts.
 */

/** Byte at which a static executable enters: the program lies at PROGRAM_ADDRESS. */
export const ELF_ENTRY_X86_64 = 8;

// deno-fmt-ignore
export const INTERPRETER_X86_64 = new Uint8Array([
  // call_entry:
  0x53,                                       //   push rbx
  0x41, 0x54,                                 //   push r12
  0x49, 0x89, 0xfc,                           //   mov r12, rdi
  0xeb, 0x06,                                 //   jmp start
  // elf_entry:
  0x41, 0xbc, 0x00, 0x00, 0x50, 0x00,         //   mov r12d, 0x500000
  // start:
  0x49, 0x8b, 0x1c, 0x24,                     //   mov rbx, [r12]
  // step:
  0x8b, 0x03,                                 //   mov eax, [rbx]
  0x8b, 0x4b, 0x04,                           //   mov ecx, [rbx+4]
  0x48, 0x8b, 0x7b, 0x08,                     //   mov rdi, [rbx+8]
  0xf6, 0xc1, 0x01,                           //   test cl, 1
  0x74, 0x03,                                 //   jz a1
  0x48, 0x8b, 0x3f,                           //   mov rdi, [rdi]
  // a1:
  0x48, 0x8b, 0x73, 0x10,                     //   mov rsi, [rbx+16]
  0xf6, 0xc1, 0x02,                           //   test cl, 2
  0x74, 0x03,                                 //   jz a2
  0x48, 0x8b, 0x36,                           //   mov rsi, [rsi]
  // a2:
  0x48, 0x8b, 0x53, 0x18,                     //   mov rdx, [rbx+24]
  0xf6, 0xc1, 0x04,                           //   test cl, 4
  0x74, 0x03,                                 //   jz a3
  0x48, 0x8b, 0x12,                           //   mov rdx, [rdx]
  // a3:
  0x4c, 0x8b, 0x53, 0x20,                     //   mov r10, [rbx+32]
  0xf6, 0xc1, 0x08,                           //   test cl, 8
  0x74, 0x03,                                 //   jz a4
  0x4d, 0x8b, 0x12,                           //   mov r10, [r10]
  // a4:
  0x4c, 0x8b, 0x43, 0x28,                     //   mov r8, [rbx+40]
  0xf6, 0xc1, 0x10,                           //   test cl, 16
  0x74, 0x03,                                 //   jz a5
  0x4d, 0x8b, 0x00,                           //   mov r8, [r8]
  // a5:
  0x4c, 0x8b, 0x4b, 0x30,                     //   mov r9, [rbx+48]
  0xf6, 0xc1, 0x20,                           //   test cl, 32
  0x74, 0x03,                                 //   jz a6
  0x4d, 0x8b, 0x09,                           //   mov r9, [r9]
  // a6:
  0x85, 0xc0,                                 //   test eax, eax
  0x78, 0x33,                                 //   js operation
  0x0f, 0x05,                                 //   syscall
  0x48, 0x89, 0x43, 0x38,                     //   mov [rbx+56], rax
  0x48, 0x3b, 0x43, 0x40,                     //   cmp rax, [rbx+64]
  0x74, 0x0e,                                 //   je matched
  0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff,         //   cmp rax, -4095
  0x73, 0x0c,                                 //   jae failed
  // next:
  0x48, 0x83, 0xc3, 0x58,                     //   add rbx, 88
  0xeb, 0x95,                                 //   jmp step
  // matched:
  0x48, 0x8b, 0x5b, 0x48,                     //   mov rbx, [rbx+72]
  0xeb, 0x8f,                                 //   jmp step
  // failed:
  0x49, 0x89, 0x5c, 0x24, 0x08,               //   mov [r12+8], rbx
  0x49, 0x89, 0x44, 0x24, 0x10,               //   mov [r12+16], rax
  0x48, 0x8b, 0x5b, 0x50,                     //   mov rbx, [rbx+80]
  0xe9, 0x7c, 0xff, 0xff, 0xff,               //   jmp step
  // operation:
  0x2c, 0x01,                                 //   sub al, 1
  0x72, 0x67,                                 //   jc end
  0x74, 0x28,                                 //   je load64
  0x2c, 0x02,                                 //   sub al, 2
  0x72, 0x29,                                 //   jc load32
  0x74, 0x2b,                                 //   je store64
  0x2c, 0x02,                                 //   sub al, 2
  0x72, 0x2f,                                 //   jc store32
  0x74, 0x34,                                 //   je add_op
  0x2c, 0x02,                                 //   sub al, 2
  0x72, 0x36,                                 //   jc and_op
  0x74, 0x3c,                                 //   je less
  0x2c, 0x02,                                 //   sub al, 2
  0x72, 0x08,                                 //   jc copy
  0x48, 0x89, 0xf8,                           //   mov rax, rdi
  0x48, 0x29, 0xf0,                           //   sub rax, rsi
  0xeb, 0x38,                                 //   jmp done
  // copy:
  0x48, 0x89, 0xd0,                           //   mov rax, rdx
  0x48, 0x89, 0xd1,                           //   mov rcx, rdx
  0xf3, 0xa4,                                 //   rep movsb
  0xeb, 0x2e,                                 //   jmp done
  // load64:
  0x48, 0x8b, 0x07,                           //   mov rax, [rdi]
  0xeb, 0x29,                                 //   jmp done
  // load32:
  0x8b, 0x07,                                 //   mov eax, [rdi]
  0xeb, 0x25,                                 //   jmp done
  // store64:
  0x48, 0x89, 0x37,                           //   mov [rdi], rsi
  0x48, 0x89, 0xf0,                           //   mov rax, rsi
  0xeb, 0x1d,                                 //   jmp done
  // store32:
  0x89, 0x37,                                 //   mov [rdi], esi
  0x48, 0x89, 0xf0,                           //   mov rax, rsi
  0xeb, 0x16,                                 //   jmp done
  // add_op:
  0x48, 0x8d, 0x04, 0x37,                     //   lea rax, [rdi+rsi]
  0xeb, 0x10,                                 //   jmp done
  // and_op:
  0x48, 0x89, 0xf8,                           //   mov rax, rdi
  0x48, 0x21, 0xf0,                           //   and rax, rsi
  0xeb, 0x08,                                 //   jmp done
  // less:
  0x31, 0xc0,                                 //   xor eax, eax
  0x48, 0x39, 0xf7,                           //   cmp rdi, rsi
  0x0f, 0x92, 0xc0,                           //   setb al
  // done:
  0x48, 0x89, 0x43, 0x38,                     //   mov [rbx+56], rax
  0x48, 0x3b, 0x43, 0x40,                     //   cmp rax, [rbx+64]
  0x74, 0x81,                                 //   je matched
  0xe9, 0x76, 0xff, 0xff, 0xff,               //   jmp next
  // end:
  0x48, 0x89, 0xf8,                           //   mov rax, rdi
  0x41, 0x5c,                                 //   pop r12
  0x5b,                                       //   pop rbx
  0xc3,                                       //   ret
]);
