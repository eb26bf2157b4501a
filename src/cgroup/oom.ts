/**
 * What the OOM killer did.
 * @module
 */
import { type CgroupHost, controllerDirectory } from "./host.ts";
import { flatKeyed, subtree, textOf } from "./live.ts";

/**
 * How many processes of a cgroup, and of those below it, the OOM killer has ended: memory.events
 * or, since Linux 4.13 and for each cgroup by itself, v1's memory.oom_control. 0 without the
 * memory controller. To be asked before the cgroup is removed.
 */
export function oomKills(host: CgroupHost, path: string): number {
  const directory = controllerDirectory(host, "memory", path);
  if (directory === undefined) return 0;
  if (host.version === 2) return flatKeyed(textOf(`${directory}/memory.events`))["oom_kill"] ?? 0;
  return subtree(directory)
    .map((below) => flatKeyed(textOf(`${below}/memory.oom_control`))["oom_kill"] ?? 0)
    .reduce((sum, kills) => sum + kills, 0);
}
