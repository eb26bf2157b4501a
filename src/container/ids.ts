import type { LinuxIDMapping, Spec } from "../spec/mod.ts";

/** An owner of files on one side as it is on the other. */
export type IdShift = (id: number, kind: "uid" | "gid") => number;

/** What the kernel shows where an id is not mapped; user_namespaces(7). */
const NOBODY = 65_534;

function mapsOf({ linux }: Spec): Record<"uid" | "gid", readonly LinuxIDMapping[]> {
  return { uid: linux?.uidMappings ?? [], gid: linux?.gidMappings ?? [] };
}

/** From the ids of a container's user namespace to the host's. */
export function toHost(spec: Spec): IdShift {
  const maps = mapsOf(spec);
  return (id, kind) => {
    if (maps[kind].length === 0) return id;
    const map = maps[kind].find(({ containerID, size }) =>
      id >= containerID && id < containerID + size
    );
    return map ? map.hostID + id - map.containerID : NOBODY;
  };
}

/** From the host's ids to those of a container's user namespace. */
export function toContainer(spec: Spec): IdShift {
  const maps = mapsOf(spec);
  return (id, kind) => {
    if (maps[kind].length === 0) return id;
    const map = maps[kind].find(({ hostID, size }) => id >= hostID && id < hostID + size);
    return map ? map.containerID + id - map.hostID : NOBODY;
  };
}
