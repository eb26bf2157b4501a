import assert from "assert";
import fc from "fast-check";
import type { LinuxSeccomp, LinuxSeccompArg, LinuxSyscall } from "../../spec/types.ts";
import { type Answer, runFilter, type SeccompData } from "../../../tests/support/bpf.ts";
import { ARCH_TOKENS, LIBSECCOMP, Libseccomp } from "../../../tests/support/libseccomp.ts";
import { test } from "../../../tests/support/mod.ts";
import { eachSyscall, type NativeArchitecture } from "./architecture.ts";
import { compileSeccomp } from "./compile.ts";
import { defaultProfile } from "./default_profile.ts";
import { AARCH64 } from "./syscalls_aarch64.ts";
import { ARM } from "./syscalls_arm.ts";
import { I386 } from "./syscalls_i386.ts";
import { X32, X86_64 } from "./syscalls_x86_64.ts";

const X32_BIT = 2 ** 30;
const SEED = Math.floor(Math.random() * 2 ** 31);

const TABLES: Readonly<Record<string, string>> = {
  SCMP_ARCH_X86_64: X86_64,
  SCMP_ARCH_X32: X32,
  SCMP_ARCH_X86: I386,
  SCMP_ARCH_AARCH64: AARCH64,
  SCMP_ARCH_ARM: ARM,
};

/** AUDIT_ARCH_* by which each kernel is called, and one by which it is not. */
const CALLED_BY: Readonly<Record<NativeArchitecture, number[]>> = {
  x86_64: [0xc000_003e, 0x4000_0003, 0xc000_00b7],
  aarch64: [0xc000_00b7, 0x4000_0028, 0xc000_003e],
};

const NUMBERS = [
  ...Array(601).keys(),
  ...Array.from(Array(601).keys(), (number) => X32_BIT + number),
  ...[9999, 0xf0001, 0xf0005, 0xf0006, 0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xbfff_ffff],
  ...[0xc000_0000, 0xc000_0001, 0xffff_fffe, 0xffff_ffff],
];

/** Around what the default profile compares with, and the limits of a word. */
const VALUES = [0, 1, 2, 3, 8, 0x2_0000, 0x2_0008, 0x200_0000, 0x7e02_0000, 0xffff_ffff]
  .flatMap((value) => [BigInt(value), BigInt(value) + 1n, BigInt(value) + 2n ** 32n])
  .concat(Array.from(Array(70).keys(), BigInt), 2n ** 32n + 38n, 2n ** 64n - 1n);

function judged(name: string, body: (library: Libseccomp) => void): void {
  test(name, { requires: [`file:${LIBSECCOMP}`] }, () => {
    using library = new Libseccomp();
    body(library);
  });
}

judged("each number that libseccomp knows has the same name here", (library) => {
  for (const [arch, table] of Object.entries(TABLES)) {
    const ours = new Map<number, string>();
    eachSyscall(table, (name, number) => ours.set(number, name));
    assert.ok(ours.size > 300, arch);
    const base = arch === "SCMP_ARCH_X32" ? X32_BIT : 0;
    for (
      const number of [
        ...Array(600).keys(),
        ...Array.from(Array(8).keys(), (n) => 0xf0000 + n),
      ]
    ) {
      const name = library.nameOf(base + number, arch);
      if (name !== undefined) assert.equal(ours.get(number), name, `${arch} ${number}`);
    }
  }
});

judged("each name that libseccomp knows has the same number here", (library) => {
  for (const [arch, table] of Object.entries(TABLES)) {
    const base = arch === "SCMP_ARCH_X32" ? X32_BIT : 0;
    eachSyscall(table, (name, number) => {
      const known = library.numberOf(name, arch);
      if (known >= 0) assert.equal(base + number, known, `${arch} ${name}`);
    });
  }
});

for (const native of ["x86_64", "aarch64"] as const) {
  for (const capabilities of ["", "CAP_SYS_CHROOT", "CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_BPF"]) {
    judged(`the default profile on ${native} with "${capabilities}" is libseccomp's`, (library) => {
      const inputs = { arch: native, kernel: [6, 18] as const };
      const unlocked = new Set(capabilities.split(" "));
      const profile = defaultProfile({ ...inputs, capabilities: unlocked });
      const same = comparable(library, profile);
      assertSame(library, same, native, { values: VALUES, judge: library.judge(same, native) });
    });
  }
}

judged("random profiles are answered as libseccomp answers each of their rules", (library) => {
  console.log(`      seed ${SEED}`);
  fc.assert(
    fc.property(anyProfile(library), (profile) => {
      const native = profile.architectures?.[0]?.match(/A(ARCH64|RM)/) ? "aarch64" : "x86_64";
      const judge = library.judgeEach(profile, native);
      assertSame(library, profile, native, { values: valuesAround(profile), judge });
    }),
    { seed: SEED, numRuns: 25, endOnFailure: true },
  );
});

judged("a profile of thousands of instructions is answered as libseccomp answers it", (library) => {
  const names: string[] = [];
  eachSyscall(X86_64, (name) => names.push(name));
  const syscalls = names.map((name, index): LinuxSyscall => ({
    names: [name],
    action: "SCMP_ACT_ERRNO",
    errnoRet: index % 130 + 1,
    args: [{ index: 2, value: index, op: "SCMP_CMP_GE" }],
  }));
  const architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"];
  const profile = comparable(library, {
    defaultAction: "SCMP_ACT_KILL",
    architectures,
    syscalls,
  });
  assert.ok(compileSeccomp(profile, "x86_64").filter.length > 8 * 2000);
  const values = [0n, 1n, 100n, 200n, 300n, 2n ** 32n];
  assertSame(library, profile, "x86_64", { values, judge: library.judge(profile, "x86_64") });
});

