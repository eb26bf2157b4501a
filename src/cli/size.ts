import { UsageError } from "./usage_error.ts";

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
