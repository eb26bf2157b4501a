import type { LinuxBlockIO, LinuxCPU, LinuxMemory, LinuxResources } from "../spec/mod.ts";
import { parseDeviceValue } from "./device.ts";
import { type CommandLine, parsed } from "./grammar.ts";
import {
  parseCpuList,
  parseCpus,
  parseInteger,
  parseSize,
  parseSizeOrUnlimited,
} from "./number.ts";
import { parsePair } from "./pair.ts";
import type { RESOURCES } from "./resource_flags.ts";
import type { RUN } from "./run_flags.ts";
import type { RunContext, RunSpec, Wish } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";

/** The period of `--cpus` in microseconds, the kernel's own default. */
const CPU_PERIOD_US = 100_000;

type Named = (typeof RESOURCES)["flags"][number]["name"];

/** The flags of `run` that are about resources, and what they depend on. */
export interface ResourceWish {
  line: { flags: Pick<CommandLine<typeof RUN>["flags"], Named> };
  context: Pick<RunContext, "cpus" | "devices" | "swapAccounting">;
}

/** `linux.resources` and the cgroup's place. */
export function applyResources(made: RunSpec, wish: Wish): void {
  const { line: { flags }, context } = wish;
  const resources = resourcesOf(wish);
  const { limit, swap = 0 } = resources.memory ?? {};
  if (swap > 0 && limit === undefined) throw new UsageError("--memory-swap needs --memory");
  Object.assign(made.spec.linux.resources, resources);
  const parent = flags["cgroup-parent"];
  if (parent !== undefined) {
    if (!/^\/?[^/\0]+(\/[^/\0]+)*\/?$/.test(parent) || parent.split("/").includes("..")) {
      throw new UsageError(`--cgroup-parent: "${parent}" is not a path of cgroups`);
    }
    made.spec.linux.cgroupsPath = `/${parent.replace(/^\/|\/$/g, "")}/${context.id}`;
  }
}

/**
 * What the flags say of `linux.resources`; nothing else.
 *
 * @throws {UsageError}
 */
export function resourcesOf(wish: ResourceWish): LinuxResources {
  const { flags } = wish.line;
  const resources: LinuxResources = {};
  const memory = memoryOf(wish);
  const cpu = cpuOf(wish);
  const blockIO = blockIOOf(wish);
  if (Object.keys(memory).length > 0) resources.memory = memory;
  if (Object.keys(cpu).length > 0) resources.cpu = cpu;
  if (Object.keys(blockIO).length > 0) resources.blockIO = blockIO;
  const pids = integer("--pids-limit", flags["pids-limit"], [-1, 2 ** 22]);
  if (pids !== undefined && pids !== 0) resources.pids = { limit: pids };
  for (const text of flags["cgroup-conf"]) {
    const [file, value] = parsed("--cgroup-conf", text, (pair) => parsePair(pair, true));
    // It names a file that is written to as the host's root.
    if (!/^[a-z][\w-]*(\.[\w-]+)+$/.test(file)) {
      throw new UsageError(`--cgroup-conf: "${file}" is not a cgroup file, as memory.high`);
    }
    (resources.unified ??= {})[file] = value;
  }
  return resources;
}

/** docker's rules: swap defaults to as much as memory, and has no meaning without it. */
function memoryOf({ line: { flags }, context }: ResourceWish): LinuxMemory {
  const limit = size("--memory", flags.memory);
  const reservation = size("--memory-reservation", flags["memory-reservation"]);
  const text = flags["memory-swap"];
  const swap = text === undefined
    ? undefined
    : parsed("--memory-swap", text, parseSizeOrUnlimited) || undefined;
  const swappiness = integer("--memory-swappiness", flags["memory-swappiness"], [-1, 100]);
  if (swap !== undefined && swap > 0) {
    if (limit !== undefined && swap < limit) {
      throw new UsageError("--memory-swap is memory and swap together: not below --memory");
    }
  }
  if (limit !== undefined && reservation !== undefined && reservation > limit) {
    throw new UsageError("--memory-reservation must not be above --memory");
  }
  const usual = limit !== undefined && context.swapAccounting !== false ? limit * 2 : undefined;
  const total = swap ?? usual;
  return {
    ...limit !== undefined && { limit },
    ...reservation !== undefined && { reservation },
    ...total !== undefined && { swap: total },
    ...swappiness !== undefined && swappiness >= 0 && { swappiness },
    ...flags["oom-kill-disable"] && { disableOOMKiller: true },
  };
}

