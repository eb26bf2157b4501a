import { parseDuration } from "./number.ts";
import { UsageError } from "./usage_error.ts";

/**
 * A point in time: RFC 3339, seconds since 1970, or how long ago, as `10m`.
 *
 * @returns milliseconds since 1970
 * @throws {UsageError} if it is none
 */
export function parseInstant(text: string, nowMs = Date.now()): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  if (!Number.isNaN(date)) return date;
  try {
    return nowMs - parseDuration(text);
  } catch {
    throw new UsageError(`"${text}" is no time: give 2026-01-31T12:00:00Z, or 10m for so long ago`);
  }
}
