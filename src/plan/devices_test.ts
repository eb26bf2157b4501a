import assert from "assert";
import { test } from "../../tests/support/mod.ts";
import { ARCH, AT_FDCWD, S_IFCHR, syscall } from "../../ffi/mod.ts";
import { assemble, runHere } from "../stage/mod.ts";
import { deviceNumber, nodesOf } from "./devices.ts";
import { call, step } from "./step.ts";

/** Numbers at the edges of the bits that they are spread over: 12 of the major, 20 of the minor. */
const NUMBERS: [major: number, minor: number][] = [
  [0, 0],
  [1, 3],
  [136, 255],
  [10, 256],
  [259, 65_537],
  [4095, 0],
  [0, 1_048_575],
  [4095, 1_048_575],
];

test("stat shows the device numbers that were asked for", {
  requires: ["root", "command:stat"],
}, async (t) => {
  for (const [index, [major, minor]] of NUMBERS.entries()) {
    const path = `${t.directory}/node${index}`;
    const program = assemble([
      step("", [call("mknodat", [AT_FDCWD, path, S_IFCHR, deviceNumber(major, minor)])]),
    ], { base: "here", arch: ARCH });
    assert.equal(runHere(program), undefined);
    await using stat = t.start(["stat", "-c", "%Hr %Lr", path]);
    const { out } = await stat.ended;
    assert.equal(out, `${major} ${minor}\n`);
    syscall("unlinkat", AT_FDCWD, path, 0);
  }
});

Deno.test("a device number is never negative", () => {
  for (const [major, minor] of NUMBERS) assert.ok(deviceNumber(major, minor) >= 0);
});

Deno.test("a device of the spec takes the place of a default one with its path", () => {
  const own = { path: "/dev/null", type: "c", major: 7, minor: 7 } as const;
  const nodes = nodesOf([own, { path: "/dev/x", type: "p", major: 0, minor: 0 }]);
  assert.deepEqual(nodes.filter(({ path }) => path === "/dev/null"), [own]);
  assert.deepEqual(nodes.map(({ path }) => path), [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/x",
  ]);
});
