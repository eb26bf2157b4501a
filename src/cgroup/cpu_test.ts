import assert from "assert";
import { SpecError } from "../spec/error.ts";
import type { LinuxCPU } from "../spec/types.ts";
import { cpuSettings, sharesToWeight } from "./cpu.ts";

function written(version: 1 | 2, cpu: LinuxCPU, nowQuota?: string): string[] {
  return cpuSettings(version, cpu, nowQuota).map(({ file, content }) => `${file}=${content}`);
}

Deno.test("shares become weights as runc 1.3.2 and crun 1.23 make them", () => {
  const table = [
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 2],
    [10, 4],
    [50, 10],
    [100, 17],
    [102, 17],
    [128, 21],
    [204, 29],
    [256, 35],
    [512, 59],
    [1000, 99],
    [1024, 100],
    [2048, 174],
    [4096, 303],
    [8192, 532],
    [10240, 639],
    [65536, 3023],
    [262143, 10000],
    [262144, 10000],
    [262145, 10000],
  ] as const;
  for (const [shares, weight] of table) assert.equal(sharesToWeight(shares), weight, `${shares}`);
});

Deno.test("v2 writes quota and period as one line, -1 as max", () => {
  assert.deepEqual(written(2, { quota: 20000, period: 100000 }), ["cpu.max=20000 100000"]);
  assert.deepEqual(written(2, { quota: 20000 }), ["cpu.max=20000"]);
  assert.deepEqual(written(2, { quota: -1 }), ["cpu.max=max"]);
  assert.deepEqual(written(2, { period: 50000 }), ["cpu.max=max 50000"]);
  assert.deepEqual(written(2, { period: 50000 }, "700"), ["cpu.max=700 50000"]);
  assert.deepEqual(written(2, { quota: 0, period: 0, shares: 0 }), []);
});

Deno.test("v1 writes period, quota, then what is realtime", () => {
  assert.deepEqual(
    written(1, { quota: -5, period: 100000, realtimePeriod: 1000000, realtimeRuntime: 950000 }),
    [
      "cpu.cfs_period_us=100000",
      "cpu.cfs_quota_us=-1",
      "cpu.rt_period_us=1000000",
      "cpu.rt_runtime_us=950000",
    ],
  );
  assert.throws(() => written(2, { realtimeRuntime: 1 }), SpecError);
  assert.throws(() => written(2, { realtimePeriod: 1 }), SpecError);
});

Deno.test("a burst is taken away before the quota changes and given after", () => {
  assert.deepEqual(written(2, { quota: 20000, burst: 10000 }), [
    "cpu.max.burst=0",
    "cpu.max=20000",
    "cpu.max.burst=10000",
  ]);
  assert.deepEqual(written(1, { burst: 10000 }), ["cpu.cfs_burst_us=10000"]);
  assert.equal(cpuSettings(2, { burst: 0 })[0]?.optional, true);
  assert.equal(cpuSettings(2, { burst: 1 })[0]?.optional, undefined);
});

Deno.test("an idle cgroup gets no weight", () => {
  assert.deepEqual(written(2, { idle: 1, shares: 1024 }), ["cpu.idle=1"]);
  assert.deepEqual(written(1, { idle: 0, shares: 512 }), ["cpu.idle=0", "cpu.shares=512"]);
  assert.deepEqual(written(2, { shares: 512 }), ["cpu.weight=59"]);
});

Deno.test("CPU and memory node lists are written as they are", () => {
  assert.deepEqual(written(1, { cpus: "0-3,7", mems: "0" }), [
    "cpuset.cpus=0-3,7",
    "cpuset.mems=0",
  ]);
  assert.deepEqual(written(2, { cpus: "", mems: "" }), []);
});
