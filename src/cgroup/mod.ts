/**
 * Control groups of version 1 and 2 behind one interface.
 *
 * Decided first: `host.ts` finds out what is mounted, and `plan.ts` turns `linux.resources` of
 * config.json into data, with one file for each kind of limit (`memory.ts`, `cpu.ts`, `io.ts`,
 * `devices.ts`); all of that is pure. Then done: `write.ts` carries a plan out, and `update.ts`,
 * `processes.ts`, `freeze.ts`, `oom.ts`, `statistics.ts` and `remove.ts` deal with a live cgroup.
 * These last are plain file access, and block.
 *
 * Nothing here knows what a container is: a cgroup is a path within the hierarchies, as
 * "/minictr/ID", and {@link CgroupHost} says where those are.
 *
 * @see cgroups(7), the kernel's cgroup-v2.rst and cgroup-v1/, config-linux.md#control-groups
 * @module
 */
export {
  allHierarchies,
  cgroupDirectories,
  type CgroupHost,
  type CgroupJoin,
  cgroupPath,
  checkCgroupPath,
  type Hierarchy,
  joinOf,
  parseCgroupHost,
  readCgroupHost,
  whyMissing,
} from "./host.ts";
export { type CgroupFile, type CgroupMounts, type CgroupPlan, planCgroup } from "./plan.ts";
export { createDirectories, prepare, writeCgroupFile } from "./write.ts";
export { meaningOf } from "./refusal.ts";
export { freeze, isFrozen, thaw } from "./freeze.ts";
export { cgroupOf, killAll, processIds } from "./processes.ts";
export { oomKills } from "./oom.ts";
export { type Pressure, type PressureLine, type Pressures } from "./pressure.ts";
export { remove } from "./remove.ts";
export {
  type CgroupStatistics,
  type CpuStatistics,
  type IoCounts,
  type IoStatistics,
  type MemoryStatistics,
  type PidsStatistics,
  readStatistics,
} from "./statistics.ts";
export { update } from "./update.ts";
export { cpuTimeUs, type Usage, usage, type UsageFiles, usageFiles } from "./usage.ts";
