import assert from "assert";
import type { LinuxSeccomp, LinuxSyscall } from "../../spec/types.ts";
import { SpecError } from "../../spec/error.ts";
import { runFilter } from "../../../tests/support/bpf.ts";
import { eachSyscall } from "./architecture.ts";
import { compileSeccomp } from "./compile.ts";
import { filterFlags } from "./flags.ts";
import { defaultProfile } from "./default_profile.ts";
import { X86_64 } from "./syscalls_x86_64.ts";

const X86_64_ARCH = 0xc000_003e;
const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;
const SOCKET = 41;

function profile(...syscalls: LinuxSyscall[]): LinuxSeccomp {
  return { defaultAction: "SCMP_ACT_ERRNO", syscalls };
}

function rule(action: string, op?: string, value = 0, errnoRet?: number): LinuxSyscall {
  return {
    names: ["socket"],
    action: `SCMP_ACT_${action}`,
    ...errnoRet === undefined ? {} : { errnoRet },
    ...op === undefined ? {} : { args: [{ index: 0, value, op: `SCMP_CMP_${op}` }] },
  };
}

/** The answers to socket(2) with each first argument. */
function answers(of: LinuxSeccomp, ...values: number[]): number[] {
  const { filter } = compileSeccomp(of, "x86_64");
  return values.map((value) =>
    runFilter(filter, { nr: SOCKET, arch: X86_64_ARCH, args: [BigInt(value)] }).action
  );
}

Deno.test("each action is SECCOMP_RET_* with its data", () => {
  const data = { ERRNO: 0x0005_0007, TRACE: 0x7ff0_0007 };
  const plain = {
    ALLOW,
    KILL: 0,
    KILL_THREAD: 0,
    KILL_PROCESS: 0x8000_0000,
    LOG: 0x7ffc_0000,
    TRAP: 0x0003_0000,
  };
  for (const [name, value] of Object.entries({ ...data, ...plain })) {
    assert.deepEqual(answers(profile(rule(name, undefined, 0, 7)), 2), [value], name);
  }
  assert.deepEqual(answers(profile(rule("TRACE")), 2), [0x7ff0_0001]);
});

Deno.test("of rules that overlap the most specific one decides, wherever it is listed", () => {
  const rules = [rule("ALLOW", "GT", 0), rule("TRAP", "LT", 9), rule("LOG", "EQ", 5)];
  for (const listed of [rules, rules.toReversed()]) {
    const result = answers(profile(...listed), 0, 5, 8, 9, 10);
    assert.deepEqual(result, [0x0003_0000, 0x7ffc_0000, 0x0003_0000, ALLOW, ALLOW]);
  }
});

Deno.test("a rule without arguments decides alone, the first of several", () => {
  const all = profile(rule("LOG", "EQ", 5), rule("ALLOW"), rule("TRAP"), rule("TRAP", "EQ", 6));
  assert.deepEqual(answers(all, 5, 6, 7), [ALLOW, ALLOW, ALLOW]);
});

Deno.test("rules of the default action change nothing", () => {
  const all = profile(rule("ERRNO", undefined, 0, 1), rule("ALLOW", "EQ", 5));
  assert.deepEqual(answers(all, 5, 6), [ALLOW, EPERM]);
});

Deno.test("conditions of which two are of one argument are a rule each", () => {
  const args = [4, 6].map((value) => ({ index: 0, value, op: "SCMP_CMP_EQ" }));
  const all = profile({ names: ["socket"], action: "SCMP_ACT_ALLOW", args });
  assert.deepEqual(answers(all, 4, 5, 6), [ALLOW, EPERM, ALLOW]);
});

Deno.test("calls newer than those named are unknown, unless unknown calls go ahead", () => {
  const named = profile({ names: ["futex_waitv"], action: "SCMP_ACT_ALLOW" });
  const newer = { nr: 450, arch: X86_64_ARCH };
  const of = (seccomp: LinuxSeccomp) => runFilter(compileSeccomp(seccomp, "x86_64").filter, newer);
  assert.equal(of(named).action, 0x0005_0026);
  assert.equal(of({ ...named, defaultAction: "SCMP_ACT_KILL" }).action, 0x0005_0026);
  assert.equal(of({ ...named, defaultAction: "SCMP_ACT_LOG" }).action, 0x7ffc_0000);
  assert.equal(of(profile()).action, EPERM);
});

Deno.test("the default profile is asked for any call with at most 16 instructions", () => {
  const inputs = { capabilities: new Set<string>(), arch: "x86_64", kernel: [6, 1] } as const;
  const { filter } = compileSeccomp(defaultProfile(inputs), "x86_64");
  for (let nr = 0; nr < 500; nr++) {
    const isChoice = [41, 56, 135].includes(nr); // socket, clone, personality look at arguments.
    const { steps } = runFilter(filter, { nr, arch: X86_64_ARCH });
    assert.ok(steps <= (isChoice ? 40 : 16), `${nr}: ${steps}`);
  }
});

const all: string[] = [];
eachSyscall(X86_64, (name) => all.push(name));
const tooLong = profile(...all.map((name, value): LinuxSyscall => ({
  names: [name],
  action: "SCMP_ACT_ALLOW",
  args: [0, 1, 2].map((index) => ({ index, value, op: "SCMP_CMP_GT" })),
})));

const REFUSED: [string, LinuxSeccomp, RegExp][] = [
  ["an unknown default action", { defaultAction: "ALLOW" }, /defaultAction: "ALLOW" is not an/],
  ["an unknown action", profile(rule("MAYBE")), /syscalls\[0\]\.action: "SCMP_ACT_MAYBE" is not/],
  ["an unknown operator", profile(rule("ALLOW", "IS", 1)), /args\[0\]\.op: "SCMP_CMP_IS" is not/],
  ["a name of Object as an action", { defaultAction: "toString" }, /"toString" is not an action/],
  [
    "an unknown architecture",
    { ...profile(), architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_VAX"] },
    /architectures\[1\]: there is no architecture "SCMP_ARCH_VAX"/,
  ],
  [
    "two actions for one argument",
    profile(rule("ALLOW", "EQ", 1), rule("TRAP", "EQ", 1)),
    /"socket" has two actions for the same arguments/,
  ],
  ["a filter longer than the kernel takes", tooLong, /the kernel takes at most 4096/],
  ["an unknown flag", { ...profile(), flags: ["SECCOMP_FILTER_FLAG_NEW"] }, /flags\[0\]: /],
];

for (const [name, seccomp, message] of REFUSED) {
  Deno.test(`${name} is refused`, () => {
    assert.throws(() => {
      compileSeccomp(seccomp, "x86_64");
      filterFlags(seccomp);
    }, (error) => error instanceof SpecError && message.test(error.message));
  });
}

Deno.test("architectures of other machines are passed over", () => {
  const foreign = { ...profile(), architectures: ["SCMP_ARCH_S390X", "SCMP_ARCH_RISCV64"] };
  const { filter } = compileSeccomp(foreign, "x86_64");
  assert.deepEqual(filter, compileSeccomp(profile(), "x86_64").filter);
});
