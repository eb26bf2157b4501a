import type { CgroupHost } from "../cgroup/host.ts";
import { oomKills } from "../cgroup/oom.ts";
import type { Spec } from "../spec/mod.ts";

/** What to say of a container that was killed, if it was for want of memory. */
export function outOfMemory(
  spec: Spec,
  name: string,
  host: CgroupHost,
  cgroup: string,
): string | undefined {
  if (oomKills(host, cgroup) === 0) return undefined;
  const limit = spec.linux?.resources?.memory?.limit;
  const told = limit === undefined || limit < 0
    ? "the host, or a cgroup above it, has no more"
    : `its limit is ${limit} bytes (${Math.round(limit / 2 ** 20 * 10) / 10} MiB)`;
  return `container "${name}" was killed, out of memory: ${told}`;
}
