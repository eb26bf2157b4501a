/**
 * How an error that ends a command is told: one line each, in the words of errno(3), and then what
 * to do about it.
 *
 * @module
 */
import { errnoName, errnoText } from "../../ffi/errno.ts";

/** 128 and SIGPIPE, signal(7): what a shell shows of a program whose reader has gone. */
const READER_GONE = 141;

/** How Deno words what the kernel refused: "Permission denied (os error 13): mkdir '/var/lib'". */
const DENO = /(^|: )[A-Z][\w ,'-]*? \(os error (\d+)\)(?:: (\w+) '(.*?)'(?: -> '.*')?)?/;

/** What Deno calls an operation, where a reader would not. */
const VERBS: Readonly<Record<string, string>> = {
  mkdir: "make",
  readdir: "list",
  readfile: "read",
  realpath: "find",
  stat: "find",
  writefile: "write",
};

/** What minictr says at its end. */
export interface Told {
  lines: string[];
  exitCode: number;
}

/**
 * The lines for an error, and for each of several that came together. None where whoever read the
 * output has gone: as other programs do, which SIGPIPE ends without a word.
 *
 * @param usual the exit status of an error that does not bring its own
 */
export function told(error: unknown, usual: number): Told {
  if (error instanceof Deno.errors.BrokenPipe) return { lines: [], exitCode: READER_GONE };
  const errors = error instanceof AggregateError ? [error, ...error.errors] : [error];
  const messages = errors.map((one) => inOurWords(one instanceof Error ? one.message : `${one}`));
  const own = error instanceof Error && "exitCode" in error ? error.exitCode : undefined;
  return {
    lines: messages.filter((message) => message !== "").map((message) =>
      message + adviceOn(message)
    ),
    exitCode: typeof own === "number" ? own : usual,
  };
}

/** "cannot make "/var/lib": permission denied (EACCES)" */
function inOurWords(text: string): string {
  const message = text.replaceAll("\n", " ");
  const [all, before, number, operation = "write", path] = DENO.exec(message) ?? [];
  if (all === undefined) return message;
  const said = `${errnoText(Number(number))} (${errnoName(Number(number))})`;
  const [head = "", ...tail] = message.split(all);
  // Deno names no path for a file that is open already: mostly the standard output.
  const named = path === undefined || head.includes(path) ? "" : ` "${path}"`;
  const what = before === "" || named !== ""
    ? `cannot ${VERBS[operation] ?? operation}${named}: `
    : "";
  return `${head}${before}${what}${said}${tail.join(all)}`;
}

/** What to do where that does not depend on which call it was, with what joins it to the message. */
function adviceOn(message: string): string {
  const [, code] = /\((E[A-Z]+)\)$/.exec(message) ?? [];
  if (message.includes("(ENOSYS)")) {
    return `: Linux ${Deno.osRelease()} does not have the call, which needs 5.12 or later, or a ` +
      "seccomp filter hides it; `minictr doctor` names what is missing";
  }
  if ((code === "EACCES" || code === "EPERM") && Deno.uid() !== 0) {
    return ": minictr needs root, as in `sudo minictr …`";
  }
  if (code === "ENOENT" && message.includes('"/proc/') && !hasProc()) {
    return ": mount it: mount -t proc proc /proc";
  }
  if (code === "EROFS") return ": name a directory that can be written with --root or MINICTR_ROOT";
  // Of the other calls it tells of limits: of mounts, of watches, of control groups.
  if (
    (code === "ENOSPC" || code === "EDQUOT") && /^cannot (make|open|unpack|write) /.test(message)
  ) {
    return ": `df -h` and `df -i` show where; --root or MINICTR_ROOT names a roomier place";
  }
  return "";
}

function hasProc(): boolean {
  try {
    Deno.lstatSync("/proc/self");
    return true;
  } catch {
    return false;
  }
}
