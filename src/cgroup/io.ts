/**
 * Block devices; the kernel's cgroup-v1/blkio-controller.rst, cgroup-v2.rst and bfq-iosched.rst.
 * @module
 */
import { SpecError } from "../spec/error.ts";
import type { LinuxBlockIO, LinuxThrottleDevice } from "../spec/types.ts";
import type { Setting } from "./setting.ts";

/**
 * `linux.resources.blockIO` as files; config-linux.md#block-io. Weight 0 leaves it as it is; rate
 * 0 means no limit.
 * @throws SpecError for weights outside 10..1000, and for leaf weights with cgroup v2
 */
export function ioSettings(version: 1 | 2, io: LinuxBlockIO): Setting[] {
  return [
    ...weightSettings(version, io),
    ...(version === 2 ? v2Throttles(io) : v1Throttles(io)),
  ];
}

/** io.weight (1..10000) for a weight of config.json (10..1000); whole numbers, rounded down. */
export function weightToIoWeight(weight: number): number {
  return 1 + Math.floor((weight - 10) * 9999 / 990);
}

function weightSettings(version: 1 | 2, io: LinuxBlockIO): Setting[] {
  const settings: Setting[] = [];
  const put = (field: string, device: string, weight = 0, leaf = false): void => {
    if (weight === 0) return;
    checkWeight(version, `linux.resources.blockIO.${field}`, weight, leaf);
    settings.push(version === 2 ? v2Weight(device, weight) : v1Weight(device, weight, leaf));
  };
  put("weight", "", io.weight);
  put("leafWeight", "", io.leafWeight, true);
  for (const [i, { major, minor, weight, leafWeight }] of (io.weightDevice ?? []).entries()) {
    put(`weightDevice[${i}].weight`, `${major}:${minor}`, weight);
    put(`weightDevice[${i}].leafWeight`, `${major}:${minor}`, leafWeight, true);
  }
  return settings;
}

function checkWeight(version: 1 | 2, field: string, weight: number, leaf: boolean): void {
  if (leaf && version === 2) throw new SpecError(field, "cgroup v2 has no such setting");
  if (weight < 10 || weight > 1000) throw new SpecError(field, `"${weight}" is not in 10..1000`);
}

/** @param device "" for all devices, or "MAJOR:MINOR" */
function v2Weight(device: string, weight: number): Setting {
  const label = weightLabel(device, weight);
  const prefix = device === "" ? "" : `${device} `;
  return {
    controller: "io",
    // Only there when the BFQ scheduler is.
    file: "io.bfq.weight",
    content: prefix + weight,
    label,
    otherwise: {
      controller: "io",
      file: "io.weight",
      content: prefix + weightToIoWeight(weight),
      label,
    },
  };
}

function v1Weight(device: string, weight: number, leaf: boolean): Setting {
  const name = (leaf ? "leaf_weight" : "weight") + (device === "" ? "" : "_device");
  const content = device === "" ? String(weight) : `${device} ${weight}`;
  const label = weightLabel(device, weight);
  const setting: Setting = { controller: "blkio", file: `blkio.${name}`, content, label };
  // The CFQ scheduler, whose files had no prefix, went with Linux 5.0; BFQ has no leaf weights.
  if (!leaf) {
    setting.otherwise = { controller: "blkio", file: `blkio.bfq.${name}`, content, label };
  }
  return setting;
}

function weightLabel(device: string, weight: number): string {
  return `weigh block I/O ${device === "" ? "" : `on ${device} `}with ${weight}`;
}

/** The four throttles: config.json's list, v1's file, v2's key, and the unit for people. */
const throttles = [
  ["throttleReadBpsDevice", "read_bps_device", "rbps", "bytes read"],
  ["throttleWriteBpsDevice", "write_bps_device", "wbps", "bytes written"],
  ["throttleReadIOPSDevice", "read_iops_device", "riops", "reads"],
  ["throttleWriteIOPSDevice", "write_iops_device", "wiops", "writes"],
] as const;

function v1Throttles(io: LinuxBlockIO): Setting[] {
  return throttles.flatMap(([field, file, , unit]) =>
    devicesOf(io, field).map(({ major, minor, rate }) => ({
      controller: "blkio",
      file: `blkio.throttle.${file}`,
      content: `${major}:${minor} ${rate}`,
      label: `limit ${major}:${minor} to ${rateText(rate)} ${unit} a second`,
    }))
  );
}

/** io.max takes one device a write, with all its limits. */
function v2Throttles(io: LinuxBlockIO): Setting[] {
  const limits = new Map<string, string[]>();
  const labels = new Map<string, string[]>();
  for (const [field, , key, unit] of throttles) {
    for (const { major, minor, rate } of devicesOf(io, field)) {
      const device = `${major}:${minor}`;
      append(limits, device, `${key}=${rateText(rate)}`);
      append(labels, device, `${rateText(rate)} ${unit}`);
    }
  }
  return [...limits].map(([device, pairs]) => ({
    controller: "io",
    file: "io.max",
    content: `${device} ${pairs.join(" ")}`,
    label: `limit ${device} to ${(labels.get(device) ?? []).join(", ")} a second`,
  }));
}

function devicesOf(io: LinuxBlockIO, field: typeof throttles[number][0]): LinuxThrottleDevice[] {
  return io[field] ?? [];
}

function rateText(rate: number): string {
  return rate === 0 ? "max" : String(rate);
}

function append(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
