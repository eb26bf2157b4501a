/**
 * What few specs ask for: how the kernel schedules a process, where it places its memory, and what it
 * takes it for. Loaded for those alone.
 */
import type { CgroupJoin } from "../cgroup/host.ts";
import { SpecError } from "../spec/error.ts";
import type {
  CPUAffinity,
  Linux,
  LinuxIOPriority,
  LinuxMemoryPolicy,
  LinuxPersonality,
  Process,
  Scheduler,
} from "../spec/types.ts";
import { call, flags, type Step, step, struct } from "./step.ts";

/** `include/uapi/linux/sched.h`. */
const POLICIES: Record<string, number> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};
const SCHEDULER_FLAGS: Record<string, number> = {
  SCHED_FLAG_RESET_ON_FORK: 1,
  SCHED_FLAG_RECLAIM: 2,
  SCHED_FLAG_DL_OVERRUN: 4,
  SCHED_FLAG_KEEP_POLICY: 8,
  SCHED_FLAG_KEEP_PARAMS: 16,
  SCHED_FLAG_UTIL_CLAMP_MIN: 32,
  SCHED_FLAG_UTIL_CLAMP_MAX: 64,
};
/** `include/uapi/linux/ioprio.h`. */
const IO_CLASSES: Record<string, number> = {
  IOPRIO_CLASS_RT: 1,
  IOPRIO_CLASS_BE: 2,
  IOPRIO_CLASS_IDLE: 3,
};
const IOPRIO_WHO_PROCESS = 1, IOPRIO_CLASS_SHIFT = 13;
/** PER_LINUX and PER_LINUX32 of `include/uapi/linux/personality.h`. */
const DOMAINS: Record<string, number> = { LINUX: 0, LINUX32: 8 };
/** `include/uapi/linux/mempolicy.h`. */
const MEMORY_MODES: Record<string, number> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4, // Since Linux 3.8.
  MPOL_PREFERRED_MANY: 5, // Since Linux 5.15.
  MPOL_WEIGHTED_INTERLEAVE: 6, // Since Linux 6.9.
};
const MEMORY_FLAGS: Record<string, number> = {
  MPOL_F_NUMA_BALANCING: 1 << 13, // Since Linux 5.12.
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_STATIC_NODES: 1 << 15,
};

/**
 * Stage: what a container's first process and those that join it both have. An execution keeps all of
 * it, and so does a child, but for a deadline.
 */
export function attributeSteps(process: Process | undefined, linux: Linux | undefined): Step[] {
  const { scheduler, ioPriority } = process ?? {};
  const { personality, memoryPolicy } = linux ?? {};
  return [
    ...scheduler ? [setScheduler(scheduler)] : [],
    ...ioPriority ? [setIoPriority(ioPriority)] : [],
    ...personality ? [setPersonality(personality)] : [],
    ...memoryPolicy ? [setMemoryPolicy(memoryPolicy)] : [],
  ];
}

/** `process.scheduler`; sched_setattr(2), sched(7). */
function setScheduler(scheduler: Scheduler): Step {
  const { policy, nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0 } = scheduler;
  const field = "process.scheduler";
  const attr = struct("sched_attr", [
    ["size", 4, SCHED_ATTR_SIZE],
    ["sched_policy", 4, chosen(POLICIES, [policy], `${field}.policy`)],
    ["sched_flags", 8, chosen(SCHEDULER_FLAGS, scheduler.flags, `${field}.flags`)],
    ["sched_nice", 4, nice],
    ["sched_priority", 4, priority],
    ["sched_runtime", 8, runtime],
    ["sched_deadline", 8, deadline],
    ["sched_period", 8, period],
    ["sched_util_min", 4, 0],
    ["sched_util_max", 4, 0],
  ]);
  return step(`let ${policy} schedule the command`, [call("sched_setattr", [0, attr, 0])], {
    EPERM: NEEDS[policy] ?? "a nice value below the caller's needs CAP_SYS_NICE on the host",
    EBUSY: "the CPUs have not so much time left for deadlines",
    EINVAL: "the kernel does not take these values together",
    EOPNOTSUPP: "the kernel was built without CONFIG_UCLAMP_TASK",
  });
}

const REAL_TIME = "real time needs CAP_SYS_NICE on the host, and where the kernel has " +
  "CONFIG_RT_GROUP_SCHED a cgroup with linux.resources.cpu.realtimeRuntime";
/** What it takes to have a policy; sched(7). */
const NEEDS: Record<string, string> = {
  SCHED_FIFO: REAL_TIME,
  SCHED_RR: REAL_TIME,
  SCHED_DEADLINE: "a deadline needs CAP_SYS_NICE on the host, and a cpuset with all its CPUs",
};

