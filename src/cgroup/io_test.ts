import assert from "assert";
import { SpecError } from "../spec/error.ts";
import type { LinuxBlockIO } from "../spec/types.ts";
import { ioSettings, weightToIoWeight } from "./io.ts";
import type { Setting } from "./setting.ts";

function line({ file, content, otherwise }: Setting): string {
  return `${file}=${content}` + (otherwise ? ` or ${line(otherwise)}` : "");
}

function written(version: 1 | 2, io: LinuxBlockIO): string[] {
  return ioSettings(version, io).map(line);
}

const limits: LinuxBlockIO = {
  throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1048576 }, { major: 8, minor: 16, rate: 9 }],
  throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 0 }],
};

Deno.test("io.weight spreads 10..1000 over 1..10000", () => {
  const table = [[10, 1], [100, 910], [300, 2930], [500, 4950], [1000, 10000]] as const;
  for (const [weight, expected] of table) assert.equal(weightToIoWeight(weight), expected);
});

Deno.test("a weight goes to the scheduler that is there", () => {
  const io = { weight: 300, weightDevice: [{ major: 8, minor: 0, weight: 100 }] };
  assert.deepEqual(written(2, io), [
    "io.bfq.weight=300 or io.weight=2930",
    "io.bfq.weight=8:0 100 or io.weight=8:0 910",
  ]);
  assert.deepEqual(written(1, io), [
    "blkio.weight=300 or blkio.bfq.weight=300",
    "blkio.weight_device=8:0 100 or blkio.bfq.weight_device=8:0 100",
  ]);
  assert.deepEqual(written(1, { leafWeight: 20, weight: 0 }), ["blkio.leaf_weight=20"]);
});

Deno.test("weights outside 10..1000 and v2 leaf weights are refused", () => {
  assert.throws(() => written(1, { weight: 9 }), SpecError);
  assert.throws(() => written(2, { weight: 1001 }), SpecError);
  assert.throws(() => written(2, { leafWeight: 100 }), SpecError);
});

Deno.test("v2 writes one io.max line for each device, v1 one file for each limit", () => {
  assert.deepEqual(written(2, limits), ["io.max=8:0 rbps=1048576 wiops=max", "io.max=8:16 rbps=9"]);
  assert.deepEqual(written(1, limits), [
    "blkio.throttle.read_bps_device=8:0 1048576",
    "blkio.throttle.read_bps_device=8:16 9",
    "blkio.throttle.write_iops_device=8:0 0",
  ]);
});