function cpuOf({ line: { flags }, context }: ResourceWish): LinuxCPU {
  const shares = integer("--cpu-shares", flags["cpu-shares"], [0, 262_144]);
  if (shares === 1) throw new UsageError("--cpu-shares: the least is 2");
  const period = integer("--cpu-period", flags["cpu-period"], [0, 1_000_000]);
  if (period !== undefined && period !== 0 && period < 1000) {
    throw new UsageError("--cpu-period: from 1000 to 1000000 microseconds");
  }
  const quota = integer("--cpu-quota", flags["cpu-quota"], [-1, 2 ** 43]);
  if (quota !== undefined && quota > 0 && quota < 1000) {
    throw new UsageError("--cpu-quota: the least is 1000 microseconds");
  }
  const cpus = flags.cpus === undefined || flags.cpus === "0"
    ? undefined
    : parsed("--cpus", flags.cpus, (text) => parseCpus(text, context.cpus));
  if (cpus !== undefined && (period || quota)) {
    throw new UsageError("--cpus excludes --cpu-period and --cpu-quota: it sets both");
  }
  const list = (flag: string, text: string | undefined) =>
    text === undefined || text === "" ? undefined : parsed(flag, text, parseCpuList);
  const allowed = list("--cpuset-cpus", flags["cpuset-cpus"]);
  const nodes = list("--cpuset-mems", flags["cpuset-mems"]);
  return {
    ...shares && { shares },
    ...period && { period },
    ...quota && { quota },
    ...cpus && { period: CPU_PERIOD_US, quota: Math.floor(cpus * CPU_PERIOD_US / 1e9) },
    ...allowed !== undefined && { cpus: allowed },
    ...nodes !== undefined && { mems: nodes },
  };
}

function blockIOOf({ line: { flags }, context }: ResourceWish): LinuxBlockIO {
  const weightRange = (text: string) => {
    const weight = parseInteger(text, 0, 1000);
    if (weight !== 0 && weight < 10) throw new UsageError(`"${text}" is not from 10 to 1000, or 0`);
    return weight;
  };
  const count = (text: string) => parseInteger(text, 0, Number.MAX_SAFE_INTEGER);
  const of = (flag: string, list: readonly string[], parse: (text: string) => number) =>
    list.map((text) => {
      const { path, value } = parsed(flag, text, (all) => parseDeviceValue(all, parse));
      const [device] = context.devices(path);
      if (device?.type !== "b" || device.path !== path) {
        throw new UsageError(`${flag}: "${path}" is not a block device`);
      }
      return { major: device.major, minor: device.minor, value };
    });
  const rates = (flag: string, list: readonly string[], parse: (text: string) => number) =>
    of(flag, list, parse).map(({ value, ...numbers }) => ({ ...numbers, rate: value }));
  const weight = flags["blkio-weight"] === undefined
    ? 0
    : parsed("--blkio-weight", flags["blkio-weight"], weightRange);
  const lists = {
    weightDevice: of("--blkio-weight-device", flags["blkio-weight-device"], weightRange)
      .map(({ value, ...numbers }) => ({ ...numbers, weight: value })),
    throttleReadBpsDevice: rates("--device-read-bps", flags["device-read-bps"], parseSize),
    throttleWriteBpsDevice: rates("--device-write-bps", flags["device-write-bps"], parseSize),
    throttleReadIOPSDevice: rates("--device-read-iops", flags["device-read-iops"], count),
    throttleWriteIOPSDevice: rates("--device-write-iops", flags["device-write-iops"], count),
  };
  const given = Object.entries(lists).filter(([, list]) => list.length > 0);
  return { ...weight && { weight }, ...Object.fromEntries(given) };
}

/** Zero is no limit, as in docker. */
function size(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : parsed(flag, text, parseSize) || undefined;
}

function integer(
  flag: string,
  text: string | undefined,
  [least, most]: [number, number],
): number | undefined {
  return text === undefined
    ? undefined
    : parsed(flag, text, (number) => parseInteger(number, least, most));
}
