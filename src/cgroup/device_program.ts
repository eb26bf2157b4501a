/**
 * Device rules as an eBPF program, as cgroup v2 wants them: BPF_PROG_TYPE_CGROUP_DEVICE.
 * @see bpf(2), linux/bpf.h, the kernel's bpf/standardization/instruction-set.rst, cgroup-v2.rst#device-controller
 * @module
 */
import type { LinuxDeviceCgroup } from "../spec/types.ts";
import { ALL, type DeviceRule, deviceRules } from "./devices.ts";

/** Opcodes: class, size or source, operation; linux/bpf_common.h, linux/bpf.h. */
const LDX_W = 0x61, // BPF_LDX | BPF_MEM | BPF_W: dst = *(u32 *)(src + off)
  MOV_X = 0xbf, // BPF_ALU64 | BPF_MOV | BPF_X
  MOV_K = 0xb7, // BPF_ALU64 | BPF_MOV | BPF_K
  AND_K = 0x57, // BPF_ALU64 | BPF_AND | BPF_K
  RSH_K = 0x77, // BPF_ALU64 | BPF_RSH | BPF_K
  JA = 0x05, // BPF_JMP | BPF_JA
  JNE_K = 0x55, // BPF_JMP | BPF_JNE | BPF_K
  JSET_K = 0x45, // BPF_JMP | BPF_JSET | BPF_K
  EXIT = 0x95; // BPF_JMP | BPF_EXIT

/** BPF_DEVCG_DEV_BLOCK and BPF_DEVCG_DEV_CHAR of linux/bpf.h. */
const DEV = { b: 1, c: 2 };

/** [opcode, dst, src, off, imm], dst and src being register numbers. */
type Instruction = [number, number, number, number, number];

/**
 * The rules as instructions of 8 bytes each, for BPF_PROG_LOAD; the byte order is little-endian,
 * as on all of Deno's machines. The program returns 1 to allow an access, 0 to deny it.
 *
 * ```
 *        struct bpf_cgroup_dev_ctx { u32 access_type; u32 major; u32 minor; } *r1;
 *        r2 = r1->access_type
 *        r3 = r2
 *        r3 &= 0xffff            // the type: 1 block, 2 char
 *        r2 >>= 16               // what is asked for: 1 mknod, 2 read, 4 write
 *        r4 = r1->major
 *        r5 = r1->minor
 *                                // for each rule, the last one first:
 *        if r3 != type goto next
 *        if r4 != major goto next
 *        if r5 != minor goto next
 *                                // a rule that allows grants its part and
 *        r2 &= ~access
 *        if r2 != 0 goto next    // leaves the rest to the rules before it
 *        r0 = 1
 *        exit
 *                                // a rule that denies ends it if it speaks of any that is left
 *        if r2 & access goto +1
 *        goto next
 *        r0 = 0
 *        exit
 *  next:                         // no rule is left
 *        r0 = 0
 *        exit
 * ```
 * Tests that cannot fail are left out, and so is what follows a rule that decides all there is:
 * the verifier refuses instructions that are never reached.
 * @throws SpecError for rules that are not well-formed
 */
export function deviceProgram(devices: LinuxDeviceCgroup[]): Uint8Array {
  const program: Instruction[] = [
    [LDX_W, 2, 1, 0, 0],
    [MOV_X, 3, 2, 0, 0],
    [AND_K, 3, 0, 0, 0xffff],
    [RSH_K, 2, 0, 0, 16],
    [LDX_W, 4, 1, 4, 0],
    [LDX_W, 5, 1, 8, 0],
  ];
  for (const rule of deviceRules(devices).reverse()) {
    program.push(...ruleInstructions(rule));
    if (rule.type === "a" && rule.access === ALL) return bytesOf(program);
  }
  program.push([MOV_K, 0, 0, 0, 0], [EXIT, 0, 0, 0, 0]);
  return bytesOf(program);
}

function ruleInstructions({ allow, type, major, minor, access }: DeviceRule): Instruction[] {
  if (access === 0) return [];
  const answer: Instruction[] = [[MOV_K, 0, 0, 0, allow ? 1 : 0], [EXIT, 0, 0, 0, 0]];
  // Offsets count from the following instruction.
  const toNext = answer.length;
  const decide: Instruction[] = access === ALL
    ? []
    : allow
    ? [[AND_K, 2, 0, 0, ALL & ~access], [JNE_K, 2, 0, toNext, 0]]
    : [[JSET_K, 2, 0, 1, access], [JA, 0, 0, toNext, 0]];
  const body = [...decide, ...answer];
  const tests: [number, number][] = [];
  if (type !== "a") tests.push([3, DEV[type]]);
  if (major >= 0) tests.push([4, major]);
  if (minor >= 0) tests.push([5, minor]);
  const jumps = tests.map((
    [register, value],
    i,
  ): Instruction => [JNE_K, register, 0, tests.length - 1 - i + body.length, value]);
  return [...jumps, ...body];
}

/** `struct bpf_insn { u8 code; u8 dst_reg:4, src_reg:4; s16 off; s32 imm; }`; linux/bpf.h. */
function bytesOf(program: Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, [code, dst, src, off, imm]] of program.entries()) {
    view.setUint8(i * 8, code);
    view.setUint8(i * 8 + 1, dst | src << 4);
    view.setInt16(i * 8 + 2, off, true);
    view.setInt32(i * 8 + 4, imm, true);
  }
  return bytes;
}
