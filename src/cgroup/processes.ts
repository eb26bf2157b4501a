/**
 * The processes of a live cgroup: who they are, and how they all end.
 * @module
 */
import { SIGKILL, SyscallError, trySyscall } from "../../ffi/mod.ts";
import { thawAll } from "./freeze.ts";
import { cgroupDirectories, type CgroupHost, controllerDirectory } from "./host.ts";
import { describeProcesses, subtree, textOf, waitUntil, writeIfThere } from "./live.ts";

const ESRCH = 3;

/**
 * Ids, as this process sees them, of all processes in the cgroup and in those below it, in any
 * hierarchy; none for a cgroup that is gone. A process of a foreign pid namespace has no id here.
 */
export function processIds(host: CgroupHost, path: string): number[] {
  const ids = new Set<number>();
  for (const directory of cgroupDirectories(host, path).flatMap(subtree)) {
    for (const line of (textOf(`${directory}/cgroup.procs`) ?? "").split("\n")) {
      // 0 is a process of another pid namespace; kill(0) would end our own process group.
      if (Number(line) > 0) ids.add(Number(line));
    }
  }
  return [...ids].sort((a, b) => a - b);
}

/**
 * The cgroup that a process is in: `path`, or one below it where it has moved itself, as systemd
 * does inside a container. In version 2 nothing can join a cgroup any more that passes controllers
 * on, so `exec` joins its main process there. Version 1 has no such rule: always `path`.
 */
export function cgroupOf(host: CgroupHost, path: string, id: number): string {
  if (host.version === 1 || host.unified === undefined) return path;
  const line = (textOf(`/proc/${id}/cgroup`) ?? "").split("\n").find((l) => l.startsWith("0::"));
  const { root } = host.unified;
  const whole = (root === "/" ? "" : root) + path;
  const below = line?.slice("0::".length) ?? "";
  return below.startsWith(`${whole}/`) ? path + below.slice(whole.length) : path;
}

/**
 * Ends all processes of a cgroup with SIGKILL, frozen ones too, and waits until they are gone.
 *
 * With cgroup2 (of Linux 5.14) that is one write, cgroup.kill. In version 1 forks are forbidden by
 * pids.max for as long as it takes, so that a fork bomb cannot outrun it.
 * @throws Error where some are still there after the time (uninterruptible ones, state D)
 */
export function killAll(host: CgroupHost, path: string, timeoutMs = 10_000): void {
  if (processIds(host, path).includes(Deno.pid)) {
    throw new Error(`cannot kill the cgroup "${path}": this process is in it itself`);
  }
  if (host.unified !== undefined) {
    writeIfThere(`${host.unified.mountPoint}${path}/cgroup.kill`, "1");
  }
  using _ = forbidForks(host, path);
  const gone = waitUntil(() => {
    const ids = processIds(host, path);
    for (const id of ids) kill(id);
    // A frozen process of version 1 dies only once it is thawed.
    if (ids.length > 0) thawAll(host, path);
    return ids.length === 0;
  }, timeoutMs);
  if (gone) return;
  const left = describeProcesses(processIds(host, path));
  throw new Error(`cannot kill the cgroup "${path}": still there after ${timeoutMs} ms: ${left}`);
}

function kill(id: number): void {
  const killed = trySyscall("kill", id, SIGKILL);
  if (killed < 0 && killed !== -ESRCH) throw new SyscallError(`cannot kill process ${id}`, -killed);
}

/** v1's pids.max at 0 until disposed of. */
function forbidForks(host: CgroupHost, path: string): Disposable {
  const directory = host.version === 1 ? controllerDirectory(host, "pids", path) : undefined;
  const file = `${directory}/pids.max`;
  const before = directory === undefined ? undefined : textOf(file);
  if (before === undefined) return { [Symbol.dispose]: () => {} };
  writeIfThere(file, "0");
  return { [Symbol.dispose]: () => writeIfThere(file, before.trim()) };
}
