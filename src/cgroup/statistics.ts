/**
 * What a cgroup uses, in one shape for both versions.
 * @see the kernel's cgroup-v2.rst, cgroup-v1/memory.rst, accounting/psi.rst
 * @module
 */
import { type CgroupHost, controllerDirectory } from "./host.ts";
import { flatKeyed, textOf } from "./live.ts";
import { oomKills } from "./oom.ts";
import { type Pressures, readPressures } from "./pressure.ts";

/** A part is absent where its controller is not there; a limit is absent where there is none. */
export interface CgroupStatistics {
  memory?: MemoryStatistics;
  cpu?: CpuStatistics;
  pids?: PidsStatistics;
  io?: IoStatistics;
  /** Pressure stall information; absent where the kernel runs without (boot with psi=1). */
  pressure?: Pressures;
}

export interface MemoryStatistics {
  /** All that is charged, the page cache included. */
  usageBytes: number;
  /** Since Linux 5.19 in cgroup v2. */
  peakBytes?: number;
  limitBytes?: number;
  /** Usage without file pages that are just not dropped yet: what docker shows as MEM USAGE. */
  workingSetBytes: number;
  anonBytes: number;
  /** Page cache, `shmemBytes` included. */
  fileBytes: number;
  /** tmpfs and shared memory. */
  shmemBytes: number;
  inactiveFileBytes: number;
  kernelBytes?: number;
  swapBytes?: number;
  swapLimitBytes?: number;
  /** How often the limit was run into; v1 does not count it where swap adds nothing to the limit. */
  limitHits: number;
  /** Processes the OOM killer ended, in cgroups below too. */
  oomKills: number;
}

/** Sums since the cgroup was made. */
export interface CpuStatistics {
  usageUs: number;
  userUs: number;
  systemUs: number;
  /** Periods of the quota; 0 without one. */
  periods: number;
  /** Of these, how many ended with processes waiting for the next. */
  throttledPeriods: number;
  throttledUs: number;
}

export interface PidsStatistics {
  /** Processes and threads. */
  current: number;
  limit?: number;
  /** Forks that the limit refused. */
  limitHits: number;
}

/** Sums since the cgroup was made, over all block devices and for each. */
export interface IoStatistics extends IoCounts {
  devices: ({ major: number; minor: number } & IoCounts)[];
}

export interface IoCounts {
  readBytes: number;
  writeBytes: number;
  reads: number;
  writes: number;
}

/** Reads what a live cgroup uses; one that is gone has no part at all. */
export function readStatistics(host: CgroupHost, path: string): CgroupStatistics {
  const parts = {
    memory: host.version === 2 ? memoryV2(host, path) : memoryV1(host, path),
    cpu: host.version === 2 ? cpuV2(host, path) : cpuV1(host, path),
    pids: pids(host, path),
    io: host.version === 2 ? ioV2(host, path) : ioV1(host, path),
    pressure: readPressures(host, path),
  };
  return present(parts);
}

function memoryV2(host: CgroupHost, path: string): MemoryStatistics | undefined {
  const read = reader(host, "memory", path);
  const usageBytes = number(read("memory.current"));
  if (usageBytes === undefined) return undefined;
  const stat = flatKeyed(read("memory.stat"));
  const inactiveFileBytes = stat["inactive_file"] ?? 0;
  return present({
    usageBytes,
    peakBytes: number(read("memory.peak")),
    limitBytes: number(read("memory.max")),
    workingSetBytes: Math.max(usageBytes - inactiveFileBytes, 0),
    anonBytes: stat["anon"] ?? 0,
    fileBytes: stat["file"] ?? 0,
    shmemBytes: stat["shmem"] ?? 0,
    inactiveFileBytes,
    kernelBytes: stat["kernel"],
    swapBytes: number(read("memory.swap.current")),
    swapLimitBytes: number(read("memory.swap.max")),
    limitHits: flatKeyed(read("memory.events"))["max"] ?? 0,
    oomKills: oomKills(host, path),
  });
}

function memoryV1(host: CgroupHost, path: string): MemoryStatistics | undefined {
  const read = reader(host, "memory", path);
  const usageBytes = number(read("memory.usage_in_bytes"));
  if (usageBytes === undefined) return undefined;
  // The total_ ones count the cgroups below as well, as usage does.
  const stat = flatKeyed(read("memory.stat"));
  const inactiveFileBytes = stat["total_inactive_file"] ?? 0;
  const limitBytes = number(read("memory.limit_in_bytes"));
  const bothBytes = number(read("memory.memsw.limit_in_bytes"));
  return present({
    usageBytes,
    peakBytes: number(read("memory.max_usage_in_bytes")),
    limitBytes,
    workingSetBytes: Math.max(usageBytes - inactiveFileBytes, 0),
    anonBytes: stat["total_rss"] ?? 0,
    fileBytes: stat["total_cache"] ?? 0,
    shmemBytes: stat["total_shmem"] ?? 0,
    inactiveFileBytes,
    kernelBytes: number(read("memory.kmem.usage_in_bytes")),
    swapBytes: stat["total_swap"],
    swapLimitBytes: bothBytes === undefined || limitBytes === undefined
      ? undefined
      : bothBytes - limitBytes,
    limitHits: (number(read("memory.failcnt")) ?? 0) + (number(read("memory.memsw.failcnt")) ?? 0),
    oomKills: oomKills(host, path),
  });
}

