import assert from "assert";
import fc from "fast-check";
import { SpecError } from "../spec/error.ts";
import type { LinuxDeviceCgroup } from "../spec/types.ts";
import { deviceProgram } from "./device_program.ts";
import { MKNOD, READ, v1DeviceSettings, WRITE } from "./devices.ts";

function written(devices: LinuxDeviceCgroup[]): string[] {
  return v1DeviceSettings(devices).map(({ file, content }) => `${file} ${content}`);
}

const denyAll: LinuxDeviceCgroup = { allow: false, access: "rwm" };
const allowAll: LinuxDeviceCgroup = { allow: true, type: "a", access: "rwm" };

Deno.test("v1 writes only the end result: all or none, then the exceptions", () => {
  assert.deepEqual(
    written([
      allowAll,
      denyAll,
      { allow: true, type: "c", major: 1, minor: 3, access: "rw" },
      { allow: true, type: "b", major: 8, access: "rwm" },
      { allow: true, type: "u", major: 10, minor: 229 },
      { allow: false, type: "c", major: 10, minor: 229, access: "rwm" },
      { allow: true, type: "c", access: "m" },
    ]),
    [
      "devices.deny a",
      "devices.allow c 1:3 rwm",
      "devices.allow b 8:* rwm",
      "devices.allow c *:* m",
    ],
  );
});

Deno.test("v1 denies everything before a list that only allows", () => {
  assert.deepEqual(written([{ allow: true, type: "c", major: 1, minor: 5, access: "r" }]), [
    "devices.deny a",
    "devices.allow c 1:5 r",
  ]);
  assert.deepEqual(written([]), []);
});

Deno.test("v1 writes denied exceptions after all was allowed", () => {
  assert.deepEqual(written([allowAll, { allow: false, type: "b", major: 8, access: "w" }]), [
    "devices.allow a",
    "devices.deny b 8:* w",
  ]);
});

Deno.test("v1 refuses a hole in an exception, which its kernel would pass over in silence", () => {
  const hole = [
    { allow: true, type: "c", major: 1, access: "rwm" },
    { allow: false, type: "c", major: 1, minor: 3, access: "w" },
  ];
  assert.throws(() => written(hole), /cannot take "c 1:3 w" out of "c 1:\* rwm"/);
});

Deno.test("a type of all with a number or part of the access is both kinds of device", () => {
  assert.deepEqual(written([{ allow: true, type: "a", major: 8, access: "r" }]), [
    "devices.deny a",
    "devices.allow b 8:* r",
    "devices.allow c 8:* r",
  ]);
  assert.deepEqual(written([{ allow: true, access: "m" }]), [
    "devices.deny a",
    "devices.allow b *:* m",
    "devices.allow c *:* m",
  ]);
});

Deno.test("unknown device types and accesses are refused with their place", () => {
  assert.throws(() => written([denyAll, { allow: true, type: "p" }]), /devices\[1\]\.type: "p"/);
  assert.throws(() => written([{ allow: true, access: "rx" }]), SpecError);
});

