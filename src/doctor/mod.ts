/**
 * What this host can do for minictr: tried, not only looked up.
 *
 * A probe is a question with its documentation: what a lack of it means and how to mend it. Each
 * file named after a heading holds the probes below it. `host.ts` is what they ask, and the scratch
 * that they use; `trial.ts` lets a throw-away child make system calls in namespaces of its own, by
 * the same means by which a container's first process is started; `text.ts`, `netlink_message.ts`
 * and `report.ts` are pure. Mounts are detached or in namespaces that end with the child, the cgroup
 * and the directory are removed at the end: nothing is left, but that the kernel may have loaded
 * modules which were asked for.
 *
 * @see namespaces(7), cgroups(7), capabilities(7), the kernel's sysctl/
 * @module
 */
import type { Roots } from "../container/mod.ts";
import { CGROUPS } from "./cgroups.ts";
import { type Check, check, type Group } from "./check.ts";
import { TriedHost } from "./host.ts";
import { KERNEL } from "./kernel.ts";
import { LIMITS } from "./limits.ts";
import { MOUNTS } from "./mounts.ts";
import { NAMESPACES } from "./namespaces.ts";
import { NETWORK } from "./network.ts";
import { PRIVILEGE } from "./privilege.ts";
import { SECURITY } from "./security.ts";
import { STORAGE } from "./storage.ts";

export { type Check, type Group, type Probe, type Status } from "./check.ts";
export { canRun, isUnicodeLocale, reportText } from "./report.ts";

/** All probes, in the order in which they are tried: what others need comes before them. */
export const GROUPS: readonly Group[] = [
  KERNEL,
  PRIVILEGE,
  NAMESPACES,
  MOUNTS,
  STORAGE,
  CGROUPS,
  SECURITY,
  NETWORK,
  LIMITS,
];

/**
 * Puts every question, and takes away what that needed.
 *
 * @param isStopped asked between two checks; then the rest is left out
 */
export async function examine(
  roots: Roots,
  isStopped: () => boolean = () => false,
): Promise<Check[]> {
  using host = new TriedHost(roots);
  const checks: Check[] = [];
  for (const { title, probes } of GROUPS) {
    for (const probe of probes) {
      await new Promise((resolve) => setTimeout(resolve, 0)); // Signals are seen meanwhile.
      if (isStopped()) return checks;
      checks.push(check(title, probe, host));
    }
  }
  return checks;
}
