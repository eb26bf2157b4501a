import { syscall, SyscallError, trySyscall, waitSyscall } from "../../ffi/mod.ts";
import { isFrozen, thaw } from "../cgroup/freeze.ts";
import { readCgroupHost } from "../cgroup/host.ts";
import { killAll } from "../cgroup/processes.ts";
import { markStopped } from "./definition.ts";
import { noteEvent } from "./events.ts";
import { ContainerError } from "./find.ts";
import { holdDefinition } from "./hold.ts";
import { isRunning, isWaiting, type Running } from "./live.ts";
import { type Known, statusOf } from "./list.ts";
import { endWait, settled } from "./settle.ts";
import { readState, type Roots, type State, stateDirectory } from "./state.ts";

const KILL_DEADLINE_MS = 10_000;
const SIGKILL = 9, POLLIN = 1, ESRCH = 3;

/**
 * The state of a container, if its first process is there.
 *
 * @throws {ContainerError} if not, with what it does instead
 */
export function running(roots: Roots, known: Known): State & Running {
  const { name, state } = known;
  if (state && isRunning(state)) return state;
  const instead = {
    created: "it was never started",
    restarting: "it waits to be started again",
    exited: "it has ended",
    dead: "nobody saw its end",
    running: "it has just been started",
    paused: "it has just been started",
  }[statusOf(roots, known)];
  throw new ContainerError(`container "${name}" does not run: ${instead}`);
}

/**
 * Sends a signal to a container's first process. KILL and its stop signal are meant to end it: then
 * no policy starts it again, and a frozen one is thawed.
 *
 * @throws {ContainerError} if it does not run
 */
export async function killContainer(roots: Roots, known: Known, signal: number): Promise<void> {
  const { definition } = known;
  const final = signal === SIGKILL || signal === (definition?.stopSignal ?? 15);
  const state = final ? stateToStop(roots, known) : known.state;
  if (final && state && isWaiting(state)) return await settled(roots, state);
  const live = running(roots, { ...known, ...state ? { state } : {} });
  sendSignal(roots, live, signal);
  if (final) thawIfFrozen(live);
}

/**
 * Through a pidfd, so that no other process that got its number meanwhile is hit; pidfd_send_signal(2).
 *
 * @throws {ContainerError} if it has just ended
 */
function sendSignal(roots: Roots, state: State & Running, signal: number): void {
  const ended = () =>
    new ContainerError(`container "${state.name}" does not run: it has just ended`);
  const pidfd = trySyscall("pidfd_open", state.pid, 0);
  if (pidfd < 0) throw ended();
  try {
    if (!isRunning(state)) throw ended(); // The pidfd is of the process that was meant.
    noteEvent(roots, "kill", state, { signal: String(signal) }); // Before it dies of it.
    const sent = trySyscall("pidfd_send_signal", pidfd, signal, 0, 0);
    if (sent === -ESRCH) throw ended();
    if (sent < 0) throw new SyscallError("pidfd_send_signal", -sent);
  } finally {
    trySyscall("close", pidfd);
  }
}

/** A frozen process gets no signal before it is thawed, in version 1 not even KILL. */
function thawIfFrozen({ cgroup }: State): void {
  const host = readCgroupHost();
  try {
    if (isFrozen(host, cgroup)) thaw(host, cgroup);
  } catch (error) {
    if (isFrozen(host, cgroup)) throw error; // Else it has ended meanwhile.
  }
}

/** How a container was stopped. */
export type Stopped = "not running" | "by itself" | "killed";

/**
 * Stops a container: its stop signal, and after the deadline SIGKILL to all in its cgroup. Returns
 * when all that was made for its run is gone. A wait for its restart policy ends at once.
 *
 * @throws {ContainerError} if it outlives SIGKILL
 */
export async function stopContainer(
  roots: Roots,
  known: Known,
  signal: number,
  timeoutMs: number,
): Promise<Stopped> {
  const how = await endRun(roots, known, signal, timeoutMs);
  const subject = known.definition ?? known.state;
  if (how !== "not running" && subject) noteEvent(roots, "stop", subject);
  return how;
}

/**
 * The same as a part of something else: that it was stopped is not noted.
 *
 * @throws {ContainerError} if it outlives SIGKILL
 */
export async function endRun(
  roots: Roots,
  known: Known,
  signal: number,
  timeoutMs: number,
): Promise<Stopped> {
  const state = stateToStop(roots, known);
  const { name } = known;
  if (!state) return "not running";
  if (!isRunning(state)) {
    await settled(roots, state);
    return "not running";
  }
  const how = await endProcesses(roots, state, signal, timeoutMs);
  if (how === undefined) {
    throw new ContainerError(`cannot stop "${name}": it is still there after SIGKILL`);
  }
  await settled(roots, state);
  return how;
}

async function endProcesses(
  roots: Roots,
  state: State & Running,
  signal: number,
  timeoutMs: number,
): Promise<Stopped | undefined> {
  try {
    sendSignal(roots, state, signal);
    thawIfFrozen(state); // Not before: it would go on without the signal.
  } catch (error) {
    if (isRunning(state)) throw error;
  }
  if (signal !== SIGKILL && await ended(state, timeoutMs)) return "by itself";
  if (signal !== SIGKILL) noteEvent(roots, "kill", state, { signal: String(SIGKILL) });
  killAll(readCgroupHost(), state.cgroup);
  return await ended(state, KILL_DEADLINE_MS) ? "killed" : undefined;
}

/**
 * Notes that a container is to be stopped, ends a wait for its restart, and returns its state; nobody
 * is just starting it then.
 */
function stateToStop(roots: Roots, known: Known): State | undefined {
  const { id, definition } = known;
  if (!definition) return known.state;
  using _ = holdDefinition(roots, id);
  const state = readState(stateDirectory(roots, id));
  if (!state) return undefined; // It was not stopped: it had ended.
  markStopped(roots, id, true);
  endWait(state);
  return state;
}

/** Waits until a container's first process is gone; false when the time is up before; poll(2). */
export async function ended(state: State, timeoutMs = Infinity): Promise<boolean> {
  if (!isRunning(state)) return true;
  const pidfd = syscall("pidfd_open", state.pid, 0);
  try {
    if (!isRunning(state)) return true;
    const polled = new Uint8Array(8), limit = new Uint8Array(16);
    new DataView(polled.buffer).setInt32(0, pidfd, true);
    new DataView(polled.buffer).setInt16(4, POLLIN, true);
    const view = new DataView(limit.buffer);
    view.setBigUint64(0, BigInt(Math.floor(timeoutMs === Infinity ? 0 : timeoutMs / 1000)), true);
    view.setBigUint64(8, BigInt(timeoutMs === Infinity ? 0 : timeoutMs % 1000) * 1_000_000n, true);
    await waitSyscall("ppoll", polled, 1, timeoutMs === Infinity ? 0 : limit, 0, 8);
    return !isRunning(state);
  } finally {
    trySyscall("close", pidfd);
  }
}