/** SCHED_ATTR_SIZE_VER1, with what clamps utilization; since Linux 5.3. */
const SCHED_ATTR_SIZE = 56;

/** `process.ioPriority`; ioprio_set(2). Children inherit it, and so the whole container has it. */
function setIoPriority({ class: name, priority }: LinuxIOPriority): Step {
  const { value } = chosen(IO_CLASSES, [name], "process.ioPriority.class");
  const both = flags({
    [`IOPRIO_PRIO_VALUE(${name}, ${priority})`]: (value << IOPRIO_CLASS_SHIFT) + priority,
  });
  return step(`set the I/O priority to ${priority} of ${name}`, [
    call("ioprio_set", [flags({ IOPRIO_WHO_PROCESS }), 0, both]),
  ], { EPERM: `${name} needs CAP_SYS_NICE or CAP_SYS_ADMIN on the host` });
}

/** `linux.personality`; personality(2). It is set for LINUX too: the caller's may be another. */
function setPersonality({ domain }: LinuxPersonality): Step {
  const { value } = chosen(DOMAINS, [domain], "linux.personality.domain");
  return step(`set the personality to ${domain}`, [
    call("personality", [flags({ [`PER_${domain}`]: value })]),
  ], { EINVAL: "this machine runs no programs of 32 bits" });
}

/** `linux.memoryPolicy`; set_mempolicy(2). */
function setMemoryPolicy({ mode, nodes = "", flags: names }: LinuxMemoryPolicy): Step {
  const field = "linux.memoryPolicy";
  const both = flags({
    ...chosen(MEMORY_MODES, [mode], `${field}.mode`).named,
    ...chosen(MEMORY_FLAGS, names, `${field}.flags`).named,
  });
  const mask = listMask(nodes);
  const label = `set the memory policy to ${mode}${nodes === "" ? "" : ` on the nodes ${nodes}`}`;
  return step(label, [
    // The kernel takes one off the number of bits.
    call("set_mempolicy", mask ? [both, mask, 8 * mask.length + 1] : [both, 0, 0]),
  ], {
    EINVAL: "a node is not there or not among linux.resources.cpu.mems, or the kernel does not " +
      `know ${mode} with these flags`,
    ENOSYS: "the kernel was built without CONFIG_NUMA",
  });
}

/** Names from config.json as what the kernel's headers say they are. */
function chosen(among: Record<string, number>, names: string[] | undefined, field: string) {
  const named: Record<string, number> = {};
  for (const name of names ?? []) {
    const value = among[name];
    if (value === undefined) throw new SpecError(field, `knows no ${JSON.stringify(name)}`);
    named[name] = value;
  }
  return flags(named);
}

/** How a process that joins a container gets to its CPUs. */
export interface AffinitySteps {
  cgroup: CgroupJoin;
  affinity: { initial: Step[]; final: Step[] };
}

/**
 * Stage of `exec`: `process.execCPUAffinity`, before and after it moves into the container's cgroup.
 * It moves itself, as it would be born there too early; sched_setaffinity(2), cpuset(7).
 */
export function affinitySteps({ initial, final }: CPUAffinity, cgroup: CgroupJoin): AffinitySteps {
  return {
    cgroup: initial ? moveItself(cgroup) : cgroup,
    affinity: {
      initial: setAffinity(initial, "before it is in the cgroup"),
      final: setAffinity(final, "from now on"),
    },
  };
}

function setAffinity(list = "", when: string): Step[] {
  const mask = listMask(list);
  if (!mask) return [];
  return [
    step(`run on the CPUs ${list} ${when}`, [call("sched_setaffinity", [0, mask.length, mask])], {
      EINVAL: `none of the CPUs ${list} is online and in this process's cpuset`,
    }),
  ];
}

/** The same cgroup, but by writing to its files alone; cgroups(7). */
function moveItself(join: CgroupJoin): CgroupJoin {
  const born = join.kind === "into" ? join.directory : join.born;
  const paths = join.kind === "into" ? [] : join.paths;
  return {
    kind: "tasks",
    paths: born === undefined ? paths : [...paths, `${born}/cgroup.procs`],
  };
}

/** A list like "0-3,7" as an array of unsigned longs, the lowest bit first; undefined if it is empty. */
function listMask(list: string): Uint8Array | undefined {
  if (list === "") return undefined;
  const ranges = list.split(",").map((range) => range.split("-").map(Number));
  const last = Math.max(...ranges.flat());
  const mask = new Uint8Array(8 * (Math.floor(last / 64) + 1));
  for (const [first = 0, end = first] of ranges) {
    for (let at = first; at <= end; at++) mask[at >> 3] = (mask[at >> 3] ?? 0) | 1 << (at & 7);
  }
  return mask;
}
