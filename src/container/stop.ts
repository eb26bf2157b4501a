import { readCgroupHost } from "../cgroup/host.ts";
import { thaw } from "../cgroup/freeze.ts";
import { killAll } from "../cgroup/processes.ts";
import { syscall, trySyscall } from "../../ffi/mod.ts";
import { ContainerError } from "./find.ts";
import { isRunning, type Running } from "./live.ts";
import type { Known } from "./list.ts";
import type { State } from "./state.ts";

const POLL_MS = 20;
const KILL_DEADLINE_MS = 10_000;

/** The state of a container, if its first process is there. */
export function running({ name, state }: Known): State & Running {
  if (state && isRunning(state)) return state;
  throw new ContainerError(`container "${name}" does not run`);
}

/**
 * Sends a signal to a container's first process; through a pidfd, so that no other process that got
 * its number meanwhile is hit; pidfd_send_signal(2).
 */
export function sendSignal(known: Known, signal: number): void {
  const state = running(known);
  const pidfd = syscall("pidfd_open", state.pid, 0);
  try {
    running(known); // The pidfd is of the process that was meant.
    syscall("pidfd_send_signal", pidfd, signal, 0, 0);
  } finally {
    trySyscall("close", pidfd);
  }
}

/** How a container was stopped. */
export type Stopped = "not running" | "by itself" | "killed";

/**
 * Stops a container: its stop signal, and after the deadline SIGKILL to all in its cgroup. A frozen
 * one is thawed first: it would not get the signal.
 */
export async function stopContainer(
  known: Known,
  signal: number,
  timeoutMs: number,
): Promise<Stopped> {
  const { state } = known;
  if (!state || !isRunning(state)) return "not running";
  const host = readCgroupHost();
  thaw(host, state.cgroup);
  sendSignal(known, signal);
  if (await ended(state, timeoutMs)) return "by itself";
  killAll(host, state.cgroup);
  if (await ended(state, KILL_DEADLINE_MS)) return "killed";
  throw new ContainerError(`cannot stop "${known.name}": it is still there after SIGKILL`);
}

/** Waits until a container's first process is gone; false when the time is up before. */
export async function ended(state: State, timeoutMs: number): Promise<boolean> {
  for (const until = performance.now() + timeoutMs;;) {
    if (!isRunning(state)) return true;
    if (performance.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Whether the first process has a handler for a signal, or the kernel drops it; proc(5), SigCgt. */
export function hasHandler({ pid }: State & Running, signal: number): boolean {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/status`);
    const bits = BigInt(`0x${/^SigCgt:\s*(\S+)/m.exec(text)?.[1] ?? "0"}`);
    return (bits & (1n << BigInt(signal - 1))) !== 0n;
  } catch {
    return true; // It is gone.
  }
}