/** Asks both filters for all numbers, and where arguments matter for all values in each of them. */
function assertSame(
  library: Libseccomp,
  profile: LinuxSeccomp,
  native: NativeArchitecture,
  { values, judge }: { values: readonly bigint[]; judge: (data: SeccompData) => Answer },
): void {
  const { filter } = compileSeccomp(profile, native);
  const check = (data: SeccompData) => {
    const [ours, theirs] = [runFilter(filter, data), judge(data)];
    if (ours.action !== theirs.action) assert.fail(differing(profile, data, ours, theirs));
  };
  const choosy = new Set<number>([102, 117]); // i386's socketcall(2), ipc(2).
  for (const { names, args = [] } of profile.syscalls ?? []) {
    if (args.length === 0) continue;
    for (const name of names) {
      for (const arch in ARCH_TOKENS) choosy.add(library.numberOf(name, arch));
    }
  }
  for (const arch of CALLED_BY[native]) {
    for (const nr of NUMBERS) {
      check({ nr, arch });
      if (!choosy.has(nr)) continue;
      for (const [index, value] of values.entries()) {
        check({ nr, arch, args: [value] });
        check({ nr, arch, args: [value, values[(index * 7 + 1) % values.length] ?? 0n, value] });
        check({ nr, arch, args: [BigInt(index % 24), value, value] });
      }
    }
  }
}

/** The profile without the names that the library is too old for, on one of the architectures. */
function comparable(library: Libseccomp, profile: LinuxSeccomp): LinuxSeccomp {
  const lacks = new Set<string>();
  for (const [arch, table] of Object.entries(TABLES)) {
    eachSyscall(table, (name) => {
      const number = library.numberOf(name, arch);
      // -101 to -224 are the calls of i386 that go through socketcall(2) and ipc(2).
      if (number === -1 || number < -224) lacks.add(name);
    });
  }
  const syscalls = (profile.syscalls ?? [])
    .map((rule) => ({ ...rule, names: rule.names.filter((name) => !lacks.has(name)) }));
  return { ...profile, syscalls };
}

function differing(profile: LinuxSeccomp, data: SeccompData, ours: unknown, theirs: unknown) {
  return Deno.inspect({ data, ours, theirs, profile }, { depth: 9, iterableLimit: 30 });
}

function valuesAround({ syscalls = [] }: LinuxSeccomp): bigint[] {
  const asked = syscalls.flatMap(({ args = [] }) => args)
    .flatMap(({ value, valueTwo = 0 }) => [BigInt(value), BigInt(valueTwo)]);
  const around = asked.flatMap((v) => [v - 1n, v, v + 1n, v ^ 2n ** 32n, v ^ 2n ** 63n]);
  return [...new Set([0n, ...around.map((value) => BigInt.asUintN(64, value))])].slice(0, 40);
}

/** Calls of which each group has one action: where rules of two overlap, the order decides. */
const GROUPS = [
  ["read", "rt_sigaction", "ioctl", "pidfd_open", "no_such_call"],
  ["socket", "accept4", "semop", "shmget", "socketcall"],
  ["personality", "clone", "chown32", "mmap2", "set_tls"],
] as const;

function anyProfile(library: Libseccomp): fc.Arbitrary<LinuxSeccomp> {
  const action = fc.constantFrom(
    ...["ALLOW", "ERRNO", "KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "TRACE", "LOG"]
      .map((name) => `SCMP_ACT_${name}`),
  );
  const errno = fc.integer({ min: 1, max: 133 });
  const value = fc.oneof(
    fc.constantFrom(0n, 1n, 38n, 0x7e02_0000n, 0xffff_ffffn, 2n ** 32n, 2n ** 64n - 1n),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );
  const operators = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"].map((op) => `SCMP_CMP_${op}`);
  const arg: fc.Arbitrary<LinuxSeccompArg> = fc.record({
    index: fc.integer({ min: 0, max: 2 }),
    value,
    valueTwo: value,
    op: fc.constantFrom(...operators),
  });
  const group = fc.record({ action, errnoRet: errno }).chain((answer) =>
    fc.constantFrom(...GROUPS).chain((names) =>
      fc.array(ruleOf(names, arg, answer), { maxLength: 5 })
    )
  );
  // runc does not count i386's sockets: a call above them is the newest, whatever the other rules.
  const newest = fc.constantFrom("clone3", "epoll_pwait2", "futex_waitv", "cachestat")
    .map((name): LinuxSyscall => ({ names: [name], action: "SCMP_ACT_LOG" }));
  return fc.record({
    defaultAction: action,
    defaultErrnoRet: errno,
    architectures: fc.oneof(
      fc.subarray(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]),
      fc.subarray(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]),
    ),
    syscalls: fc.tuple(newest, group, group, group).map(([rule, ...groups]) => [
      rule,
      ...firstOfEach(groups).flat(),
    ]),
  }).map((profile) => comparable(library, profile));
}

function ruleOf(
  names: readonly string[],
  arg: fc.Arbitrary<LinuxSeccompArg>,
  answer: { action: string; errnoRet: number },
): fc.Arbitrary<LinuxSyscall> {
  return fc.record({
    names: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    args: fc.array(arg, { maxLength: 3 }),
  }).map((rule) => ({ ...rule, ...answer }));
}

/** One list of rules for each group of names. */
function firstOfEach(lists: LinuxSyscall[][]): LinuxSyscall[][] {
  const group = (rules: LinuxSyscall[]) =>
    GROUPS.findIndex((names) => names.some((name) => rules[0]?.names.includes(name)));
  return lists.filter((list, at) =>
    lists.findIndex((other) => group(other) === group(list)) === at
  );
}
