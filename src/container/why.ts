/** A container's end in words, with figures and what to do. */
import { wasStopped } from "./definition.ts";
import { type EndRecord, type MemoryAtEnd, readEnd } from "./end.ts";
import { type Known, type Status, statusOf } from "./list.ts";
import type { Roots } from "./state.ts";

const MIB = 2 ** 20;
const SIGKILL = 9, SIGTERM = 15;

/** What signals that end a program usually come from; signal(7). */
const SIGNALS: Record<number, string> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL: it executed an instruction that this processor does not know",
  6: "SIGABRT: it gave itself up, as after a failed assertion",
  7: "SIGBUS: it used memory that its file or device does not have",
  8: "SIGFPE: it divided by zero, or the like",
  9: "SIGKILL",
  11: "SIGSEGV: it used memory that is not its own",
  13: "SIGPIPE: it wrote where nobody reads",
  15: "SIGTERM",
  31: "SIGSYS: it made a system call that its seccomp profile forbids",
};

/** What exit codes mean by custom; of a shell, and of this engine. */
const CODES: Record<number, string> = {
  125: "which is this engine's code for a failure of its own",
  126: "which by custom means that a command cannot be executed",
  127: "which by custom means that a command was not found",
};

/** Why a container is as it is, in a sentence or two. */
export function reasonOf(roots: Roots, known: Known): string {
  const { id, name } = known;
  const status = statusOf(roots, known);
  const end = readEnd(roots, id);
  const quoted = `"${name}"`;
  const now: Partial<Record<Status, string>> = {
    running: `${quoted} runs.`,
    paused: `${quoted} is paused: minictr unpause ${name} lets it go on.`,
  };
  const still = now[status];
  if (still !== undefined) return still;
  if (!end) {
    return status === "created"
      ? `${quoted} was never started: minictr start ${name}.`
      : `nobody saw the end of ${quoted}: its supervisor was killed, or the host went down.`;
  }
  const what = endText(quoted, end, wasStopped(roots, id));
  if (status !== "restarting") return what;
  const { delayMs = 0, count = 0 } = known.state?.restarts ?? {};
  return `${what} Its restart policy starts it again, for time ${count}, ${
    delayMs / 1000
  } s after.`;
}

/**
 * The end of a container in words.
 *
 * @param stopped by hand
 */
export function endText(quoted: string, end: EndRecord, stopped: boolean): string {
  const { status, signal, error, step, startedAt, memory, timeoutMs } = end;
  if (error !== undefined && startedAt === undefined) {
    return `${quoted} could not be started: ${error}${
      step === undefined || error.includes(step) ? "" : ` (in the step "${step}")`
    }.`;
  }
  if (error !== undefined) return `${quoted} ended, and ${error}.`;
  const ran = startedAt === undefined ? "" : ` after ${spanText(startedAt, end.finishedAt)}`;
  if (memory && memory.oomKills > 0) return outOfMemoryText(quoted, memory, signal === SIGKILL);
  if (timeoutMs !== undefined) {
    return `${quoted} was killed${ran}: its time was over (--timeout ${timeoutMs / 1000}s).`;
  }
  if (stopped) {
    const how = signal === SIGKILL
      ? "by SIGKILL: it did not end within the time that its stop signal left it"
      : `with status ${status}`;
    return `${quoted} was stopped by hand${ran} and ended ${how}.`;
  }
  if (signal === SIGKILL) {
    return `${quoted} was killed${ran} with SIGKILL, which neither minictr nor the OOM killer of ` +
      `its own limit sent${peakText(memory)}: somebody else did, or the host had no more memory.`;
  }
  if (signal !== undefined) {
    const known = SIGNALS[signal] ?? `signal ${signal}`;
    const sent = signal === SIGTERM ? ", which somebody sent it" : "";
    return `${quoted} was ended${ran} by ${known}${sent}.`;
  }
  const meaning = CODES[status] ??
    (status > 128 && SIGNALS[status - 128] !== undefined
      ? `which by custom tells of ${SIGNALS[status - 128]}`
      : undefined);
  if (status === 0) return `${quoted} ended by itself${ran}, with status 0: without a failure.`;
  return `${quoted} ended by itself${ran}, with status ${status}` +
    `${meaning === undefined ? "" : `, ${meaning}`}: minictr logs tells what it wrote.`;
}

/**
 * What to say of a container in which the OOM killer was; with its limit and what to do.
 *
 * @param wasFirst whether it was its first process that was killed
 */
export function outOfMemoryText(
  quoted: string,
  { oomKills, limitBytes, peakBytes }: MemoryAtEnd,
  wasFirst: boolean,
): string {
  const killed = wasFirst
    ? `${quoted} was killed, out of memory`
    : `${quoted} ended after the OOM killer had ended ${oomKills} of its processes`;
  if (limitBytes === undefined) {
    return `${killed}: it has no limit, so the host, or a cgroup above it, has no more. ` +
      "Give it a limit (--memory), or the host more memory.";
  }
  const peak = peakBytes === undefined ? "" : ` and it had used up to ${mib(peakBytes)}`;
  return `${killed}: its limit is ${limitBytes} bytes (${mib(limitBytes)})${peak}. ` +
    `Give it more (--memory ${Math.ceil(limitBytes / MIB) * 2}m), or find out what it needs so ` +
    "much for.";
}

function peakText(memory: MemoryAtEnd | undefined): string {
  return memory?.peakBytes === undefined ? "" : ` (it had used up to ${mib(memory.peakBytes)})`;
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB * 10) / 10} MiB`;
}

/** "1.5 s", "2 min 3 s", "5 h 2 min", "3 d 1 h". */
function spanText(from: string, to: string): string {
  const ms = Math.max(0, Date.parse(to) - Date.parse(from));
  if (ms < 60_000) return `${Math.round(ms / 100) / 10} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor(ms / 1000) % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
