import assert from "assert";
import fc from "fast-check";
import {
  capabilitiesIn,
  fieldOf,
  hardLimit,
  inBytes,
  isAtLeast,
  isInitialMap,
  mountIn,
  swapBytes,
} from "./text.ts";

/** Lines of /proc/self/status, /proc/self/mountinfo, /proc/self/limits and /proc/swaps. */
const STATUS = "Name:\tcat\nNoNewPrivs:\t0\nCapEff:\t0000000000000005\nSeccomp_filters:\t2\n";
const MOUNTINFO = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 22 0:25 / /var rw,nosuid - tmpfs tmpfs rw,size=1024k
31 22 0:26 / /var/a\\040b rw - xfs /dev/sdb rw
`;
const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            1024                 524288               files
`;
const SWAPS = `Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority
/swapfile                               file\t\t2048\t\t0\t\t-2
/dev/sdb                                partition\t1024\t\t0\t\t-3
`;

Deno.test("a mask's lowest bit is the first capability", () => {
  assert.deepEqual(capabilitiesIn(STATUS, "CapEff", ["a", "b", "c"]), ["a", "c"]);
});

Deno.test("a mask that is missing or no number holds no capability", () => {
  assert.deepEqual(capabilitiesIn(STATUS, "CapBnd", ["a"]), []);
  assert.deepEqual(capabilitiesIn("CapEff:\tx\n", "CapEff", ["a"]), []);
});

Deno.test("a field's name is whole: Seccomp is not Seccomp_filters", () => {
  assert.equal(fieldOf(STATUS, "Seccomp"), undefined);
  assert.equal(fieldOf(STATUS, "Seccomp_filters"), "2");
});

Deno.test("a mount is found by its whole id, and blanks in its path are read", () => {
  assert.deepEqual(mountIn(MOUNTINFO, "31"), { point: "/var/a b", type: "xfs" });
  assert.deepEqual(mountIn(MOUNTINFO, "22"), { point: "/", type: "ext4" });
  assert.equal(mountIn(MOUNTINFO, "3"), undefined);
});

Deno.test("any text may stand for mountinfo", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (text, id) => {
    mountIn(text, id);
    mountIn(`${id} ${text}`, id);
  }));
});

Deno.test("a hard limit is the second number; unlimited is Infinity", () => {
  assert.equal(hardLimit(LIMITS, "Max open files"), 524288);
  assert.equal(hardLimit(LIMITS, "Max cpu time"), Infinity);
  assert.equal(hardLimit(LIMITS, "Max open"), undefined);
});

Deno.test("6.1 is at least 5.12, 5.4 is not, and a text without a number is nothing", () => {
  assert.ok(isAtLeast("6.1.0-56-cloud-amd64", 5, 12));
  assert.ok(isAtLeast("5.12-rc1", 5, 12));
  assert.ok(!isAtLeast("5.4.0", 5, 12));
  assert.ok(!isAtLeast("unknown", 0, 0));
});

Deno.test("only a map of all ids onto themselves is the initial one", () => {
  assert.ok(isInitialMap("         0          0 4294967295\n"));
  assert.ok(!isInitialMap("         0       1000          1\n"));
  assert.ok(!isInitialMap("0 0 1000\n1000 1000 4294966295\n"));
});

Deno.test("swap is the sum of all areas in bytes", () => {
  assert.equal(swapBytes(SWAPS), 3072 * 1024);
  assert.equal(swapBytes("Filename Type Size Used Priority\n"), 0);
  assert.equal(swapBytes(""), 0);
});

Deno.test("1536 bytes are 1.5 KiB", () => {
  assert.equal(inBytes(1536), "1.5 KiB");
  assert.equal(inBytes(1023), "1023 B");
});
