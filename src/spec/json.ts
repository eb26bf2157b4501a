import { SpecError } from "./error.ts";

declare global {
  interface JSON {
    /** In V8 since 11.4, in TypeScript's library not yet: a number as it is to be written. */
    rawJSON(text: string): unknown;
  }
}

/**
 * Reads the text of a config.json; integers that a number cannot hold exactly become bigints, as
 * 18446744073709551615 for RLIM_INFINITY does.
 *
 * @throws {SpecError} if it is no JSON
 */
export function parseJson(text: string): unknown {
  try {
    // A reviver costs several times the parsing: only where a long integer is in sight.
    return /\d{16}/.test(text) ? JSON.parse(text, exact) : JSON.parse(text);
  } catch (cause) {
    throw new SpecError("(whole file)", "is not JSON", { cause });
  }
}

/** The reviver of {@link parseJson}: `context.source` is the number as it was written. */
function exact(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  const long = typeof value === "number" && !Number.isSafeInteger(value);
  return long && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** The text of a spec, two spaces deep; the inverse of {@link parseJson}. */
export function printJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, item) => typeof item === "bigint" ? JSON.rawJSON(String(item)) : item,
    2,
  );
}
