import type { Privileges } from "../plan/mod.ts";
import type { Spec } from "../spec/mod.ts";
import type { State } from "./state.ts";

/** What is written down of a container that has just been started. */
export type Running = Required<Pick<State, "pid" | "startTime" | "bootId" | "startedAt">>;

/**
 * A first process as it is written down: with what tells it from a later process that has its number.
 * No process has the start time 0, which stands for one that is gone already.
 */
export function runningAs(pid: number): Running {
  const startTime = stat(pid)?.startTime ?? 0;
  return { pid, startTime, bootId: bootId(), startedAt: new Date().toISOString() };
}

/** Whether the process that is written down is still there, and not some other with its number. */
export function isRunning(state: State): state is State & Running {
  const { pid, startTime } = state;
  if (pid === undefined || startTime === undefined || state.bootId !== bootId()) return false;
  const now = stat(pid);
  return now !== undefined && now.startTime === startTime && !now.ended;
}

/** Whether the process that waits to start a container again is still there. */
export function isWaiting(state: State): state is State & Required<Pick<State, "waiter">> {
  const { waiter } = state;
  if (waiter === undefined || state.bootId !== bootId()) return false;
  const now = stat(waiter.pid);
  return now !== undefined && now.startTime === waiter.startTime && !now.ended;
}

/** This process as the one that waits; an execution changes neither. */
export function waitingAs(): Required<Pick<State, "waiter" | "bootId">> {
  const startTime = stat(Deno.pid)?.startTime ?? 0;
  return { waiter: { pid: Deno.pid, startTime }, bootId: bootId() };
}

/** A compiled `linux.seccomp`, with SECCOMP_FILTER_FLAG_*. */
export type Filter = NonNullable<Privileges["seccomp"]>;

/**
 * Writes a container's final spec beside its state, for the commands that come later: in
 * `<run>/containers/ID`, `config.json`, and `filter`, its seccomp filter behind a line with the flags
 * as JSON. Both are there as soon as the state has a process id.
 */
export function writeSpec(directory: string, spec: Spec, filter: Filter | undefined): void {
  Deno.writeTextFileSync(`${directory}/config.json`, compact(spec), { mode: 0o600 });
  if (filter === undefined) return;
  const head = new TextEncoder().encode(`${JSON.stringify(filter.flags)}\n`);
  const bytes = new Uint8Array(head.length + filter.filter.length);
  bytes.set(head);
  bytes.set(filter.filter, head.length);
  Deno.writeFileSync(`${directory}/filter`, bytes, { mode: 0o600 });
}

/** The filter that {@link writeSpec} wrote; undefined where there is none. */
export function readFilter(directory: string): Filter | undefined {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(`${directory}/filter`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const end = bytes.indexOf(0x0a);
  const flags: Record<string, number> = JSON.parse(
    new TextDecoder().decode(bytes.subarray(0, end)),
  );
  return { filter: bytes.slice(end + 1), flags };
}

/** The spec that {@link writeSpec} wrote; undefined where there is none. */
export async function readOwnSpec(directory: string): Promise<Spec | undefined> {
  let text: string;
  try {
    text = Deno.readTextFileSync(`${directory}/config.json`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  // A number that JSON.parse would round: only then is the exact parser loaded.
  const spec: unknown = /\d{16}/.test(text)
    ? await (await import("../spec/mod.ts")).parseSpec(text)
    : JSON.parse(text);
  return isOwnSpec(spec) ? spec : undefined;
}

/** It was written by this program, into a directory that is root's alone: no further check. */
function isOwnSpec(spec: unknown): spec is Spec {
  return typeof spec === "object" && spec !== null && "ociVersion" in spec && "process" in spec;
}

/** A replacer costs several times the printing: only where there is a bigint. */
function compact(spec: Spec): string {
  try {
    return JSON.stringify(spec);
  } catch {
    return JSON.stringify(
      spec,
      (_key, item) => typeof item === "bigint" ? JSON.rawJSON(String(item)) : item,
    );
  }
}

/** State letter and field 22, the start in clock ticks since boot; proc_pid_stat(5). */
function stat(pid: number): { ended: boolean; startTime: number } | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return undefined; // ENOENT, or ESRCH while it goes.
  }
  // The second field, the command's name in brackets, may hold blanks and brackets itself.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { ended: /[ZXx]/.test(fields[0] ?? ""), startTime: Number(fields[19]) };
}

let boot: string | undefined;

/** Another one after each boot, which no process outlives; random(4). */
function bootId(): string {
  return boot ??= Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
}
