import type { Mount, Spec } from "../spec/mod.ts";
import { readDefinedSpec } from "./definition.ts";
import { pick } from "./find.ts";
import { type Known, knownContainers } from "./list.ts";
import { readOwnSpec } from "./live.ts";
import { type Roots, stateDirectory } from "./state.ts";
import type { VolumeUse } from "./volumes.ts";

/** The spec of a container, as it runs or was defined; undefined while it is being made. */
export async function specOf(roots: Roots, { id, definition }: Known): Promise<Spec | undefined> {
  const ran = await readOwnSpec(stateDirectory(roots, id));
  return ran ?? (definition && await readDefinedSpec(roots, id));
}

/** The mounts that a user has asked for: without the engine's own, as /proc and /etc/hosts. */
export function askedMounts(roots: Roots, id: string, spec: Spec | undefined): Mount[] {
  const own = `${stateDirectory(roots, id)}/`;
  return (spec?.mounts ?? []).filter(({ type, source = "", destination }) =>
    (type === "bind" && !source.startsWith(own) && destination !== "/dev/mqueue") ||
    (type !== undefined && !ENGINES_OWN.includes(type))
  );
}

/** Types that the engine mounts by itself; a user's tmpfs is no volume. */
const ENGINES_OWN = ["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "bind"];

/**
 * What a container has mounted, and its volumes.
 *
 * @throws {ContainerError} if there is no such container
 */
export async function mountsOf(
  roots: Roots,
  name: string,
): Promise<{ mounts: Mount[]; volumes: VolumeUse[] }> {
  const known = pick(knownContainers(roots), name);
  const mounts = askedMounts(roots, known.id, await specOf(roots, known));
  const named = (known.state?.volumes ?? []).map((volume) => ({
    name: volume,
    destination: "",
    anonymous: false,
    copy: false,
  }));
  return { mounts, volumes: known.definition?.volumes ?? named };
}
