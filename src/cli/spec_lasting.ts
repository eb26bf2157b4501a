import type { RestartPolicy } from "../container/definition.ts";
import { parsed } from "./grammar.ts";
import { parseInteger } from "./number.ts";
import type { RunSpec, Wish } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";

const MOST = 1_000_000;

/** The flags of a container that is looked after while nobody attends to it. */
export function applyLasting({ engine }: RunSpec, { line: { flags } }: Wish): void {
  if (flags.restart !== undefined) {
    const restart = parsed("--restart", flags.restart, parseRestart);
    if (restart && engine.remove) {
      throw new UsageError(
        "--restart excludes --rm: what is removed when it ends is not started again",
      );
    }
    if (restart) engine.restart = restart;
  }
}

/**
 * A restart policy in docker's words: `no`, `always`, `unless-stopped`, `on-failure[:N]`.
 *
 * @returns undefined: never
 * @throws {UsageError} if it is none
 */
export function parseRestart(text: string): RestartPolicy | undefined {
  const [name, most, ...more] = text.split(":");
  const known = name === "always" || name === "unless-stopped" || name === "on-failure";
  if (more.length > 0 || (!known && name !== "no" && name !== "")) {
    throw new UsageError(`"${text}" is none of no, always, unless-stopped and on-failure[:N]`);
  }
  if (most !== undefined && name !== "on-failure") {
    throw new UsageError(`"${text}": only on-failure has a number of attempts`);
  }
  if (!known) return undefined;
  const limit = most === undefined ? 0 : parseInteger(most, 0, MOST);
  return limit === 0 ? { name } : { name, most: limit }; // 0 is no limit, as in docker.
}
