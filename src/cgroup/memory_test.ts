import assert from "assert";
import { SpecError } from "../spec/error.ts";
import type { LinuxMemory } from "../spec/types.ts";
import { hugepageSettings, type MemoryNow, memorySettings } from "./memory.ts";

function written(version: 1 | 2, memory: LinuxMemory, now?: MemoryNow): string[] {
  return memorySettings(version, memory, now).map(({ file, content }) => `${file}=${content}`);
}

Deno.test("v2 swap is what config.json's swap leaves beyond memory, and is written first", () => {
  const table: [number | undefined, number | undefined, string[]][] = [
    [undefined, undefined, []],
    [0, 0, []],
    [100, undefined, ["memory.max=100"]],
    [100, 0, ["memory.max=100"]],
    [100, 100, ["memory.swap.max=0", "memory.max=100"]],
    [100, 150, ["memory.swap.max=50", "memory.max=100"]],
    [100, -1, ["memory.swap.max=max", "memory.max=100"]],
    [-1, undefined, ["memory.swap.max=max", "memory.max=max"]],
    [-1, 150, ["memory.swap.max=150", "memory.max=max"]],
    [undefined, -1, ["memory.swap.max=max"]],
  ];
  for (const [limit, swap, files] of table) {
    const memory: LinuxMemory = {};
    if (limit !== undefined) memory.limit = limit;
    if (swap !== undefined) memory.swap = swap;
    assert.deepEqual(written(2, memory), files, `${limit} ${swap}`);
  }
});

Deno.test("v2 does without memory.swap.max only where no swap is what it would say", () => {
  const optional = (memory: LinuxMemory) => memorySettings(2, memory)[0]?.optional ?? false;
  assert.equal(optional({ limit: 100, swap: 100 }), true);
  assert.equal(optional({ limit: 100, swap: -1 }), true);
  assert.equal(optional({ limit: 100, swap: 101 }), false);
});

Deno.test("contradictions of memory and swap are refused", () => {
  for (const version of [1, 2] as const) {
    for (const memory of [{ swap: 9 }, { limit: 10, swap: 9 }, { limit: -2 }, { swap: -2 }]) {
      assert.throws(() => written(version, memory), SpecError, JSON.stringify(memory));
    }
    assert.throws(() => written(version, { kernel: 1 }), SpecError);
  }
});

Deno.test("v2 refuses what only v1 has, but not its absence", () => {
  for (const memory of [{ swappiness: 0 }, { disableOOMKiller: true }, { kernelTCP: 5 }]) {
    assert.throws(() => written(2, memory), SpecError, JSON.stringify(memory));
  }
  assert.deepEqual(written(2, { disableOOMKiller: false, kernelTCP: -1, kernel: -1 }), []);
});

Deno.test("v1 writes the limit first when lowering and memsw first when raising", () => {
  const limit = "memory.limit_in_bytes=", both = "memory.memsw.limit_in_bytes=";
  const now = { usageBytes: 0, swapLimitBytes: 200 };
  assert.deepEqual(written(1, { limit: 100, swap: 150 }), [limit + 100, both + 150]);
  assert.deepEqual(written(1, { limit: 100, swap: 150 }, now), [limit + 100, both + 150]);
  assert.deepEqual(written(1, { limit: 200, swap: 250 }, now), [limit + 200, both + 250]);
  assert.deepEqual(written(1, { limit: 201, swap: 250 }, now), [both + 250, limit + 201]);
  assert.deepEqual(written(1, { limit: -1 }, now), [both + -1, limit + -1]);
  assert.deepEqual(written(1, { limit: -1 }), [limit + -1, both + -1]);
});

Deno.test("v1 writes reservation, swappiness, TCP buffers and the OOM killer's switch", () => {
  assert.deepEqual(
    written(1, { reservation: -1, swappiness: 0, kernelTCP: 4096, disableOOMKiller: true }),
    [
      "memory.kmem.tcp.limit_in_bytes=4096",
      "memory.swappiness=0",
      "memory.oom_control=1",
      "memory.soft_limit_in_bytes=-1",
    ],
  );
  assert.deepEqual(written(1, { disableOOMKiller: false }), []);
  const now = { usageBytes: 0, swapLimitBytes: Infinity };
  assert.deepEqual(written(1, { disableOOMKiller: false }, now), ["memory.oom_control=0"]);
  assert.deepEqual(written(2, { reservation: 70 }), ["memory.low=70"]);
});

Deno.test("huge page limits name the page size, and the reservation may be missing", () => {
  const limits = [{ pageSize: "2MB", limit: 4194304 }];
  assert.deepEqual(
    hugepageSettings(1, limits).map(({ file, content, optional }) => [file, content, optional]),
    [
      ["hugetlb.2MB.limit_in_bytes", "4194304", undefined],
      ["hugetlb.2MB.rsvd.limit_in_bytes", "4194304", true],
    ],
  );
  assert.deepEqual(hugepageSettings(2, limits).map(({ file }) => file), [
    "hugetlb.2MB.max",
    "hugetlb.2MB.rsvd.max",
  ]);
  assert.throws(() => hugepageSettings(2, [{ pageSize: "2MB/../x", limit: 1 }]), SpecError);
});
