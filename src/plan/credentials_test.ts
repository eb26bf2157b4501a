import assert from "assert";
import { SpecError } from "../spec/error.ts";
import { becomeUser, boundCapabilities, CAPABILITY_NAMES, capabilityBits } from "./credentials.ts";
import type { Struct, Value } from "./step.ts";

Deno.test("each capability is the bit of its number in linux/capability.h", () => {
  const bit = (name: string) => capabilityBits([name], "x");
  assert.equal(bit("CAP_CHOWN"), 1n << 0n);
  assert.equal(bit("CAP_NET_ADMIN"), 1n << 12n);
  assert.equal(bit("CAP_SYS_ADMIN"), 1n << 21n);
  assert.equal(bit("CAP_SETFCAP"), 1n << 31n);
  assert.equal(bit("CAP_MAC_OVERRIDE"), 1n << 32n);
  assert.equal(bit("CAP_CHECKPOINT_RESTORE"), 1n << 40n);
  assert.equal(CAPABILITY_NAMES.length, 41);
});

Deno.test("capabilities add up, whether named with CAP_ or without", () => {
  assert.equal(capabilityBits(["CAP_CHOWN", "KILL", "CAP_KILL"], "x"), 0b100001n);
  assert.equal(capabilityBits([], "x"), 0n);
  assert.equal(capabilityBits(undefined, "x"), 0n);
});

Deno.test("a capability that does not exist is refused with its field", () => {
  for (const name of ["CAP_NONE", "", "cap_chown", "CAP_"]) {
    assert.throws(
      () => capabilityBits([name], "process.capabilities.bounding"),
      (error) =>
        error instanceof SpecError && error.message.includes("process.capabilities.bounding"),
    );
  }
});

Deno.test("the capabilities that the kernel knows and the spec does not name are dropped", () => {
  const dropped = (last: number) =>
    boundCapabilities({ bounding: ["CAP_CHOWN", "CAP_KILL"] }, last).calls
      .map(({ args: [, capability] }) => JSON.stringify(capability)).length;
  assert.equal(dropped(40), 39);
  assert.equal(dropped(5), 4);
  assert.equal(
    boundCapabilities({ bounding: CAPABILITY_NAMES.map((n) => `CAP_${n}`) }, 40).calls.length,
    0,
  );
});

const isStruct = (value: Value | undefined): value is Struct =>
  typeof value === "object" && "kind" in value && value.kind === "struct";

Deno.test("the primary group is among the groups, each once, before ids are given up", () => {
  const { calls } = becomeUser({ uid: 1000, gid: 100, additionalGids: [29, 100, 29] }, true);
  assert.deepEqual(calls.map(({ name }) => name), ["setgroups", "prctl", "setresgid", "setresuid"]);
  const [count, list] = calls[0]?.args ?? [];
  assert.equal(count, 2);
  assert.ok(isStruct(list));
  assert.deepEqual(list.fields.map(([, bytes, group]) => [bytes, group]), [[4, 100], [4, 29]]);
});
