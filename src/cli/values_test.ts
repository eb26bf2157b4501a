/** The parsers of plain values: what docker takes, what it refuses. @module */

import assert from "assert";
import fc from "fast-check";
import { parseHostname, parseName } from "./name.ts";
import {
  parseCpuList,
  parseCpus,
  parseDecimalSize,
  parseDuration,
  parseInteger,
  parseOctal,
  parseSize,
  parseSizeOrUnlimited,
  parseUlimit,
} from "./number.ts";
import { parsePublishedPort } from "./port.ts";
import { parseSignal } from "./signal.ts";
import { UsageError } from "./usage_error.ts";
import { parseIdMap, parseUser } from "./user.ts";

const cpus = (text: string) => parseCpus(text, 4);
const integer = (text: string) => parseInteger(text, -10, 1000);
const octal = (text: string) => parseOctal(text, 0o777);

const TAKEN: [parse: (text: string) => unknown, text: string, value: unknown][] = [
  [parseSize, "0", 0],
  [parseSize, "32", 32],
  [parseSize, "32b", 32],
  [parseSize, "32 KiB", 32 * 1024],
  [parseSize, "10kb", 10 * 1024],
  [parseSize, "1.5g", 1.5 * 2 ** 30],
  [parseSize, ".5m", 2 ** 19],
  [parseSize, "5.M", 5 * 2 ** 20],
  [parseSize, "512 MiB", 2 ** 29],
  [parseSize, "1PB", 2 ** 50],
  [parseSizeOrUnlimited, "-1", -1],
  [parseDecimalSize, "10m", 10_000_000],
  [parseDecimalSize, "1.5kB", 1500],
  [cpus, "0.5", 500_000_000],
  [cpus, "4", 4_000_000_000],
  [cpus, ".01", 10_000_000],
  [cpus, "3/4", 750_000_000],
  [cpus, "0.1", 100_000_000],
  [cpus, "1.000000001", 1_000_000_001],
  [integer, "-10", -10],
  [integer, "0010", 10],
  [octal, "022", 0o22],
  [octal, "0o777", 0o777],
  [parseCpuList, "0", "0"],
  [parseCpuList, "0-3,7", "0-3,7"],
  [parseDuration, "0", 0],
  [parseDuration, "90", 90_000],
  [parseDuration, "1h2m3.5s", 3_723_500],
  [parseDuration, "300ms", 300],
  [parseDuration, "5us", 0.005],
  [parseDuration, "5µs", 0.005],
  [parseUser, "", {}],
  [parseUser, "1", { user: 1 }],
  [parseUser, "1:", { user: 1 }],
  [parseUser, ":1", { group: 1 }],
  [parseUser, "01:002", { user: 1, group: 2 }],
  [parseUser, "www-data:4294967294", { user: "www-data", group: 4294967294 }],
  [parseUser, "a.b$:x_y", { user: "a.b$", group: "x_y" }],
  [parseIdMap, "0:100000:65536", { containerID: 0, hostID: 100000, size: 65536 }],
  [parseSignal, "9", 9],
  [parseSignal, "KILL", 9],
  [parseSignal, "sigterm", 15],
  [parseSignal, "RTMIN", 34],
  [parseSignal, "SIGRTMIN+3", 37],
  [parseSignal, "RTMAX-1", 63],
  [parseSignal, "64", 64],
  [parseName, "a_b.c-1", "a_b.c-1"],
  [parseHostname, "a", "a"],
  [parseHostname, "box-1.example.com", "box-1.example.com"],
  [parseUlimit, "nofile=1024", { type: "RLIMIT_NOFILE", soft: 1024, hard: 1024 }],
  [parseUlimit, "core=0:-1", { type: "RLIMIT_CORE", soft: 0, hard: 2n ** 64n - 1n }],
];

