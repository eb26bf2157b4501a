import { UsageError } from "./usage_error.ts";

/** A name becomes a file's name, whose limit is 255 bytes; this leaves room for a suffix. */
const NAME_LIMIT = 200;

/**
 * A container's, network's or volume's name: docker's letters, digits, `_`, `.` and `-`.
 *
 * @throws {UsageError} if it is none
 */
export function parseName(text: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(text) || text.length > NAME_LIMIT) {
    throw new UsageError(
      `"${text}" is not a name: 2 to ${NAME_LIMIT} letters, digits, "_", "." or "-", ` +
        "with a letter or digit first",
    );
  }
  return text;
}

/**
 * A host's or domain's name that sethostname(2) takes: up to 64 letters, digits, "-", "_", ".".
 *
 * @throws {UsageError} if it is none
 */
export function parseHostname(text: string): string {
  if (!/^[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9_])?$/.test(text)) {
    throw new UsageError(`"${text}" is not a host name: up to 64 letters, digits, "-", "_", "."`);
  }
  return text;
}
