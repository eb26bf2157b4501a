/**
 * Control groups of version 1 and 2 behind one interface.
 *
 * `host.ts` finds out what is mounted; `plan.ts` turns `linux.resources` of config.json into a
 * plan, with one file for each kind of limit (`memory.ts`, `cpu.ts`, `io.ts`, `devices.ts`); all
 * of that is pure. Nothing here knows what a container is: a cgroup is a path within the
 * hierarchies, as "/minictr/ID".
 *
 * @see cgroups(7), the kernel's cgroup-v2.rst and cgroup-v1/, config-linux.md#control-groups
 * @module
 */
export {
  allHierarchies,
  cgroupDirectories,
  type CgroupHost,
  cgroupPath,
  checkCgroupPath,
  type Hierarchy,
  parseCgroupHost,
  readCgroupHost,
} from "./host.ts";
export {
  type CgroupFile,
  type CgroupJoin,
  type CgroupMounts,
  type CgroupPlan,
  joinOf,
  planCgroup,
} from "./plan.ts";
