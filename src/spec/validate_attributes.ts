/**
 * How a process is scheduled, where its memory lies, and what the kernel takes it for; config.md#linux-process,
 * config-linux.md#memory-policy, #personality.
 * @module
 */
import { SpecError } from "./error.ts";
import { quote } from "./shape.ts";
import type {
  CPUAffinity,
  Linux,
  LinuxIOPriority,
  LinuxMemoryPolicy,
  LinuxPersonality,
  Process,
  Scheduler,
} from "./types.ts";

/** SCHED_ISO, which the specification lists too, is in no kernel; sched(7). */
const POLICIES = words("OTHER FIFO RR BATCH IDLE DEADLINE", "SCHED_");
const SCHEDULER_FLAGS = words(
  "RESET_ON_FORK RECLAIM DL_OVERRUN KEEP_POLICY KEEP_PARAMS UTIL_CLAMP_MIN UTIL_CLAMP_MAX",
  "SCHED_FLAG_",
);
const IO_CLASSES = words("RT BE IDLE", "IOPRIO_CLASS_");
const DOMAINS = ["LINUX", "LINUX32"];
const MEMORY_MODES = words(
  "DEFAULT BIND INTERLEAVE WEIGHTED_INTERLEAVE PREFERRED PREFERRED_MANY LOCAL",
  "MPOL_",
);
const MEMORY_FLAGS = words("NUMA_BALANCING RELATIVE_NODES STATIC_NODES", "MPOL_F_");

/** Modes with no node, and with none or more; others need one. set_mempolicy(2). */
const WITHOUT_NODES = ["MPOL_DEFAULT", "MPOL_LOCAL"], NODES_OR_NONE = "MPOL_PREFERRED";
/** Both at once are refused by the kernel. */
const EXCLUSIVE = ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"];

/** Nanoseconds: what the kernel counts deadlines in, rounded; sched(7). */
const DEADLINE_MIN_NS = 1024, DEADLINE_LIMIT_NS = 2n ** 63n;
/** More than any kernel is built for: CONFIG_NR_CPUS, CONFIG_NODES_SHIFT. */
const LAST_CPU_OR_NODE = 8191;

/**
 * `scheduler`, `ioPriority` and `execCPUAffinity` of a process.
 *
 * @throws {SpecError} that names the first field which is wrong
 */
export function checkProcessAttributes(
  { scheduler, ioPriority, execCPUAffinity }: Process,
  field: string,
): void {
  if (scheduler) checkScheduler(scheduler, `${field}.scheduler`);
  if (ioPriority) checkIoPriority(ioPriority, `${field}.ioPriority`);
  if (execCPUAffinity) checkAffinity(execCPUAffinity, `${field}.execCPUAffinity`);
}

/**
 * `linux.personality` and `linux.memoryPolicy`.
 *
 * @throws {SpecError} that names the first field which is wrong
 */
export function checkSpecAttributes({ personality, memoryPolicy }: Linux): void {
  if (personality) checkPersonality(personality, "linux.personality");
  if (memoryPolicy) checkMemoryPolicy(memoryPolicy, "linux.memoryPolicy");
}

function checkScheduler(scheduler: Scheduler, field: string): void {
  const { policy, nice = 0, priority = 0, flags = [] } = scheduler;
  checkName(policy, POLICIES, `${field}.policy`);
  for (const [index, flag] of flags.entries()) {
    checkName(flag, SCHEDULER_FLAGS, `${field}.flags[${index}]`);
  }
  checkRange(nice, [-20, 19], `${field}.nice`);
  const isRealTime = policy === "SCHED_FIFO" || policy === "SCHED_RR";
  if (isRealTime) checkRange(priority, [1, 99], `${field}.priority`);
  else if (priority !== 0) throw new SpecError(`${field}.priority`, `must be 0 with ${policy}`);
  checkDeadline(scheduler, field);
}

/** Each at most as long as the next one; no period stands for the deadline. */
function checkDeadline(scheduler: Scheduler, field: string): void {
  const { policy, runtime = 0, deadline = 0 } = scheduler;
  const period = scheduler.period || deadline;
  for (const [name, value] of Object.entries({ runtime, deadline, period })) {
    const where = `${field}.${name}`;
    if (policy !== "SCHED_DEADLINE") {
      if (value !== 0) throw new SpecError(where, `needs SCHED_DEADLINE, not ${policy}`);
    } else if (value < DEADLINE_MIN_NS || value >= DEADLINE_LIMIT_NS) {
      throw new SpecError(where, `must be from ${DEADLINE_MIN_NS} to 2^63-1 ns, is ${value}`);
    }
  }
  if (runtime > deadline) throw new SpecError(`${field}.runtime`, "is longer than the deadline");
  if (deadline > period) throw new SpecError(`${field}.deadline`, "is longer than the period");
}

function checkIoPriority({ class: name, priority }: LinuxIOPriority, field: string): void {
  checkName(name, IO_CLASSES, `${field}.class`);
  checkRange(priority, [0, 7], `${field}.priority`);
}

function checkAffinity({ initial = "", final = "" }: CPUAffinity, field: string): void {
  checkList(initial, `${field}.initial`);
  checkList(final, `${field}.final`);
}

function checkPersonality({ domain, flags = [] }: LinuxPersonality, field: string): void {
  checkName(domain, DOMAINS, `${field}.domain`);
  if (flags.length > 0) throw new SpecError(`${field}.flags`, "must be empty: none are defined");
}

function checkMemoryPolicy({ mode, nodes = "", flags = [] }: LinuxMemoryPolicy, field: string) {
  checkName(mode, MEMORY_MODES, `${field}.mode`);
  for (const [index, flag] of flags.entries()) {
    checkName(flag, MEMORY_FLAGS, `${field}.flags[${index}]`);
  }
  if (EXCLUSIVE.every((flag) => flags.includes(flag))) {
    throw new SpecError(`${field}.flags`, `must not have both ${EXCLUSIVE.join(" and ")}`);
  }
  checkList(nodes, `${field}.nodes`);
  if (WITHOUT_NODES.includes(mode) && nodes !== "") {
    throw new SpecError(`${field}.nodes`, `must be empty with ${mode}, is ${quote(nodes)}`);
  }
  if (!WITHOUT_NODES.includes(mode) && mode !== NODES_OR_NONE && nodes === "") {
    throw new SpecError(`${field}.nodes`, `is needed with ${mode}`);
  }
}

/** A list like "0-3,7", or none. */
function checkList(list: string, field: string): void {
  if (list === "") return;
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(list)) {
    throw new SpecError(field, `must be like 0-3,7, is ${quote(list)}`);
  }
  for (const range of list.split(",")) {
    const [first = 0, last = first] = range.split("-").map(Number);
    if (first > last) throw new SpecError(field, `has a range that goes down: ${quote(range)}`);
    checkRange(last, [0, LAST_CPU_OR_NODE], field);
  }
}

function checkName(name: string, known: readonly string[], field: string): void {
  if (known.includes(name)) return;
  throw new SpecError(field, `must be one of ${known.join(", ")}, is ${quote(name)}`);
}

function checkRange(value: number, [least, most]: readonly [number, number], field: string): void {
  if (value >= least && value <= most) return;
  throw new SpecError(field, `must be from ${least} to ${most}, is ${value}`);
}

function words(names: string, prefix: string): string[] {
  return names.split(" ").map((name) => prefix + name);
}