Deno.test("the eBPF program of one rule is the listing's", () => {
  const hex = (devices: LinuxDeviceCgroup[]) =>
    [...deviceProgram(devices)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
      .match(/.{16}/g);
  const start = [
    "6112000000000000", // r2 = *(u32 *)(r1 + 0)
    "bf23000000000000", // r3 = r2
    "57030000ffff0000", // r3 &= 65535
    "7702000010000000", // r2 >>= 16
    "6114040000000000", // r4 = *(u32 *)(r1 + 4)
    "6115080000000000", // r5 = *(u32 *)(r1 + 8)
  ];
  assert.deepEqual(hex([denyAll]), [...start, "b700000000000000", "9500000000000000"]);
  assert.deepEqual(hex([{ allow: true, type: "c", major: 1, minor: 3, access: "rw" }]), [
    ...start,
    "5503060002000000", // if r3 != 2 goto +6
    "5504050001000000", // if r4 != 1 goto +5
    "5505040003000000", // if r5 != 3 goto +4
    "5702000001000000", // r2 &= 1
    "5502020000000000", // if r2 != 0 goto +2
    "b700000001000000", // r0 = 1
    "9500000000000000", // exit
    "b700000000000000", // r0 = 0
    "9500000000000000", // exit
  ]);
  assert.deepEqual(hex([{ allow: false, type: "b", access: "m" }])?.slice(6), [
    "5503040001000000", // if r3 != 1 goto +4
    "4502010001000000", // if r2 & 1 goto +1
    "0500020000000000", // goto +2
    "b700000000000000", // r0 = 0
    "9500000000000000", // exit
    "b700000000000000", // r0 = 0
    "9500000000000000", // exit
  ]);
});

interface Access {
  type: "b" | "c";
  major: number;
  minor: number;
  access: number;
}

/** The definition: for each kind of access asked for, the last rule that speaks of it holds. */
function allowed(devices: LinuxDeviceCgroup[], asked: Access): boolean {
  return ([["r", READ], ["w", WRITE], ["m", MKNOD]] as const).every(([letter, bit]) => {
    if ((asked.access & bit) === 0) return true;
    const rule = devices.findLast(({ type, major, minor, access }) =>
      (type === "a" || type === asked.type) && (major === -1 || major === asked.major) &&
      (minor === -1 || minor === asked.minor) && access?.includes(letter)
    );
    return rule?.allow ?? false;
  });
}

/** Runs the eight instructions the generator uses; instruction-set.rst. */
function run(program: Uint8Array, asked: Access): boolean {
  const view = new DataView(program.buffer);
  const context = [(asked.type === "b" ? 1 : 2) | asked.access << 16, asked.major, asked.minor];
  const r: number[] = [];
  for (let pc = 0;; pc++) {
    const code = view.getUint8(pc * 8), regs = view.getUint8(pc * 8 + 1);
    const off = view.getInt16(pc * 8 + 2, true), imm = view.getInt32(pc * 8 + 4, true);
    const dst = regs & 15, src = regs >> 4, value = r[dst] ?? 0;
    if (code === 0x61) r[dst] = context[off / 4] ?? NaN;
    else if (code === 0xbf) r[dst] = r[src] ?? NaN;
    else if (code === 0xb7) r[dst] = imm;
    else if (code === 0x57) r[dst] = value & imm;
    else if (code === 0x77) r[dst] = value >>> imm;
    else if (code === 0x05) pc += off;
    else if (code === 0x55) pc += value !== imm ? off : 0;
    else if (code === 0x45) pc += (value & imm) !== 0 ? off : 0;
    else if (code === 0x95) return r[0] === 1;
    else assert.fail(`opcode ${code} at ${pc}`);
  }
}

/** What the kernel's devices controller makes of the writes; security/device_cgroup.c. */
function v1Allows(devices: LinuxDeviceCgroup[], asked: Access): boolean {
  const [base, ...rest] = written(devices);
  const exceptions = rest.map((line) => {
    const [, type, major, minor, letters = ""] = /^\S+ (.) (.+):(.+) (.*)$/.exec(line) ?? [];
    const access = (letters.includes("r") ? READ : 0) | (letters.includes("w") ? WRITE : 0) |
      (letters.includes("m") ? MKNOD : 0);
    return { type, major, minor, access };
  }).filter(({ type, major, minor }) =>
    type === asked.type && (major === "*" || Number(major) === asked.major) &&
    (minor === "*" || Number(minor) === asked.minor)
  );
  return base === "devices.allow a"
    ? exceptions.every(({ access }) => (access & asked.access) === 0)
    : exceptions.some(({ access }) => (asked.access & ~access) === 0);
}

const number = fc.constantFrom(-1, 1, 2);
const rules = fc.array(
  fc.record({
    allow: fc.boolean(),
    type: fc.constantFrom("a", "b", "c"),
    major: number,
    minor: number,
    access: fc.constantFrom("r", "w", "m", "rw", "rwm"),
  }),
  { minLength: 1, maxLength: 8 },
);
const asked = fc.record({
  type: fc.constantFrom("b" as const, "c" as const),
  major: fc.integer({ min: 1, max: 3 }),
  minor: fc.integer({ min: 1, max: 3 }),
  access: fc.integer({ min: 1, max: 7 }),
});

Deno.test("the eBPF program answers as the last rule for each access does", () => {
  fc.assert(fc.property(rules, asked, (devices, access) => {
    assert.equal(run(deviceProgram(devices), access), allowed(devices, access));
  }));
});

Deno.test("v1's files never allow what the rules deny, nor deny one access they allow", () => {
  fc.assert(fc.property(rules, asked, (devices, access) => {
    try {
      written(devices);
    } catch (error) {
      assert.ok(error instanceof SpecError);
      return;
    }
    const expected = allowed(devices, access);
    if (v1Allows(devices, access)) assert.ok(expected);
    else if ([READ, WRITE, MKNOD].includes(access.access)) assert.ok(!expected);
  }));
});
