import {
  AT_FDCWD,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_PARENT,
  O_RDONLY,
  SIGCHLD,
} from "../../ffi/constants.ts";
import { writeFile } from "./calls.ts";
import { SpecError } from "../spec/error.ts";
import type { LinuxNamespace, LinuxTimeOffset } from "../spec/types.ts";
import {
  type Call,
  call,
  type Flags,
  flags,
  type Slot,
  slot,
  type Step,
  step,
  struct,
} from "./step.ts";

/** The flag of each `linux.namespaces[].type`; clone(2). */
const FLAGS: Record<string, Record<string, number>> = {
  mount: { CLONE_NEWNS },
  cgroup: { CLONE_NEWCGROUP },
  uts: { CLONE_NEWUTS },
  ipc: { CLONE_NEWIPC },
  user: { CLONE_NEWUSER },
  pid: { CLONE_NEWPID },
  network: { CLONE_NEWNET },
  time: { CLONE_NEWTIME },
};

/** How the stage gets into its namespaces. */
export interface Namespaces {
  /** Made by clone3(2) as the stage is born. */
  born: Flags;
  /** Joined, in this order: opened by the host's side, entered with setns(2). */
  joined: { type: string; path: string; handle: Slot }[];
  /** Made by unshare(2), after all that is joined. */
  unshared: Flags;
  /** Whether a second process is needed: a pid namespace holds only the children of who joins it. */
  second: boolean;
  /** What is written to /proc/self/timens_offsets; empty for a time as it is. */
  offsets: string;
  /** Whether a namespace of the type is new, joined, or the host's. */
  of(type: string): "new" | "joined" | "host";
}

/**
 * Sorts `linux.namespaces`.
 *
 * New ones are made at birth, except: with a user namespace (always joined: the host's side makes it
 * and writes its maps before) all come after it, so that it owns them; and a cgroup namespace comes
 * when the stage is in its cgroup.
 *
 * @param timeOffsets can be written only before a process is in the time namespace
 */
export function sortNamespaces(
  list: LinuxNamespace[],
  timeOffsets: Record<string, LinuxTimeOffset>,
): Namespaces {
  const joined: Namespaces["joined"] = [];
  const fresh: Record<string, number> = {};
  const kinds = new Map<string, "new" | "joined">();
  for (const [index, { type, path }] of list.entries()) {
    const flag = FLAGS[type];
    if (!flag) throw new SpecError(`linux.namespaces[${index}].type`, `"${type}" is none`);
    kinds.set(type, path ? "joined" : "new");
    if (path) joined.push({ type, path, handle: slot(`${type} namespace`) });
    else if (type !== "cgroup") Object.assign(fresh, flag);
  }
  // The user namespace last: before, the caller's own capabilities are needed for the others.
  joined.sort((a, b) => Number(a.type === "user") - Number(b.type === "user"));
  const shifted = fresh.CLONE_NEWTIME !== undefined && Object.keys(timeOffsets).length > 0;
  const second = shifted || joined.some(({ type }) => type === "user" || type === "pid");
  return {
    born: flags(second ? {} : fresh),
    joined,
    unshared: flags(second ? fresh : {}),
    second,
    offsets: shifted ? offsetLines(timeOffsets) : "",
    of: (type) => kinds.get(type) ?? "host",
  };
}

/** `linux.timeOffsets` as time_namespaces(7) wants them: one clock a line. */
function offsetLines(offsets: Record<string, LinuxTimeOffset>): string {
  return Object.entries(offsets)
    .map(([clock, { secs = 0, nanosecs = 0 }]) => `${clock} ${secs} ${nanosecs}\n`).join("");
}

/** Host's side: opens what is joined; setns(2). */
export function openNamespaces({ joined }: Namespaces): Step[] {
  return joined.map(({ type, path, handle }) =>
    step(`open the ${type} namespace ${path}`, [
      call("openat", [flags({ AT_FDCWD }), path, flags({ O_RDONLY }), 0], { to: handle }),
    ], { ENOENT: `there is no "${path}": the container or process that it belonged to has ended` })
  );
}

/** Stage: joins and makes what could not be had at birth. */
export function enterNamespaces({ joined, unshared, offsets }: Namespaces): Step[] {
  const steps = joined.map(({ type, handle }) =>
    step(`join the ${type} namespace`, [
      call("setns", [handle, flags(FLAGS[type] ?? {})]),
      ...type === "user" ? takeRootIds() : [],
    ], { EINVAL: `the file is not of a ${type} namespace, or it is the caller's own` })
  );
  if (unshared.value !== 0) {
    steps.push(step("make the other namespaces", [call("unshare", [unshared])], {
      ENOSPC: "the limit in /proc/sys/user/max_*_namespaces is reached",
    }));
  }
  if (offsets !== "") {
    steps.push(step("set the clocks", writeFile("/proc/self/timens_offsets", offsets), {
      EINVAL: "an offset would put a clock before zero",
    }));
  }
  return steps;
}

/**
 * Stage: joins namespaces of a process, all in one call, so that there is no moment at which it is
 * only in some; setns(2) with a pidfd, since Linux 5.8.
 *
 * @param types as config.json calls them: those that are not the stage's own
 */
export function joinNamespacesOf(pidfd: Slot, types: string[]): Step {
  const all: Record<string, number> = {};
  for (const type of types) Object.assign(all, FLAGS[type]);
  return step("join the container's namespaces", [
    call("setns", [pidfd, flags(all)]),
    ...types.includes("user") ? takeRootIds() : [],
    call("close", [pidfd]),
  ], {
    ESRCH: "the container has ended",
    EINVAL: "the kernel is older than Linux 5.8",
    EPERM: "joining namespaces needs CAP_SYS_ADMIN: run as root",
  });
}

/** Whoever joins a user namespace is nobody in it until it takes its root's ids. */
function takeRootIds(): Call[] {
  return [call("setresgid", [0, 0, 0]), call("setresuid", [0, 0, 0])];
}

/**
 * Stage: goes on as a second process, a child of minictr too (CLONE_PARENT); the first tells its
 * process id on the channel and ends. Only children are in the pid namespace that was joined or
 * unshared; pid_namespaces(7).
 *
 * @param supervisor where the parent of both is told the process id, if it is not minictr
 */
export function becomeSecond(channel: Slot, kind: number, supervisor?: Slot): Step {
  const child = slot("pid of the second process");
  const message = struct("message", [["kind", 4, kind], ["pid", 4, child]]);
  return step("go on inside the namespaces", [
    call("clone", [flags({ CLONE_PARENT, SIGCHLD }), 0, 0, 0, 0], {
      to: child,
      on: [{ value: 0, goto: "next" }],
    }),
    ...supervisor ? [call("write", [supervisor, struct("pid_t", [["pid", 4, child]]), 4])] : [],
    call("write", [channel, message, 8]),
    call("exit_group", [0]),
  ], {
    ENOMEM: "the pid namespace's first process has ended",
    EAGAIN: "the pids limit is reached",
  });
}

/** Stage, when it is in its cgroup, which becomes the namespace's root; cgroup_namespaces(7). */
export function newCgroupNamespace(): Step {
  return step("make a cgroup namespace", [call("unshare", [flags(FLAGS.cgroup ?? {})])]);
}
