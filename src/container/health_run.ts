/**
 * Carrying health checks out. Between two of them a stage of some kilobytes sleeps, which ends with
 * the container; for each it becomes minictr once, which runs the command as `exec` does, notes what
 * came of it, and becomes the sleeping stage again: one process, with one id, from start to end.
 *
 * @module
 */
import { Fd, syscall, trySyscall, waitSyscall } from "../../ffi/mod.ts";
import { isFrozen } from "../cgroup/freeze.ts";
import { readCgroupHost } from "../cgroup/host.ts";
import { type Definition, readDefinition } from "./definition.ts";
import { noteEvent } from "./events.ts";
import { joinContainer, type Joined, planJoin } from "./exec.ts";
import {
  type Checked,
  type Health,
  type HealthCheck,
  nextHealth,
  pauseBefore,
  readHealth,
  STARTING,
  writeHealth,
} from "./health.ts";
import { isRunning, type Running } from "./live.ts";
import { launchSleeper, type Nap, sleepHere } from "./sleep.ts";
import { assemblePlan, start, type Started } from "./start.ts";
import { readState, type Roots, type State, stateDirectory } from "./state.ts";

const OUTPUT_LIMIT = 4096; // Bytes; docker's.
const POLLIN = 1, P_PIDFD = 3, WEXITED = 4, SIGKILL = 9, CLD_EXITED = 1;
/** How long output may be on its way when the command has ended. */
const AFTER_END_MS = 50;

/** Begins to look after the health of a container that has just been started. */
export function beginChecks(roots: Roots, definition: Definition, pid: number): void {
  const { id, health: check } = definition;
  if (!check) return;
  writeHealth(roots, id, STARTING);
  using pidfd = new Fd(syscall("pidfd_open", pid, 0));
  const pause = check.startPeriodMs > 0 ? check.startIntervalMs : check.intervalMs;
  launchSleeper(napFor(roots, definition, pidfd.number, pause));
}

function napFor(roots: Roots, { id, name }: Definition, keep: number, ms: number): Nap {
  return {
    roots,
    ms,
    keep,
    untilEnd: true,
    title: `minictr-waits to check the health of ${name} (${id}) in ${roots.run}`,
    words: ["healthcheck", "attend", id],
  };
}

/**
 * One check when it is time for it, and the sleep before the next; returns when there is nothing to
 * look after any more.
 *
 * @param pidfd of the container's first process
 */
export async function attendHealth(roots: Roots, id: string, pidfd: number): Promise<void> {
  using kept = new Fd(pidfd);
  const state = readState(stateDirectory(roots, id));
  const definition = readDefinition(roots, id);
  if (!state || !isRunning(state) || !definition?.health) return;
  // What is frozen is not checked: it is as well as it was.
  const health = isFrozen(readCgroupHost(), state.cgroup)
    ? readHealth(roots, id) ?? STARTING
    : await checkHealth(roots, definition, state);
  const now = readDefinition(roots, id); // It may have another name by now.
  if (!now?.health) return;
  const pause = pauseBefore(health, now.health, Date.parse(state.startedAt), Date.now());
  sleepHere(napFor(roots, now, kept.number, pause));
}

/**
 * Runs the check of a container, and notes what came of it.
 *
 * @returns its health from now on
 */
export async function checkHealth(
  roots: Roots,
  definition: Definition,
  state: State & Running,
): Promise<Health> {
  const { id, health: check } = definition;
  const before = readHealth(roots, id) ?? STARTING;
  if (!check) return before;
  const checked = await runCheck(roots, id, check);
  if (!checked || !isRunning(state)) return before; // It ended, or was frozen before its turn.
  const health = nextHealth(before, checked, check, Date.parse(state.startedAt));
  writeHealth(roots, id, health);
  if (health.Status !== before.Status) {
    noteEvent(roots, `health_status: ${health.Status}`, definition);
  }
  return health;
}

