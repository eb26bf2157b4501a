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
