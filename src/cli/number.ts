/**
 * Numbers with units and limits: sizes, durations, CPUs, modes, resource limits.
 *
 * One file for all, since whoever needs one mostly needs others, and each module costs time.
 *
 * @module
 */

import { RLIM_INFINITY } from "../spec/mod.ts";
import type { POSIXRlimit } from "../spec/mod.ts";
import { UsageError } from "./usage_error.ts";

/**
 * A decimal integer in a range; a leading zero does not make it octal.
 *
 * @throws {UsageError} if it is none
 */
export function parseInteger(text: string, least: number, most: number): number {
  const number = /^[-+]?\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!(number >= least && number <= most)) {
    throw new UsageError(`"${text}" is not a whole number from ${least} to ${most}`);
  }
  return number;
}

/**
 * Octal permission bits: "022", "1777", "0o22".
 *
 * @throws {UsageError} if it is none, or is above `most`
 */
export function parseOctal(text: string, most: number): number {
  const bits = /^(0o)?[0-7]{1,6}$/.test(text) ? parseInt(text.replace("0o", ""), 8) : NaN;
  if (!(bits <= most)) {
    throw new UsageError(`"${text}" is not an octal mode up to ${most.toString(8)}`);
  }
  return bits;
}

/**
 * A number of CPUs in billionths of one: "0.5" is 500000000. Decimals and fractions ("3/4") are
 * taken exactly; "1/3" is none that the kernel could be told.
 *
 * @param online how many there are
 * @throws {UsageError} if it is none, below 0.01, or above `online`
 */
export function parseCpus(text: string, online: number): number {
  const [, whole, part = "", below = "1"] = /^(\d{0,9})(?:\.(\d{0,18}))?(?:\/(\d{1,9}))?$/
    .exec(text) ?? [];
  if (whole === undefined || whole + part === "" || BigInt(below) === 0n) {
    throw new UsageError(`"${text}" is not a number of CPUs, as 1.5`);
  }
  const above = BigInt(whole + part) * 10n ** 9n;
  const divisor = BigInt(below) * 10n ** BigInt(part.length);
  if (above % divisor !== 0n) {
    throw new UsageError(`"${text}" is too precise: more than nine decimal places`);
  }
  const billionths = Number(above / divisor);
  if (billionths < 10_000_000 || billionths > online * 1e9) {
    throw new UsageError(`"${text}" is not from 0.01 to ${online}.00, the CPUs of this host`);
  }
  return billionths;
}

/** Above any number of a CPU or a memory node: CONFIG_NR_CPUS goes to 8192. */
const LIST_LIMIT = 8192;

/**
 * A list of CPUs or memory nodes as it was given: "0-3,7".
 *
 * @throws {UsageError} if it is none
 */
export function parseCpuList(text: string): string {
  const right = /^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text) &&
    text.split(",").every((range) => {
      const [first = "", last = first] = range.split("-");
      return Number(first) <= Number(last) && Number(last) < LIST_LIMIT;
    });
  if (!right) throw new UsageError(`"${text}" is not a list of numbers and ranges, as 0-3,7`);
  return text;
}

const UNITS = "kmgtp";

/**
 * A size in bytes with binary units: "512m", "1.5g", "64 MiB", "10kb", "7"; k is 1024.
 *
 * Equivalent to go-units' RAMInBytes, as docker reads `--memory`.
 *
 * @throws {UsageError} if it is none, or is above 2^63-1
 */
export function parseSize(text: string): number {
  return size(text, 1024);
}

/**
 * A size in bytes with decimal units: "10m" is ten million; as docker reads the sizes of logs.
 *
 * @throws {UsageError} if it is none, or is above 2^63-1
 */
export function parseDecimalSize(text: string): number {
  return size(text, 1000);
}

/** A size, or "-1" for no limit; as docker reads `--memory-swap`. */
export function parseSizeOrUnlimited(text: string): number {
  return text === "-1" ? -1 : parseSize(text);
}

function size(text: string, base: 1000 | 1024): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d*)?|\.\d+) ?(?:([kmgtp])(?:i?b)?|b)?$/i.exec(text) ??
    [];
  if (number === undefined) {
    throw new UsageError(
      `"${text}" is not a size: a number with b, k, m, g, t or p behind it, as 512m`,
    );
  }
  const power = unit === "" ? 0 : UNITS.indexOf(unit.toLowerCase()) + 1;
  const bytes = Math.floor(Number(number) * base ** power);
  if (bytes >= 2 ** 63) throw new UsageError(`"${text}" is more than 2^63-1 bytes`);
  return bytes;
}

const MILLISECONDS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3, // U+00B5, the micro sign
  "μs": 1e-3, // U+03BC, the Greek letter
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * A duration in milliseconds, written as Go does: "1h2m3.5s", "300ms", "0"; and as a plain number
 * of seconds, as podman's `--timeout`: "90".
 *
 * @throws {UsageError} if it is none
 */
export function parseDuration(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const terms = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)];
  if (text === "" || terms.map(([term]) => term).join("") !== text) {
    throw new UsageError(`"${text}" is not a duration, as 90 (seconds), 1m30s or 500ms`);
  }
  return terms.reduce(
    (sum, [, number, unit = "s"]) => sum + Number(number) * (MILLISECONDS[unit] ?? NaN),
    0,
  );
}

/** What docker can limit: setrlimit(2)'s resources without RLIMIT_AS. */
const ULIMITS = ("core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime " +
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
  if (!ULIMITS.includes(name)) {
    throw new UsageError(`knows no limit "${name}": one of ${ULIMITS.join(", ")}`);
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
