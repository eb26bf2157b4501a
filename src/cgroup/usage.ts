/**
 * The few figures of a cgroup that a list of many shows, with as few reads as they take; all there
 * is to know is in `statistics.ts`.
 *
 * @see the kernel's cgroup-v2.rst, cgroup-v1/memory.rst, cgroup-v1/cpuacct.rst
 * @module
 */
import { type CgroupHost, controllerDirectory } from "./host.ts";
import { textOf } from "./live.ts";

/** Where the files of one cgroup are; undefined where a controller is not there. */
export interface UsageFiles {
  version: 1 | 2;
  memory: string | undefined;
  cpu: string | undefined;
  io: string | undefined;
  pids: string | undefined;
}

/** What a cgroup uses now. */
export interface Usage {
  /** Without file pages that are just not dropped yet, as docker has it. */
  memoryBytes: number;
  /** Absent: none. */
  memoryLimitBytes?: number;
  readBytes: number;
  writeBytes: number;
  /** Processes and threads. */
  pids: number;
}

/** Finds the files of a cgroup once, for reading them again and again. */
export function usageFiles(host: CgroupHost, path: string): UsageFiles {
  const directory = (controller: string) => controllerDirectory(host, controller, path);
  return {
    version: host.version,
    memory: directory("memory"),
    cpu: directory(host.version === 2 ? "cpu" : "cpuacct"),
    io: directory(host.version === 2 ? "io" : "blkio"),
    pids: directory("pids"),
  };
}

/** Processor time used since the cgroup was made, in microseconds; 0 where nobody counts. */
export function cpuTimeUs({ version, cpu }: UsageFiles): number {
  if (cpu === undefined) return 0;
  if (version === 1) return Number(textOf(`${cpu}/cpuacct.usage`) ?? 0) / 1000;
  return Number(/^usage_usec (\d+)/m.exec(textOf(`${cpu}/cpu.stat`) ?? "")?.[1] ?? 0);
}

/** The other figures; all 0 for a cgroup that is gone. */
export function usage({ version, memory, io, pids }: UsageFiles): Usage {
  const [current, limit, inactive] = version === 2
    ? ["memory.current", "memory.max", "inactive_file"]
    : ["memory.usage_in_bytes", "memory.limit_in_bytes", "total_inactive_file"];
  const read = (directory: string | undefined, file: string) =>
    directory === undefined ? undefined : textOf(`${directory}/${file}`);
  const stat = read(memory, "memory.stat") ?? "";
  const idle = Number(new RegExp(`^${inactive} (\\d+)`, "m").exec(stat)?.[1] ?? 0);
  const limitBytes = Number(read(memory, limit)); // NaN for "max"; version 1 has 2^63 less a page.
  return {
    memoryBytes: Math.max(Number(read(memory, current) ?? 0) - idle, 0),
    ...limitBytes < 2 ** 62 ? { memoryLimitBytes: limitBytes } : {},
    ...version === 2 ? ioV2(read(io, "io.stat")) : ioV1(
      read(io, "blkio.throttle.io_service_bytes_recursive") ??
        read(io, "blkio.throttle.io_service_bytes"),
    ),
    pids: Number(read(pids, "pids.current") ?? 0),
  };
}

/** Lines as "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0". */
function ioV2(text = ""): Pick<Usage, "readBytes" | "writeBytes"> {
  return { readBytes: sum(text, /\brbytes=(\d+)/g), writeBytes: sum(text, /\bwbytes=(\d+)/g) };
}

/** Lines as "8:0 Read 4096" and "8:0 Write 0". */
function ioV1(text = ""): Pick<Usage, "readBytes" | "writeBytes"> {
  return { readBytes: sum(text, / Read (\d+)/g), writeBytes: sum(text, / Write (\d+)/g) };
}

function sum(text: string, pattern: RegExp): number {
  let total = 0;
  for (const [, number] of text.matchAll(pattern)) total += Number(number);
  return total;
}
