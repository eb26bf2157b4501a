/**
 * Changing the limits of a live cgroup.
 * @module
 */
import type { LinuxResources } from "../spec/types.ts";
import { type CgroupHost, controllerDirectory } from "./host.ts";
import { textOf } from "./live.ts";
import { type LimitsNow, planUpdate } from "./plan.ts";
import { writeCgroupFile } from "./write.ts";

/**
 * Changes a live cgroup to `resources`: what these do not name stays as it is, and so do device
 * rules. Memory and swap belong together and are to be given together.
 * @throws as planCgroup and prepare; SpecError where memory.checkBeforeUpdate finds more in use
 * than the new limit
 */
export function update(host: CgroupHost, path: string, resources: LinuxResources): void {
  const now = limitsNow(host, path);
  for (const file of planUpdate(host, path, resources, now)) writeCgroupFile(file);
}

function limitsNow(host: CgroupHost, path: string): LimitsNow {
  const read = (controller: string, file: string): string | undefined => {
    const directory = controllerDirectory(host, controller, path);
    return directory === undefined ? undefined : textOf(`${directory}/${file}`)?.trim();
  };
  if (host.version === 2) {
    const usageBytes = Number(read("memory", "memory.current") ?? 0);
    const cpuQuota = read("cpu", "cpu.max")?.split(" ")[0] ?? "max";
    return { memory: { usageBytes, swapLimitBytes: Infinity }, cpuQuota };
  }
  const usageBytes = Number(read("memory", "memory.usage_in_bytes") ?? 0);
  const swapLimitBytes = Number(read("memory", "memory.memsw.limit_in_bytes") ?? Infinity);
  return { memory: { usageBytes, swapLimitBytes }, cpuQuota: "max" };
}
