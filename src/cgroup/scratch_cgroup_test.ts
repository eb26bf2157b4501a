/**
 * What the tests of live cgroups share; there is no test in here.
 * @module
 */
import assert from "assert";
import type { Scratch } from "../../tests/support/mod.ts";
import type { LinuxResources } from "../spec/types.ts";
import {
  cgroupDirectories,
  joinOf,
  killAll,
  planCgroup,
  prepare,
  processIds,
  readCgroupHost,
  remove,
} from "./mod.ts";

export const host = readCgroupHost();

export const root = { requires: ["root", "controller:memory"] } as const;

/** Makes the cgroup of a test, and removes it with all that is in it. */
export function withCgroup(
  t: Scratch,
  resources: LinuxResources,
  body: (path: string) => Promise<void> | void,
): Promise<void> {
  const parent = `/${t.name}`, path = `${parent}/x`;
  return cleaningUp(parent, () => {
    prepare(planCgroup(host, path, resources));
    return body(path);
  });
}

export async function cleaningUp(parent: string, body: () => Promise<void> | void): Promise<void> {
  try {
    await body();
  } finally {
    killAll(host, parent);
    remove(host, parent);
  }
}

/** Starts a command inside a cgroup. */
export function start(path: string, ...command: string[]): Deno.ChildProcess {
  const join = joinOf(host, path);
  const [born, paths] = join.kind === "into" ? [join.directory, []] : [join.born, join.paths];
  const files = born === undefined ? paths : [...paths, `${born}/cgroup.procs`];
  const script = `n=$1; shift
    while [ $n -gt 0 ]; do echo 0 >"$1" || exit 99; shift; n=$((n-1)); done
    exec "$@"`;
  return new Deno.Command("sh", {
    args: ["-c", script, "sh", String(files.length), ...files, ...command],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

export async function outcome(child: Deno.ChildProcess): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** A file of the cgroup, of whichever hierarchy has it. */
export function file(path: string, name: string): string {
  for (const directory of cgroupDirectories(host, path)) {
    try {
      return Deno.readTextFileSync(`${directory}/${name}`).trim();
    } catch { /* Another's. */ }
  }
  return `no ${name}`;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Until a cgroup has as many processes, each of them in all hierarchies. */
export async function untilProcesses(path: string, number: number): Promise<number[]> {
  for (let tries = 0; tries < 500; tries++) {
    const ids = processIds(host, path);
    if (ids.length === number && ids.every((id) => isWhollyIn(path, id))) return ids;
    await pause(10);
  }
  return assert.fail(`${processIds(host, path)} are not ${number} processes`);
}

/** The shell that starts a command enters one hierarchy after the other. */
function isWhollyIn(path: string, id: number): boolean {
  const lines = Deno.readTextFileSync(`/proc/${id}/cgroup`).trim().split("\n");
  return lines.every((line) => line.includes(`:${path}`));
}
