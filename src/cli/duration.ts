import { UsageError } from "./usage_error.ts";

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
