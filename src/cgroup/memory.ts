/**
 * Memory, swap and huge pages; the kernel's cgroup-v1/memory.rst and cgroup-v2.rst.
 * @module
 */
import { SpecError } from "../spec/error.ts";
import type { LinuxHugepageLimit, LinuxMemory } from "../spec/types.ts";
import { inWords, limitText, type Setting } from "./setting.ts";

/** A live cgroup's memory, which decides in which order limits can be changed. Bytes. */
export interface MemoryNow {
  usageBytes: number;
  /** v1: memory and swap together; Infinity: no limit, or no swap accounting. */
  swapLimitBytes: number;
}

/**
 * `linux.resources.memory` as files; config-linux.md#memory. 0 means: leave it as it is.
 * @param now absent for a new cgroup, which has no limits yet
 * @throws SpecError for what this cgroup version does not have, and for contradictions
 */
export function memorySettings(version: 1 | 2, memory: LinuxMemory, now?: MemoryNow): Setting[] {
  check(version, memory, now);
  const settings = version === 2 ? v2Limits(memory) : v1Limits(memory, now);
  if (memory.reservation) {
    settings.push({
      controller: "memory",
      file: version === 2 ? "memory.low" : "memory.soft_limit_in_bytes",
      content: limitText(version, memory.reservation),
      label: `reserve memory: ${inWords(memory.reservation, "bytes")}`,
    });
  }
  return settings;
}

function check(version: 1 | 2, memory: LinuxMemory, now: MemoryNow | undefined): void {
  const { limit = 0, swap = 0 } = memory;
  if (memory.kernel !== undefined && memory.kernel > 0) {
    // Linux 5.16 took the limit away; later kernels take the number and do nothing.
    throw refusal("kernel", "kernel memory has no limit of its own any more; use memory.limit");
  }
  if (version === 2) {
    if (memory.swappiness !== undefined) throw refusal("swappiness", onlyV1);
    if (memory.disableOOMKiller === true) throw refusal("disableOOMKiller", onlyV1);
    if (memory.kernelTCP !== undefined && memory.kernelTCP > 0) throw refusal("kernelTCP", onlyV1);
  }
  if (limit < -1) throw refusal("limit", `"${limit}" is neither -1 nor a number of bytes`);
  if (swap < -1) throw refusal("swap", `"${swap}" is neither -1 nor a number of bytes`);
  if (swap > 0 && limit === 0) {
    throw refusal("swap", `"${swap}" counts memory and swap together, so it needs a memory.limit`);
  }
  if (swap > 0 && limit > swap) {
    throw refusal(
      "swap",
      `"${swap}" counts memory too, so it cannot be below the limit "${limit}"`,
    );
  }
  if (memory.checkBeforeUpdate && now !== undefined && limit > 0 && now.usageBytes > limit) {
    throw refusal("limit", `"${limit}" is below the ${now.usageBytes} bytes now in use`);
  }
}

const onlyV1 = "cgroup v2 has no such setting";

function refusal(field: string, message: string): SpecError {
  return new SpecError(`linux.resources.memory.${field}`, message);
}

function v2Limits({ limit = 0, swap = 0 }: LinuxMemory): Setting[] {
  const settings: Setting[] = [];
  const swapOnly = limit === -1 && swap === 0 ? -1 : swap > 0 && limit > 0 ? swap - limit : swap;
  // 0 in config.json leaves swap alone; equal limits of memory and of both leave no swap.
  if (swapOnly !== 0 || swap > 0) {
    // Before memory.max, lest the process be driven into swap by a limit that comes first.
    settings.push({
      controller: "memory",
      file: "memory.swap.max",
      content: limitText(2, swapOnly),
      label: `limit swap to ${inWords(swapOnly, "bytes")}`,
      // Without swap in the kernel there is no file, and neither answer needs one.
      ...(swapOnly <= 0 ? { optional: true } : {}),
    });
  }
  if (limit !== 0) {
    settings.push({
      controller: "memory",
      file: "memory.max",
      content: limitText(2, limit),
      label: `limit memory to ${inWords(limit, "bytes")}`,
    });
  }
  return settings;
}

function v1Limits(memory: LinuxMemory, now: MemoryNow | undefined): Setting[] {
  const { limit = 0, swap = 0, kernelTCP = 0, swappiness, disableOOMKiller } = memory;
  const put = (file: string, content: number, label: string): Setting => (
    { controller: "memory", file, content: String(content), label }
  );
  const settings: Setting[] = [];
  if (limit !== 0) {
    const label = `limit memory to ${inWords(limit, "bytes")}`;
    settings.push(put("memory.limit_in_bytes", limit, label));
  }
  // No limit on memory would still be one, were that of memory and swap together left in place.
  const both = limit === -1 && swap === 0 ? -1 : swap;
  if (both !== 0) {
    const label = `limit memory and swap to ${inWords(both, "bytes")}`;
    const setting = put("memory.memsw.limit_in_bytes", both, label);
    if (swap <= 0) setting.optional = true;
    // The kernel wants memory <= memory and swap after each write: when raising, swap goes first.
    const raises = (limit === -1 ? Infinity : limit) > (now?.swapLimitBytes ?? Infinity);
    if (raises) settings.unshift(setting);
    else settings.push(setting);
  }
  if (kernelTCP !== 0) {
    const label = `limit the memory of TCP buffers to ${inWords(kernelTCP, "bytes")}`;
    settings.push(put("memory.kmem.tcp.limit_in_bytes", kernelTCP, label));
  }
  if (swappiness !== undefined) {
    settings.push(put("memory.swappiness", swappiness, `set the swappiness to ${swappiness}`));
  }
  if (disableOOMKiller === true) {
    settings.push(put("memory.oom_control", 1, "disable the OOM killer"));
  } else if (disableOOMKiller === false && now !== undefined) {
    settings.push(put("memory.oom_control", 0, "enable the OOM killer"));
  }
  return settings;
}

/**
 * `linux.resources.hugepageLimits` as files; config-linux.md#huge-page-limits.
 * @throws SpecError for a page size that is not written as "64KB", "2MB" or "1GB"
 */
export function hugepageSettings(version: 1 | 2, limits: LinuxHugepageLimit[]): Setting[] {
  return limits.flatMap(({ pageSize, limit }, i) => {
    if (!/^[1-9][0-9]*[KMG]B$/.test(pageSize)) {
      const field = `linux.resources.hugepageLimits[${i}].pageSize`;
      throw new SpecError(field, `"${pageSize}" is not a size as "2MB"`);
    }
    const suffix = version === 2 ? "max" : "limit_in_bytes";
    const setting: Setting = {
      controller: "hugetlb",
      file: `hugetlb.${pageSize}.${suffix}`,
      content: String(limit),
      label: `limit huge pages of ${pageSize} to ${limit} bytes`,
    };
    // Reservations are limited since Linux 5.7, that a process gets an error rather than SIGBUS.
    const reserved: Setting = {
      controller: "hugetlb",
      file: `hugetlb.${pageSize}.rsvd.${suffix}`,
      content: String(limit),
      label: `limit reserved huge pages of ${pageSize} to ${limit} bytes`,
      optional: true,
    };
    return [setting, reserved];
  });
}
