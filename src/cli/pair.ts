import { cut } from "./grammar.ts";
import { UsageError } from "./usage_error.ts";

/** What a name without a value is in the caller's environment. */
export type Lookup = (name: string) => string | undefined;

/**
 * The lines of an env file: `NAME=value` as it is, `NAME` with the caller's value or not at all.
 *
 * docker's rules: UTF-8, a byte order mark and blanks in front of a line are left out, `#` begins a
 * comment only there, quotes mean nothing, a value keeps its blanks.
 *
 * @throws {UsageError} with the number of the first line that is wrong
 */
export function parsePairs(bytes: Uint8Array, lookup: Lookup): string[] {
  const pairs: string[] = [];
  for (const [index, line] of decode(bytes).split("\n").entries()) {
    const text = line.replace(/\r$/, "").trimStart();
    if (text === "" || text.startsWith("#")) continue;
    const [name, value] = cut(text);
    if (name === "") throw new UsageError(`line ${index + 1}: no name before "="`);
    if (/[ \t]/.test(name)) throw new UsageError(`line ${index + 1}: blank in the name "${name}"`);
    if (text.includes("\0")) throw new UsageError(`line ${index + 1}: NUL in "${name}"`);
    const found = value ?? lookup(name);
    if (found !== undefined) pairs.push(`${name}=${found}`);
  }
  return pairs;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError("not UTF-8", { cause });
  }
}

/**
 * Sets a variable as `--env` does: `NAME=VALUE`, or `NAME` for the caller's value; where the caller has
 * none, it is taken out.
 *
 * @param variables `NAME=VALUE` by name
 * @throws {UsageError} for one without a name
 */
export function setVariable(
  variables: Map<string, string>,
  text: string,
  lookup: Lookup,
): void {
  const [name, value] = cut(text);
  if (name === "") throw new UsageError(`--env: "${text}" has no name before "="`);
  const found = value ?? lookup(name);
  if (found === undefined) variables.delete(name);
  else variables.set(name, `${name}=${found}`);
}

/**
 * A label, an annotation, a sysctl or the like: `KEY[=VALUE]`; no value is an empty one.
 *
 * @throws {UsageError} if the key is empty, or the value is missing and `needed`
 */
export function parsePair(text: string, needed = false): [key: string, value: string] {
  const [key, value] = cut(text);
  if (key === "") throw new UsageError(`"${text}" has no key before "="`);
  if (value === undefined && needed) throw new UsageError(`"${text}" is not KEY=VALUE`);
  return [key, value ?? ""];
}
