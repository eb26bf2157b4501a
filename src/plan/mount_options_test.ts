import assert from "assert";
import fc from "fast-check";
import * as C from "../../ffi/constants.ts";
import { SpecError } from "../spec/error.ts";
import { type MountOptions, newMountAttributes, parseMountOptions } from "./mount_options.ts";

const parse = (text: string) => parseMountOptions(text === "" ? [] : text.split(","), "mounts[0]");

/** What is not empty of parsed options, the attributes by name. */
function shown(options: MountOptions): Record<string, unknown> {
  const entries = Object.entries(options).map(([key, value]) =>
    /^(set|clear)/.test(key) ? [key, Object.keys(value).join("|")] : [key, value]
  );
  return Object.fromEntries(
    entries.filter(([, value]) => value !== "" && value !== false && value.length !== 0),
  );
}

const TABLE: [options: string, parsed: Record<string, unknown>][] = [
  ["", {}],
  ["defaults,async,", {}],
  ["ro", { set: "MOUNT_ATTR_RDONLY" }],
  ["rw", { clear: "MOUNT_ATTR_RDONLY" }],
  ["ro,rw", { clear: "MOUNT_ATTR_RDONLY" }],
  ["rw,ro", { set: "MOUNT_ATTR_RDONLY" }],
  ["rro", { setBelow: "MOUNT_ATTR_RDONLY" }],
  ["rrw", { clearBelow: "MOUNT_ATTR_RDONLY" }],
  ["nosuid,nodev,noexec", { set: "MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC" }],
  ["nosuid,suid,dev,exec", {
    clear: "MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC",
  }],
  ["rnosuid,rdev", { setBelow: "MOUNT_ATTR_NOSUID", clearBelow: "MOUNT_ATTR_NODEV" }],
  ["noatime", { set: "MOUNT_ATTR_NOATIME", clear: "MOUNT_ATTR__ATIME" }],
  ["noatime,relatime", { clear: "MOUNT_ATTR__ATIME" }],
  ["noatime,strictatime", { set: "MOUNT_ATTR_STRICTATIME", clear: "MOUNT_ATTR__ATIME" }],
  ["strictatime,atime", { clear: "MOUNT_ATTR__ATIME" }],
  ["rnoatime", { setBelow: "MOUNT_ATTR_NOATIME", clearBelow: "MOUNT_ATTR__ATIME" }],
  ["rrelatime", { clearBelow: "MOUNT_ATTR__ATIME" }],
  ["nodiratime,nosymfollow", { set: "MOUNT_ATTR_NODIRATIME|MOUNT_ATTR_NOSYMFOLLOW" }],
  ["bind", { bind: { below: false } }],
  ["rbind,rslave", {
    bind: { below: true },
    propagation: { flag: { MS_SLAVE: C.MS_SLAVE }, below: true },
  }],
  ["private,shared", { propagation: { flag: { MS_SHARED: C.MS_SHARED }, below: false } }],
  ["unbindable", { propagation: { flag: { MS_UNBINDABLE: C.MS_UNBINDABLE }, below: false } }],
  ["idmap", { idmap: { below: false } }],
  ["ridmap", { idmap: { below: true } }],
  ["tmpcopyup", { copyUp: true }],
  ["size=64k,mode=1777,newinstance", { data: ["size=64k", "mode=1777", "newinstance"] }],
  ["rsize=32768,sync", { data: ["rsize=32768", "sync"] }],
];

for (const [options, parsed] of TABLE) {
  Deno.test(`mount options "${options}" mean what they say`, () => {
    assert.deepEqual(shown(parse(options)), parsed);
  });
}

Deno.test("a bind mount with a copy of what it hides is refused", () => {
  const isNamed = (error: unknown) =>
    error instanceof SpecError && error.message.includes("mounts[0]");
  assert.throws(() => parse("bind,tmpcopyup"), isNamed);
});

Deno.test("a new filesystem is mounted with the attributes of both kinds", () => {
  const { named } = newMountAttributes(parse("ro,rnosuid,nodev,dev"));
  assert.deepEqual(Object.keys(named), ["MOUNT_ATTR_RDONLY", "MOUNT_ATTR_NOSUID"]);
});

/** What leaves access times to the kernel's default. */
const ACCESS_TIMES = ["relatime", "atime", "norelatime", "nostrictatime"];

/** Each attribute by the options that decide it; the last one given counts. */
const DECIDERS: [attribute: string, on: string, off: string[]][] = [
  ["MOUNT_ATTR_RDONLY", "ro", ["rw"]],
  ["MOUNT_ATTR_NOSUID", "nosuid", ["suid"]],
  ["MOUNT_ATTR_NODEV", "nodev", ["dev"]],
  ["MOUNT_ATTR_NOEXEC", "noexec", ["exec"]],
  ["MOUNT_ATTR_NODIRATIME", "nodiratime", ["diratime"]],
  ["MOUNT_ATTR_NOSYMFOLLOW", "nosymfollow", ["symfollow"]],
  ["MOUNT_ATTR_NOATIME", "noatime", ["strictatime", ...ACCESS_TIMES]],
  ["MOUNT_ATTR_STRICTATIME", "strictatime", ["noatime", ...ACCESS_TIMES]],
];

Deno.test("of options that contradict each other the last one counts", () => {
  const words = [...new Set(DECIDERS.flatMap(([, on, off]) => [on, ...off]))];
  fc.assert(fc.property(
    fc.array(fc.constantFrom(...words), { maxLength: 12 }),
    fc.boolean(),
    (options, below) => {
      const given = below ? options.map((option) => `r${option}`) : options;
      const parsed = parseMountOptions(given, "");
      const [set, clear] = below
        ? [parsed.setBelow, parsed.clearBelow]
        : [parsed.set, parsed.clear];
      for (const [attribute, on, off] of DECIDERS) {
        const last = options.findLast((option) => option === on || off.includes(option));
        assert.equal(attribute in set, last === on, `${attribute} of ${given}`);
        if (!attribute.includes("TIME") || attribute.includes("DIR")) {
          assert.equal(attribute in clear, last !== undefined && last !== on);
        }
      }
      // mount_setattr(2) refuses an access time that is set without the whole field being cleared.
      const times = Number("MOUNT_ATTR_NOATIME" in set) + Number("MOUNT_ATTR_STRICTATIME" in set);
      assert.ok(times <= 1 && (times === 0 || "MOUNT_ATTR__ATIME" in clear));
      const other = below ? parsed.set : parsed.setBelow;
      assert.deepEqual(other, {});
    },
  ));
});
