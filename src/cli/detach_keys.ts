import { UsageError } from "./usage_error.ts";

/**
 * Keys that leave a container running, as docker writes them: characters, or `ctrl-` and one of a to
 * z, @, [, \, ], ^, _, with commas between.
 *
 * @returns the bytes that a terminal sends for them
 * @throws {UsageError} if it is none
 */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === "") return new Uint8Array(0);
  return Uint8Array.from(text.split(","), (key) => {
    const [, control] = /^ctrl-([a-z@[\\\]^_])$/i.exec(key) ?? [];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
    throw new UsageError(
      `"${key}" is no key: a character, or ctrl- and a letter, @, [, \\, ], ^, _`,
    );
  });
}
