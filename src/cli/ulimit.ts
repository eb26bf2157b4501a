import { RLIM_INFINITY } from "../spec/mod.ts";
import type { POSIXRlimit } from "../spec/mod.ts";
import { UsageError } from "./usage_error.ts";

/** What docker can limit: setrlimit(2)'s resources without RLIMIT_AS. */
const NAMES = ("core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime " +
  "sigpending stack").split(" ");

/**
 * A resource limit: `NAME=SOFT[:HARD]` in the units of setrlimit(2), -1 for no limit; one number
 * is both.
 *
 * @throws {UsageError} if it is none, or the soft limit is above the hard one
 */
export function parseUlimit(text: string): POSIXRlimit {
  const [, name = "", softText = "", hardText = softText] =
    /^(\w+)=(-1|\d{1,20})(?::(-1|\d{1,20}))?$/.exec(text) ?? [];
  if (softText === "") throw new UsageError(`"${text}" is not NAME=SOFT[:HARD], as nofile=1024`);
  if (!NAMES.includes(name)) {
    throw new UsageError(`knows no limit "${name}": one of ${NAMES.join(", ")}`);
  }
  const [soft, hard] = [limit(softText, text), limit(hardText, text)];
  if (soft > hard) throw new UsageError(`"${text}": the soft limit is above the hard one`);
  return { type: `RLIMIT_${name.toUpperCase()}`, hard, soft };
}

function limit(text: string, whole: string): number | bigint {
  const value = text === "-1" ? RLIM_INFINITY : BigInt(text);
  if (value > RLIM_INFINITY) throw new UsageError(`"${whole}" is more than 2^64-1`);
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}
