import {
  Fd,
  POLLOUT,
  syscall,
  SyscallError,
  TIOCSWINSZ,
  trySyscall,
  waitSyscall,
} from "../../ffi/mod.ts";
import { isFrozen } from "../cgroup/freeze.ts";
import { readCgroupHost } from "../cgroup/host.ts";
import { SUPERVISOR_FD } from "../plan/supervision.ts";
import { isTerminal, rawTerminal, terminalSize } from "./console.ts";
import { ContainerError } from "./find.ts";
import { DetachKeys } from "./keys.ts";
import type { Known } from "./list.ts";
import { isRunning, type Running } from "./live.ts";
import { followLog, hasEnded, logDirectory } from "./log.ts";
import type { Roots, State } from "./state.ts";
import { endOf } from "./wait.ts";

/** How a container is attached to. */
export interface AttachOptions {
  roots: Roots;
  /** Whether what this process reads goes to the container, if it reads at all. */
  stdin: boolean;
  /** That leave it, typed at its terminal. */
  keys: Uint8Array;
  /** Whether signals go to it; not if it has a terminal, as in docker. */
  signals: boolean;
}

/**
 * Attaches to a running container: shows what it writes from now on, and hands on what is typed. Its
 * output comes from its log, so that whoever is attached holds up nobody; its input goes where its
 * supervisor holds the other end, of which this process takes a descriptor; pidfd_getfd(2).
 *
 * @returns its exit status; undefined if it was left by the keys; 128 + n if signal n ended the wait
 * @throws {ContainerError} if it cannot be attached to
 */
export async function attachTo(known: Known, options: AttachOptions): Promise<number | undefined> {
  const { roots } = options;
  const directory = logDirectory(roots, known, "attach");
  using supervisor = supervisorOf(known);
  using master = supervisor.take("output");
  const terminal = master !== undefined && isTerminal(master.number) ? master : undefined;
  using input = terminal ? undefined : supervisor.take("input");
  using first = supervisor.take("pidfd");
  const into = terminal ?? input;
  const status = endOf(roots, known);
  const leaving = Promise.withResolvers<"left" | number>();
  const typed = terminal !== undefined && options.stdin && isTerminal(0);
  using _ending = typed ? endOnSignals(leaving.resolve) : undefined;
  using _raw = typed ? rawTerminal(0) : undefined;
  using _size = terminal && followSize(terminal.number);
  using _signals = options.signals && !terminal && first ? passSignals(first.number) : undefined;
  if (into && options.stdin) {
    const filter = new DetachKeys(terminal ? options.keys : new Uint8Array(0));
    feed(into.number, filter).then((left) => left && leaving.resolve("left"));
  }
  const output = show(directory, () => hasEnded(roots, known));
  const how = await Promise.race([output, leaving.promise]);
  if (how === "left") return undefined;
  return how === "over" ? await status : how;
}

/** A running container's supervisor, of which descriptors are taken. */
interface Supervisor extends Disposable {
  /** A descriptor like one of its own; undefined where it has none. */
  take(name: keyof typeof SUPERVISOR_FD): Fd | undefined;
}

const EBADF = -9;

function supervisorOf(known: Known): Supervisor {
  const state = attachable(known);
  const pidfd = new Fd(syscall("pidfd_open", state.supervisor, 0));
  // The descriptor is of the process that was meant: it is the parent of one that is still there.
  if (!isRunning(state) || parentOf(state.pid) !== state.supervisor) {
    pidfd.close();
    throw new ContainerError(`cannot attach to "${known.name}": it has ended`);
  }
  return {
    take(name) {
      const got = trySyscall("pidfd_getfd", pidfd.number, SUPERVISOR_FD[name], 0);
      if (got === EBADF) return undefined;
      if (got < 0) throw new SyscallError("pidfd_getfd", -got);
      return new Fd(got);
    },
    [Symbol.dispose]: () => pidfd.close(),
  };
}