const REFUSED: [parse: (text: string) => unknown, list: string[]][] = [
  [parseSize, ["", "k", "hello", "-32", "1bb", "1kbb", "1x", "1ki", " 32", "32  k", "1ib", "1 2"]],
  [parseSize, ["1e3", "0x10", "1.2.3", "inf", "NaN", "9000000p", "١"]],
  [parseSizeOrUnlimited, ["-2", "-1k", "-0"]],
  [cpus, ["", ".", "0", "0.001", "4.1", "-1", "1/3", "1/0", "0.0000000001", "a", "1e-1"]],
  [integer, ["", "1001", "-11", "1.0", "0x1", "1e2", " 1", "١"]],
  [octal, ["", "8", "1000", "-1", "0x1"]],
  [parseCpuList, ["", "a", "1-", "3-1", "1,,2", "0-99999", "1 - 2", "-1"]],
  [parseDuration, ["", "-1s", "1x", "s", "1s2", "1 s", "1..5s"]],
  [parseUser, ["-1", "+1", "4294967295", "4294967296", "1:2:3", "a b", "a\n", "1.5", "a/b", "-x"]],
  [parseUser, ["18446744073709551616", "root:-1", "\u0001"]],
  [parseIdMap, ["", "0:1", "0:0:0", "4294967294:0:2", "a:b:c", "0:1:2:3", "-1:0:1"]],
  [parseSignal, ["", "0", "65", "SIG", "KILLL", "RTMIN-1", "RTMAX+1", "RTMIN+31", "RTMAX-31"]],
  [parseSignal, ["-9", "1.5", "SIG9"]],
  [parseName, ["", "a", "-a", ".a", "a/b", "a b", "ä1", "a".repeat(201)]],
  [parseHostname, ["", "-a", "a-", "a b", "a/b", "a".repeat(65)]],
  [parseUlimit, ["", "nofile", "nofile=", "as=1", "nofile=2:1", "core=-1:0", "nofile=1:2:3"]],
  [parseUlimit, ["nofile=18446744073709551616", "nofile=-2", "NOFILE=1"]],
];

for (const [parse, text, value] of TAKEN) {
  Deno.test(`${parse.name}() takes "${text}"`, () => {
    assert.deepEqual(parse(text), value);
  });
}

for (const [parse, list] of REFUSED) {
  for (const text of list) {
    Deno.test(`${parse.name}() refuses ${JSON.stringify(text).slice(0, 40)}`, () => {
      assert.throws(() => parse(text), UsageError);
    });
  }
}

for (const parse of new Set(REFUSED.map(([parse]) => parse).concat(parsePublishedPort))) {
  Deno.test(`${parse.name}() throws nothing but UsageError, whatever it gets`, () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."01-+.:/=kms[]") }));
    fc.assert(fc.property(text, (text) => {
      try {
        parse(text);
      } catch (error) {
        assert(error instanceof UsageError, String(error));
      }
    }));
  });
}

Deno.test("parseSize() takes any whole number of any unit exactly", () => {
  const unit = fc.constantFrom("", "k", "m", "g");
  fc.assert(fc.property(fc.nat(8_000_000), unit, (number, unit) => {
    assert.equal(parseSize(`${number}${unit}`), number * 1024 ** ["", "k", "m", "g"].indexOf(unit));
  }));
});

Deno.test("parseCpus() takes each billionth exactly", () => {
  fc.assert(fc.property(fc.integer({ min: 10_000_000, max: 4_000_000_000 }), (billionths) => {
    const text = String(billionths).padStart(10, "0").replace(/(.{9})$/, ".$1");
    assert.equal(cpus(text), billionths);
  }));
});

Deno.test("parseUser() never makes a name of digits, nor an id of a name", () => {
  fc.assert(fc.property(fc.nat(2 ** 31 - 1), fc.string(), (id, name) => {
    assert.deepEqual(parseUser(`${id}:00${id}`), { user: id, group: id });
    try {
      const { user } = parseUser(name);
      assert.equal(typeof user === "number", /^\d+(:|$)/.test(name));
    } catch (error) {
      assert(error instanceof UsageError, String(error));
    }
  }));
});

Deno.test("parseSignal() takes each number and its name for the same", () => {
  const names = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM".split(" ");
  for (const [index, name] of names.entries()) {
    assert.equal(parseSignal(`SIG${name}`), parseSignal(String(index + 1)));
  }
});
