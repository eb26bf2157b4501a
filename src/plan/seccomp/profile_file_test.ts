import assert from "assert";
import { SpecError } from "../../spec/mod.ts";
import type { ProfileInputs } from "./default_profile.ts";
import { readProfile } from "./profile_file.ts";

const INPUTS: ProfileInputs = {
  arch: "x86_64",
  kernel: [6, 1],
  capabilities: new Set(["CAP_KILL", "CAP_CHOWN"]),
};

/** Whether a rule with these further fields is kept. */
function keeps(conditions: Record<string, unknown>, inputs: Partial<ProfileInputs> = {}): boolean {
  const rule = { names: ["read"], action: "SCMP_ACT_ALLOW", ...conditions };
  const text = JSON.stringify({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [rule] });
  return readProfile(text, { ...INPUTS, ...inputs }).syscalls?.length === 1;
}

Deno.test("a rule of linux.seccomp is kept as it is, but with empty lists for null", () => {
  const seccomp = {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 38,
    architectures: ["SCMP_ARCH_X86"],
    flags: ["SECCOMP_FILTER_FLAG_LOG"],
    syscalls: [{
      names: ["ioctl", "read"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 7,
      args: [{ index: 1, value: 8, valueTwo: 9, op: "SCMP_CMP_MASKED_EQ" }],
    }],
  };
  assert.deepEqual(readProfile(JSON.stringify(seccomp), INPUTS), seccomp);
  const sparse = '{"defaultAction":"A","architectures":null,"syscalls":null}';
  assert.deepEqual(readProfile(sparse, INPUTS), { defaultAction: "A", syscalls: [] });
});

Deno.test("values of 64 bits stay exact", () => {
  const rule = '{"names":["read"],"action":"A","args":[{"index":0,"op":"O","value":V}]}';
  const read = (value: string) => {
    const text = `{"defaultAction":"A","syscalls":[${rule.replace("V", value)}]}`;
    return readProfile(text, INPUTS).syscalls?.[0]?.args?.[0]?.value;
  };
  assert.equal(read("18446744073709551615"), 2n ** 64n - 1n);
  assert.equal(read("9007199254740993"), 2n ** 53n + 1n);
  assert.equal(read("38"), 38);
  for (const value of ["18446744073709551616", "-1", "1.5", '"1"', "null"]) {
    assert.throws(() => read(value), SpecError);
  }
});

Deno.test("includes needs all capabilities, one of the architectures and the kernel", () => {
  assert.equal(keeps({ includes: {} }), true);
  assert.equal(keeps({ includes: null }), true);
  assert.equal(keeps({ includes: { caps: ["CAP_KILL", "CAP_CHOWN"] } }), true);
  assert.equal(keeps({ includes: { caps: ["CAP_KILL", "CAP_BPF"] } }), false);
  assert.equal(keeps({ includes: { arches: ["arm64", "amd64"] } }), true);
  assert.equal(keeps({ includes: { arches: ["arm", "arm64"] } }), false);
  assert.equal(keeps({ includes: { arches: ["arm", "arm64"] } }, { arch: "aarch64" }), true);
  for (const [minKernel, kept] of [["4.8", true], ["6.1", true], ["6.2", false], ["7.0", false]]) {
    assert.equal(keeps({ includes: { minKernel } }), kept);
    assert.equal(keeps({ excludes: { minKernel } }), !kept);
  }
});

Deno.test("excludes needs one of the capabilities or architectures", () => {
  assert.equal(keeps({ excludes: {} }), true);
  assert.equal(keeps({ excludes: { caps: ["CAP_BPF"] } }), true);
  assert.equal(keeps({ excludes: { caps: ["CAP_BPF", "CAP_KILL"] } }), false);
  assert.equal(keeps({ excludes: { arches: ["amd64"] } }), false);
  assert.equal(keeps({ excludes: { arches: ["s390x"] }, includes: { caps: ["CAP_KILL"] } }), true);
});

Deno.test("archMap gives the native architecture and those that come with it", () => {
  const archMap = [
    { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] },
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: null },
  ];
  const read = (arch: ProfileInputs["arch"]) =>
    readProfile(JSON.stringify({ defaultAction: "A", archMap }), { ...INPUTS, arch });
  assert.deepEqual(read("x86_64").architectures, ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]);
  assert.deepEqual(read("aarch64").architectures, ["SCMP_ARCH_AARCH64"]);
});

Deno.test("a call has its name in names, or in name as in older profiles", () => {
  const text = '{"defaultAction":"A","syscalls":[{"name":"read","action":"B"}]}';
  assert.deepEqual(readProfile(text, INPUTS).syscalls?.[0]?.names, ["read"]);
});

for (
  const [text, field] of [
    ["no JSON", "(whole file)"],
    ["[]", "(whole file)"],
    ["{}", "defaultAction"],
    ['{"defaultAction":"A","syscalls":{}}', "syscalls"],
    ['{"defaultAction":"A","syscalls":[[]]}', "syscalls[0]"],
    ['{"defaultAction":"A","syscalls":[{"action":"B"}]}', "syscalls[0].names"],
    ['{"defaultAction":"A","syscalls":[{"names":["a"]}]}', "syscalls[0].action"],
    ['{"defaultAction":"A","syscalls":[{"names":[1],"action":"B"}]}', "syscalls[0].names[0]"],
    ['{"defaultAction":"A","defaultErrnoRet":4294967296}', "defaultErrnoRet"],
    ['{"defaultAction":"A","architectures":["B"],"archMap":[{}]}', "archMap"],
    [
      '{"defaultAction":"A","syscalls":[{"names":["a"],"action":"B","args":[{"value":1}]}]}',
      "syscalls[0].args[0].index",
    ],
    [
      '{"defaultAction":"A","syscalls":[{"names":["a"],"action":"B","includes":{"minKernel":"4"}}]}',
      "syscalls[0].includes.minKernel",
    ],
  ] as const
) {
  Deno.test(`${text} is refused at ${field}`, () => {
    const isThere = (error: unknown) => error instanceof SpecError && error.field === field;
    assert.throws(() => readProfile(text, INPUTS), isThere);
  });
}
