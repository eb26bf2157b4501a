import { UsageError } from "./usage_error.ts";

/** Numbers of signal(7) on x86-64, aarch64 and most others, in order from 1. */
export const SIGNALS: readonly string[] =
  ("HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT " +
    "CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS").split(" ");
const OTHER_NAMES: Record<string, number> = { IOT: 6, CLD: 17, POLL: 29, UNUSED: 31 };
/** What is left of the real-time signals by glibc, which keeps two. */
const RTMIN = 34;
const RTMAX = 64;

/**
 * A signal's number: "9", "KILL", "SIGKILL", "sigkill", "RTMIN+3", "RTMAX-1".
 *
 * @throws {UsageError} if there is none of that name or number
 */
export function parseSignal(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, "");
  const [, end, offset = "0"] = /^(RTMIN(?=$|\+)|RTMAX(?=$|-))([+-]\d{1,2})?$/.exec(name) ?? [];
  const number = /^\d{1,2}$/.test(text)
    ? Number(text)
    : end !== undefined
    ? (end === "RTMIN" ? RTMIN : RTMAX) + Number(offset)
    : OTHER_NAMES[name] ?? SIGNALS.indexOf(name) + 1;
  const last = end !== undefined && number < RTMIN ? 0 : RTMAX;
  if (!(number >= 1 && number <= last)) throw new UsageError(`knows no signal "${text}"`);
  return number;
}
