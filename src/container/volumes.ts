import { O_DIRECTORY, O_PATH, SyscallError } from "../../ffi/mod.ts";
import { fromText, openIn } from "../image/mod.ts";
import type { RootSource } from "../plan/mod.ts";
import type { Mount, Spec } from "../spec/mod.ts";
import {
  createVolume,
  dataOf,
  fillVolume,
  holdVolume,
  isAnonymous,
  mountOf,
  readVolume,
  removeVolume,
  VolumeError,
} from "../volume/mod.ts";
import { openImage } from "./detached_root.ts";
import { type Happening, noteEvents, volumeEvent } from "./events.ts";
import { toHost } from "./ids.ts";
import { type Known, knownContainers } from "./list.ts";
import type { Roots } from "./state.ts";

/** A volume of a container. */
export interface VolumeUse {
  name: string;
  /** Where it is mounted in the container. */
  destination: string;
  /** Made for this container, without a name of the user's. */
  anonymous: boolean;
  /** Whether it gets the image's files while it is empty. */
  copy: boolean;
}

/** What is mounted for a volume. */
export type VolumeSource = { name: string } & Required<Pick<Mount, "type" | "source" | "options">>;

/**
 * How a volume is mounted that need not be there yet; nothing is made.
 *
 * @param name absent: a new anonymous one
 */
export function resolveVolume(roots: Roots, name: string | undefined): VolumeSource {
  const chosen = name ?? crypto.getRandomValues(new Uint8Array(32)).toHex();
  const special = mountOf(readVolume(roots.data, chosen)?.options ?? {});
  return {
    name: chosen,
    ...special ?? { type: "bind", source: dataOf(roots.data, chosen), options: [] },
  };
}

/**
 * Makes the volumes of a container that are not there yet, and gives those that are empty the files
 * that the image has in their place.
 *
 * It is called when the container has been written down, so that nobody removes them any more.
 *
 * @returns those that were made, as events
 */
export async function prepareVolumes(
  roots: Roots,
  uses: readonly VolumeUse[],
  container: { id: string; root: RootSource; spec: Spec },
): Promise<Happening[]> {
  const made: Happening[] = [];
  for (const use of uses) {
    if (!readVolume(roots.data, use.name)) made.push(volumeEvent("create", use.name));
    using _ = hold(roots, use);
    if (use.copy) await fill(roots, use, container);
  }
  return made;
}

/** What is told of the volumes that a container mounts. */
export function mountEvents(
  uses: readonly VolumeUse[],
  container: string,
  spec: Spec,
): Happening[] {
  return uses.map(({ name, destination }) => {
    const { options = [] } = spec.mounts?.find((mount) => mount.destination === destination) ?? {};
    const propagation = options.find((option) => /^r?(private|shared|slave)$/.test(option)) ?? "";
    const attributes = { container, destination, propagation };
    const readOnly = options.includes("ro");
    return volumeEvent("mount", name, { ...attributes, "read/write": String(!readOnly) });
  });
}

/** A volume that is there, and kept; one that is being removed is made again. */
function hold({ data }: Roots, { name, anonymous }: VolumeUse): Disposable {
  for (let tries = 0;; tries++) {
    createVolume(data, { name }, anonymous);
    try {
      return holdVolume(data, name);
    } catch (error) {
      if (!(error instanceof VolumeError) || readVolume(data, name) || tries > 10) throw error;
    }
  }
}

async function fill(
  roots: Roots,
  { name, destination }: VolumeUse,
  { id, root, spec }: { id: string; root: RootSource; spec: Spec },
): Promise<void> {
  const { options = {} } = readVolume(roots.data, name) ?? {};
  if (Object.keys(options).length > 0) return; // It is not the store's directory that is mounted.
  using image = openImage(root);
  try {
    using from = openIn(image, fromText(destination), O_PATH | O_DIRECTORY);
    const mounted = usersOf(roots, name).some((user) => user.id !== id && user.state !== undefined);
    const mapped = spec.mounts?.find((mount) => mount.destination === destination)
      ?.options?.some((option) => /^r?idmap$/.test(option));
    const shift = mapped ? (own: number) => own : toHost(spec);
    await fillVolume(roots.data, name, { from, shift, mounted });
  } catch (error) {
    // ENOENT, ENOTDIR, ELOOP: the image has no such directory.
    if (error instanceof SyscallError && [2, 20, 40].includes(error.errno)) return;
    throw error;
  }
}

/** The containers that have a volume, those that are being made or removed too. */
export function usersOf(roots: Roots, name: string): Known[] {
  return knownContainers(roots).filter(({ definition, state }) =>
    definition?.volumes?.some((use) => use.name === name) || state?.volumes?.includes(name)
  );
}

/**
 * Removes the volumes of a container that nobody has given a name, unless another container has
 * them too.
 *
 * @param id of the container, which may still be written down
 * @returns the failures
 */
export function removeAnonymous(roots: Roots, id: string, names: readonly string[]): unknown[] {
  return names.flatMap((name) => {
    const volume = readVolume(roots.data, name);
    if (!volume || !isAnonymous(volume)) return [];
    const others = () => usersOf(roots, name).filter((user) => user.id !== id);
    if (others().length > 0) return [];
    try {
      removeVolume(roots.data, name, () => others().map((user) => user.name));
      noteEvents(roots, [volumeEvent("destroy", name)]);
      return [];
    } catch (error) {
      return [error];
    }
  });
}
