/**
 * Files of a live cgroup, which may go at any moment, and waiting for what the kernel tells nobody.
 * @module
 */

import { sleep } from "../../ffi/mod.ts";

/** Names for which Deno's errors have no `code`, only "(os error 19)"; errno(3). */
const uncoded: Record<string, string> = {
  "3": "ESRCH",
  "6": "ENXIO",
  "19": "ENODEV",
  "34": "ERANGE",
  "95": "EOPNOTSUPP",
  "524": "ENOTSUPP",
};

/** The errno's name, "EBUSY", of an error that Deno throws; "" where it has none. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
  return number === undefined ? "" : uncoded[number] ?? `errno ${number}`;
}

/** Whether a file or its cgroup is not there; one that goes while files are open answers ENODEV. */
export function isGone(error: unknown): boolean {
  return ["ENOENT", "ENODEV", "ESRCH"].includes(errnoOf(error));
}

/** The content of a file; undefined where it, or its cgroup, is not there (any more). */
export function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    // EOPNOTSUPP: a threaded cgroup, whose processes its domain lists, or a statistic turned off.
    if (isGone(error) || errnoOf(error) === "EOPNOTSUPP") return undefined;
    throw error;
  }
}

/**
 * Writes a file that exists.
 * @returns false where it, or its cgroup, is not there (any more)
 */
export function writeIfThere(path: string, content: string): boolean {
  try {
    // Without O_CREAT, for which the kernel would answer EACCES rather than ENOENT.
    Deno.writeTextFileSync(path, content, { create: false });
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** A cgroup and all below it, parents first; nothing for one that is gone. */
export function subtree(directory: string): string[] {
  try {
    const children = [...Deno.readDirSync(directory)].filter((entry) => entry.isDirectory);
    return [directory, ...children.flatMap(({ name }) => subtree(`${directory}/${name}`))];
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Lines of a name and a number, as memory.stat has them; {} for a file that is not there. */
export function flatKeyed(text: string | undefined): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of (text ?? "").split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) values[line.slice(0, space)] = Number(line.slice(space + 1));
  }
  return values;
}

/** "4711 (sleep, state D)", for people. */
export function describeProcesses(ids: number[]): string {
  return ids.map((id) => {
    const stat = textOf(`/proc/${id}/stat`) ?? "";
    const end = stat.lastIndexOf(")");
    const name = stat.slice(stat.indexOf("(") + 1, end);
    return end === -1 ? String(id) : `${id} (${name}, state ${stat[end + 2]})`;
  }).join(", ");
}

/**
 * Asks again and again, after 0.1 ms at first and 10 ms at last, until the answer is yes.
 * @returns false where the time ran out first
 */
export function waitUntil(condition: () => boolean, timeoutMs: number): boolean {
  const end = performance.now() + timeoutMs;
  for (let ms = 0.1; !condition(); ms = Math.min(ms * 2, 10)) {
    if (performance.now() >= end) return false;
    sleep(ms);
  }
  return true;
}