function cpuV2(host: CgroupHost, path: string): CpuStatistics | undefined {
  const stat = flatKeyed(reader(host, "cpu", path)("cpu.stat"));
  if (stat["usage_usec"] === undefined) return undefined;
  return {
    usageUs: stat["usage_usec"],
    userUs: stat["user_usec"] ?? 0,
    systemUs: stat["system_usec"] ?? 0,
    periods: stat["nr_periods"] ?? 0,
    throttledPeriods: stat["nr_throttled"] ?? 0,
    throttledUs: stat["throttled_usec"] ?? 0,
  };
}

/** cpuacct counts nanoseconds. */
function cpuV1(host: CgroupHost, path: string): CpuStatistics | undefined {
  const read = reader(host, "cpuacct", path);
  const usage = number(read("cpuacct.usage"));
  if (usage === undefined) return undefined;
  const stat = flatKeyed(reader(host, "cpu", path)("cpu.stat"));
  return {
    usageUs: usage / 1000,
    userUs: (number(read("cpuacct.usage_user")) ?? 0) / 1000,
    systemUs: (number(read("cpuacct.usage_sys")) ?? 0) / 1000,
    periods: stat["nr_periods"] ?? 0,
    throttledPeriods: stat["nr_throttled"] ?? 0,
    throttledUs: (stat["throttled_time"] ?? 0) / 1000,
  };
}

function pids(host: CgroupHost, path: string): PidsStatistics | undefined {
  const read = reader(host, "pids", path);
  const current = number(read("pids.current"));
  if (current === undefined) return undefined;
  return present({
    current,
    limit: number(read("pids.max")),
    limitHits: flatKeyed(read("pids.events"))["max"] ?? 0,
  });
}

/** Lines as "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0". */
function ioV2(host: CgroupHost, path: string): IoStatistics | undefined {
  const text = reader(host, "io", path)("io.stat");
  if (text === undefined) return undefined;
  const devices = new Map<string, IoCounts>();
  for (const [device = "", ...pairs] of text.split("\n").map((line) => line.split(" "))) {
    const counts = Object.fromEntries(pairs.map((pair) => pair.split("=")));
    devices.set(device, {
      readBytes: Number(counts.rbytes ?? 0),
      writeBytes: Number(counts.wbytes ?? 0),
      reads: Number(counts.rios ?? 0),
      writes: Number(counts.wios ?? 0),
    });
  }
  return summed(devices);
}

/** Lines as "8:0 Read 4096" and "8:0 Write 0", in one file for bytes and one for operations. */
function ioV1(host: CgroupHost, path: string): IoStatistics | undefined {
  const read = reader(host, "blkio", path);
  const bytes = read("blkio.throttle.io_service_bytes_recursive") ??
    read("blkio.throttle.io_service_bytes");
  const operations = read("blkio.throttle.io_serviced_recursive") ??
    read("blkio.throttle.io_serviced");
  if (bytes === undefined) return undefined;
  const devices = new Map<string, IoCounts>();
  const count = (text: string, readKey: keyof IoCounts, writeKey: keyof IoCounts): void => {
    for (const [device = "", kind, value] of text.split("\n").map((line) => line.split(" "))) {
      if (kind !== "Read" && kind !== "Write") continue;
      const counts = devices.get(device) ?? { readBytes: 0, writeBytes: 0, reads: 0, writes: 0 };
      counts[kind === "Read" ? readKey : writeKey] = Number(value);
      devices.set(device, counts);
    }
  };
  count(bytes, "readBytes", "writeBytes");
  count(operations ?? "", "reads", "writes");
  return summed(devices);
}

function summed(counts: Map<string, IoCounts>): IoStatistics {
  const sum: IoStatistics = { readBytes: 0, writeBytes: 0, reads: 0, writes: 0, devices: [] };
  for (const [device, each] of counts) {
    const [major, minor] = device.split(":").map(Number);
    if (major === undefined || minor === undefined) continue;
    sum.devices.push({ major, minor, ...each });
    sum.readBytes += each.readBytes;
    sum.writeBytes += each.writeBytes;
    sum.reads += each.reads;
    sum.writes += each.writes;
  }
  return sum;
}

function reader(host: CgroupHost, controller: string, path: string) {
  const directory = controllerDirectory(host, controller, path);
  return (file: string) => directory === undefined ? undefined : textOf(`${directory}/${file}`);
}

/** undefined for "max", for v1's way to write no limit (2^63 less a page), and for no file. */
function number(text: string | undefined): number | undefined {
  const value = Number(text);
  return text === undefined || !(value < 2 ** 62) ? undefined : value;
}

/** The same without the keys whose value is undefined. */
type Present<T> =
  & { [K in keyof T as undefined extends T[K] ? never : K]: T[K] }
  & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

function present<T extends object>(values: T): Present<T>;
function present(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
