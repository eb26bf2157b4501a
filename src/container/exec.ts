import { catchSignals, Fd, SyscallError, trySyscall } from "../../ffi/mod.ts";
import { isFrozen } from "../cgroup/freeze.ts";
import { joinOf, readCgroupHost } from "../cgroup/host.ts";
import { cgroupOf } from "../cgroup/processes.ts";
import { type ExecSurroundings, planExec } from "../plan/exec.ts";
import type { ContainerPlan, Stream } from "../plan/mod.ts";
import { attributesOf } from "../plan/privileges.ts";
import type { Process, Spec } from "../spec/mod.ts";
import { statusOf } from "./attend.ts";
import { ContainerError, findRunning } from "./find.ts";
import { attendTo, streamsFor } from "./foreground.ts";
import { type Filter, isRunning, readFilter, readOwnSpec, type Running } from "./live.ts";
import { assemblePlan, start, type StartOptions } from "./start.ts";
import type { Roots, State } from "./state.ts";

const ESRCH = -3;

/** A running container that is about to be joined. */
export interface Joined extends Disposable {
  state: State & Running;
  spec: Spec & { process: Process };
  /** Its seccomp filter, where it has one. */
  seccomp?: Filter;
  /** A descriptor of its first process. */
  pidfd: number;
}

/** What a further process is, beside its description as a process. */
export interface ExecOptions {
  roots: Roots;
  /** Whether it reads the caller's standard input. */
  interactive: boolean;
  /** Whether minictr does not wait for it. */
  detach: boolean;
  /** Its standard streams, if not those of a command in the foreground or background. */
  streams?: [Stream, Stream, Stream];
  seccomp?: ExecSurroundings["seccomp"];
  /** Told its process id, as the host sees it, before it is waited for. */
  onStart?(pid: number): void;
  trace?: StartOptions["onTrace"];
}

/**
 * Takes hold of a running container by name, id, or the beginning of an id.
 *
 * @throws {ContainerError} if there is none, or it does not run, or is paused
 */
export async function joinContainer(roots: Roots, name: string): Promise<Joined> {
  const { directory, state } = await findRunning(roots, name);
  const ended = () => new ContainerError(`container "${name}" does not run: it has ended`);
  const opened = trySyscall("pidfd_open", state.pid, 0);
  if (opened === ESRCH) throw ended();
  if (opened < 0) throw new SyscallError("pidfd_open", -opened);
  const pidfd = new Fd(opened);
  try {
    const spec = await readOwnSpec(directory);
    const seccomp = readFilter(directory);
    // Looked at again: from here on the descriptor means this process and no other.
    if (!isRunning(state)) throw ended();
    if (!spec?.process) throw new ContainerError(`cannot find the spec of container "${name}"`);
    const described = { ...spec, process: spec.process };
    return {
      state,
      spec: described,
      ...seccomp ? { seccomp } : {},
      pidfd: pidfd.number,
      [Symbol.dispose]: () => pidfd.close(),
    };
  } catch (error) {
    pidfd.close();
    throw error;
  }
}

/**
 * The plan of a further process in a container, and what it takes to carry it out.
 *
 * @param plan another than that of one that minictr waits for
 * @throws {ContainerError} if the container is paused: the process would be stopped, too
 */
export async function planJoin(
  joined: Joined,
  process: Process,
  options: ExecOptions,
  plan: typeof planExec = planExec,
): Promise<ContainerPlan> {
  const { state, spec, pidfd } = joined;
  const host = readCgroupHost();
  if (isFrozen(host, state.cgroup)) {
    throw new ContainerError(
      `container "${state.name}" is paused: nothing can be started in it; unpause it first`,
    );
  }
  const nothing: [Stream, Stream, Stream] = ["null", "null", "null"];
  const cgroup = joinOf(host, cgroupOf(host, state.cgroup, state.pid));
  const { execCPUAffinity } = process;
  return plan(process, {
    pid: state.pid,
    pidfd,
    namespaces: foreignNamespaces(state.pid),
    cgroup,
    ...execCPUAffinity
      ? (await import("../plan/attributes.ts")).affinitySteps(execCPUAffinity, cgroup)
      : {},
    ...options.seccomp ? { seccomp: options.seccomp } : {},
    lastCapability: Number(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap")),
    ...await attributesOf(process, spec.linux),
    streams: options.streams ?? (options.detach ? nothing : streamsFor(options.interactive)),
    foreground: !options.detach,
    trace: options.trace !== undefined,
  });
}

/** By their names in /proc/PID/ns, as config.json calls them. */
const NAMESPACES = {
  user: "user",
  mnt: "mount",
  pid: "pid",
  net: "network",
  ipc: "ipc",
  uts: "uts",
  cgroup: "cgroup",
  time: "time",
};

/** The namespaces of a process that are not minictr's own; namespaces(7). */
function foreignNamespaces(pid: number): string[] {
  const link = (of: string, name: string) => {
    try {
      return Deno.readLinkSync(`/proc/${of}/ns/${name}`);
    } catch {
      return undefined; // A kernel without this kind, for both.
    }
  };
  return Object.entries(NAMESPACES)
    .filter(([name]) => link(String(pid), name) !== link("self", name))
    .map(([, type]) => type);
}

/**
 * Runs a further process in a container.
 *
 * @returns the exit status as a shell shows it; 0 for a process in the background
 * @throws {StartError} when a step failed
 */
export async function execIn(
  joined: Joined,
  process: Process,
  options: ExecOptions,
): Promise<number> {
  const { trace, roots } = options;
  const startOptions: StartOptions = {
    fallbackPath: `${roots.run}/stage.${joined.state.id}.${Deno.pid}`,
    ...trace ? { trace: true, onTrace: trace } : {},
  };
  if (options.detach) {
    const { execBehind } = await import("./exec_behind.ts");
    await execBehind(joined, process, options, startOptions);
    return 0;
  }
  const assembled = assemblePlan(await planJoin(joined, process, options), startOptions);
  const signals = catchSignals();
  const started = start(assembled, startOptions);
  options.onStart?.(started.pid);
  // Loaded and noted while it runs.
  const { newExecId, noteExec, noteExecEnd } = await import("./exec_events.ts");
  const execId = newExecId();
  noteExec(roots, joined.state, process, execId);
  const status = statusOf(attendTo(started, signals, options));
  noteExecEnd(roots, joined.state, { execId, status });
  return status;
}