async function runCheck(
  roots: Roots,
  id: string,
  check: HealthCheck,
): Promise<Checked | undefined> {
  const Start = new Date().toISOString();
  const ended = (ExitCode: number, Output: string): Checked => {
    return { Start, End: new Date().toISOString(), ExitCode, Output };
  };
  try {
    using joined = await joinContainer(roots, id);
    const started = await startCheck(roots, joined, check.command);
    const { code, output } = await collect(started, check.timeoutMs, joined.state);
    if (code !== undefined) return ended(code, output);
    return ended(-1, `Health check exceeded timeout (${check.timeoutMs / 1000}s)`);
  } catch (error) {
    const state = readState(stateDirectory(roots, id));
    if (!state || !isRunning(state) || isFrozen(readCgroupHost(), state.cgroup)) return undefined;
    return ended(-1, error instanceof Error ? error.message : String(error));
  }
}

/** As `exec` does it, with pipes for what it writes. */
async function startCheck(roots: Roots, joined: Joined, command: string): Promise<Started> {
  const { consoleSize: _, ...own } = joined.spec.process;
  const process = { ...own, terminal: false, args: ["/bin/sh", "-c", command] };
  const plan = await planJoin(joined, process, {
    roots,
    interactive: false,
    detach: false,
    streams: ["null", "pipe", "pipe"],
    ...joined.seccomp ? { seccomp: joined.seccomp } : {},
  });
  const options = { fallbackPath: `${roots.run}/stage.${joined.state.id}.${Deno.pid}` };
  return start(assemblePlan(plan, options), options);
}

/** Waits for the end of a check, and keeps the beginning of what it writes. */
async function collect(
  { pidfd, pipes }: Started,
  timeoutMs: number,
  { cgroup }: State,
): Promise<{ code: number | undefined; output: string }> {
  const output = new Uint8Array(OUTPUT_LIMIT);
  let length = 0;
  const open = pipes.filter((pipe) => pipe !== undefined);
  const read = (fd: number) => {
    const chunk = new Uint8Array(OUTPUT_LIMIT);
    const count = trySyscall("read", fd, chunk, chunk.length);
    if (count <= 0) {
      open.splice(open.indexOf(fd), 1);
      trySyscall("close", fd);
    } else {
      const room = Math.min(count, OUTPUT_LIMIT - length);
      output.set(chunk.subarray(0, room), length);
      length += room; // More is read all the same, so that the command can write it.
    }
  };
  const text = () => new TextDecoder().decode(output.subarray(0, length));
  const host = readCgroupHost();
  let deadline = performance.now() + timeoutMs;
  for (;;) {
    const ready = await poll([pidfd, ...open], Math.max(0, deadline - performance.now()));
    for (const fd of ready.filter((fd) => fd !== pidfd)) read(fd);
    if (ready.length === 0) {
      if (!isFrozen(host, cgroup)) break;
      deadline = performance.now() + timeoutMs; // It could not have ended: its time begins anew.
    }
    if (ready.includes(pidfd)) {
      while (open.length > 0) {
        const more = await poll(open, AFTER_END_MS);
        if (more.length === 0) break;
        more.forEach(read);
      }
      return { code: statusOf(pidfd), output: text() };
    }
  }
  trySyscall("pidfd_send_signal", pidfd, SIGKILL, 0, 0);
  statusOf(pidfd);
  return { code: undefined, output: text() };
}

/** Which of some descriptors can be read, or have ended; poll(2). */
async function poll(fds: readonly number[], timeoutMs: number): Promise<number[]> {
  const polled = new Uint8Array(8 * fds.length), limit = new Uint8Array(16);
  const view = new DataView(polled.buffer), time = new DataView(limit.buffer);
  fds.forEach((fd, index) => {
    view.setInt32(8 * index, fd, true);
    view.setInt16(8 * index + 4, POLLIN, true);
  });
  const ms = Math.ceil(timeoutMs);
  time.setBigUint64(0, BigInt(Math.floor(ms / 1000)), true);
  time.setBigUint64(8, BigInt(ms % 1000) * 1_000_000n, true);
  await waitSyscall("ppoll", polled, fds.length, limit, 0, 8);
  return fds.filter((_, index) => view.getInt16(8 * index + 6, true) !== 0);
}

/** Reaps a child; its exit status as a shell shows it; waitid(2). */
function statusOf(pidfd: number): number {
  const info = new Uint8Array(128); // siginfo_t
  syscall("waitid", P_PIDFD, pidfd, info, WEXITED, 0);
  const view = new DataView(info.buffer);
  const status = view.getInt32(24, true);
  return view.getInt32(8, true) === CLD_EXITED ? status : 128 + status;
}
