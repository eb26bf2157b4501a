/**
 * Taking a cgroup away.
 * @module
 */
import { cgroupDirectories, type CgroupHost } from "./host.ts";
import { describeProcesses, errnoOf, isGone, subtree, textOf, waitUntil } from "./live.ts";

/**
 * Removes a cgroup with all below it from every hierarchy; what is gone already is fine. EBUSY is
 * waited out, for processes that are just ending. Carries on after a failure.
 *
 * Equivalent to `find $directories -depth -type d -exec rmdir {} +`.
 * @throws AggregateError of one Error for each directory that is still there, with who is in it
 */
export function remove(host: CgroupHost, path: string, timeoutMs = 2_000): void {
  const end = performance.now() + timeoutMs;
  const errors: Error[] = [];
  for (const directory of cgroupDirectories(host, path)) {
    const error = removeTree(directory, Math.max(end - performance.now(), 0));
    if (error !== undefined) errors.push(error);
  }
  if (errors.length === 0) return;
  const messages = errors.map(({ message }) => message).join("; ");
  throw new AggregateError(errors, `cannot remove the cgroup "${path}": ${messages}`);
}

function removeTree(root: string, timeoutMs: number): Error | undefined {
  let failed: { directory: string; cause: unknown } | undefined;
  const tryAll = (directories: string[]): boolean => {
    failed = undefined;
    for (const directory of directories) {
      try {
        Deno.removeSync(directory);
      } catch (cause) {
        if (!isGone(cause)) failed ??= { directory, cause };
      }
    }
    // Only EBUSY passes with time.
    return failed === undefined || errnoOf(failed.cause) !== "EBUSY";
  };
  // Most have nothing below them; looking for that takes longer than trying.
  if (!tryAll([root])) waitUntil(() => tryAll(subtree(root).reverse()), timeoutMs);
  if (failed === undefined) return undefined;
  const { directory, cause } = failed;
  const inside = (textOf(`${directory}/cgroup.procs`) ?? "").split("\n").map(Number);
  const who = describeProcesses(inside.filter((id) => id > 0));
  const busy = who === "" ? "" : `; in it: ${who}`;
  return new Error(`cannot remove "${directory}": ${errnoOf(cause)}${busy}`, { cause });
}