function attachable({ name, state }: Known): State & Running & { supervisor: number } {
  const refused = (why: string) => new ContainerError(`cannot attach to "${name}": ${why}`);
  if (!state || !isRunning(state)) throw refused("it does not run; start it first");
  const { supervisor } = state;
  if (supervisor === undefined) throw refused("its minictr alone has its streams");
  if (isFrozen(readCgroupHost(), state.cgroup)) throw refused("it is paused; unpause it first");
  return { ...state, supervisor };
}

/** Field 4; proc_pid_stat(5). */
function parentOf(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** Writes out what comes, each stream to its own, until there is no more or nobody wants it. */
async function show(directory: string, isOver: () => boolean): Promise<"over"> {
  try {
    for await (const frames of followLog(directory, { from: "end", isOver })) {
      for (const { stream, data } of frames) {
        const to = stream === 1 ? Deno.stdout : Deno.stderr;
        for (let at = 0; at < data.length;) at += await to.write(data.subarray(at));
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
  return "over";
}

/**
 * Hands on what this process reads. The end of it is not handed on: the container's input stays open
 * for whoever attaches next, as docker has it.
 *
 * @returns whether the keys were typed
 */
async function feed(into: number, filter: DetachKeys): Promise<boolean> {
  const chunk = new Uint8Array(4096);
  for (let got = await read(chunk); got !== null; got = await read(chunk)) {
    const { rest, leave } = filter.pass(chunk.subarray(0, got));
    if (!await writeAll(into, rest)) return false;
    if (leave) return true;
  }
  return false;
}

async function read(chunk: Uint8Array<ArrayBuffer>): Promise<number | null> {
  try {
    return await Deno.stdin.read(chunk);
  } catch {
    return null; // A terminal that is gone: EIO.
  }
}

const EAGAIN = -11;

/** @returns whether somebody reads it */
async function writeAll(into: number, bytes: Uint8Array): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const wrote = await waitSyscall("write", into, bytes.subarray(at), bytes.length - at);
    if (wrote === EAGAIN) await waitSyscall("ppoll", pollfd(into, POLLOUT), 1, 0, 0, 8);
    else if (wrote < 0) return false;
    else at += wrote;
  }
  return true;
}

function pollfd(fd: number, events: number): Uint8Array {
  const entry = new Uint8Array(8);
  const view = new DataView(entry.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, events, true);
  return entry;
}

/** The pty is as large as the caller's terminal, from now on. */
function followSize(master: number): Disposable | undefined {
  const resize = (more = 0) => {
    const size = terminalSize(0);
    if (!size) return;
    const box = new Uint16Array([size.height + more, size.width + more, 0, 0]);
    trySyscall("ioctl", master, TIOCSWINSZ, new Uint8Array(box.buffer));
  };
  // A change is what has a full-screen program draw itself anew.
  resize(1);
  resize();
  const changed = () => resize();
  Deno.addSignalListener("SIGWINCH", changed);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGWINCH", changed) };
}

const PASSED = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGCONT: 18,
} as const;

function passSignals(pidfd: number): Disposable {
  const names = Object.keys(PASSED) as (keyof typeof PASSED)[];
  return onSignals(names, (name) => trySyscall("pidfd_send_signal", pidfd, PASSED[name], 0, 0));
}

/** From before the caller's terminal is raw until it is so no more: whom a signal kills at once leaves
 * it so. */
function endOnSignals(end: (status: number) => void): Disposable {
  return onSignals(["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"], (name) => end(128 + PASSED[name]));
}

function onSignals(
  names: readonly (keyof typeof PASSED)[],
  act: (name: keyof typeof PASSED) => void,
): Disposable {
  const listeners = names.map((name) => {
    const listener = () => act(name);
    Deno.addSignalListener(name, listener);
    return () => Deno.removeSignalListener(name, listener);
  });
  return { [Symbol.dispose]: () => listeners.forEach((remove) => remove()) };
}
