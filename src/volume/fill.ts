import { AT_FDCWD, type Fd, SyscallError, trySyscall } from "../../ffi/mod.ts";
import { components, Tree, walk, writeEntry } from "../image/mod.ts";
import { dataOf, VolumeError } from "./store.ts";

/** How a volume is filled. */
export interface Filling {
  /** Where its first files come from, opened with O_PATH; CVE-2022-23648: it lies in the image. */
  from: Fd;
  shift: IdShift;
  /** Whether a container has it mounted: then its directory must stay the one that it is. */
  mounted: boolean;
}

/** From an id in the image to the host's, where the container has a user namespace of its own. */
export type IdShift = (id: number, kind: "uid" | "gid") => number;

const EEXIST = 17, ENOTEMPTY = 39;

/**
 * Gives an empty volume the files of the image's directory, and its owner and permissions. Devices
 * and pipes are left out. A volume that has files is left as it is.
 *
 * The files are copied beside the volume's and take their place by rename, so that an interrupted
 * copy is begun again. Who calls it holds the volume alone.
 *
 * @returns whether it was filled
 */
export async function fillVolume(
  dataRoot: string,
  name: string,
  { from, shift, mounted }: Filling,
): Promise<boolean> {
  const place = dataOf(dataRoot, name);
  if (!Deno.readDirSync(place)[Symbol.iterator]().next().done) return false;
  const filling = place.replace(/_data$/, ".filling");
  removeIfThere(filling);
  if (mounted) {
    using tree = new Tree(place);
    await copy(from, tree, shift);
    return true;
  }
  Deno.mkdirSync(filling, { mode: 0o755 });
  {
    using tree = new Tree(filling);
    await copy(from, tree, shift);
  }
  const moved = trySyscall("renameat2", AT_FDCWD, filling, AT_FDCWD, place, 0);
  if (moved === 0) return true;
  removeIfThere(filling);
  if (moved === -ENOTEMPTY || moved === -EEXIST) return false;
  throw new SyscallError(`cannot fill volume "${name}"`, -moved);
}

async function copy(from: Fd, tree: Tree, shift: IdShift): Promise<void> {
  const directories: [parts: string[], mode: number, mtimeSeconds: number][] = [];
  for (const entry of walk(from, { mounts: "leave" })) {
    const parts = components(entry.name);
    const attributes = {
      ...entry,
      uid: shift(entry.uid, "uid"),
      gid: shift(entry.gid, "gid"),
    };
    const isDirectory = entry.type === "directory";
    if (parts.length === 0 && !isDirectory) {
      throw new VolumeError("a volume is filled from a directory alone");
    }
    if (isDirectory) directories.push([parts, entry.mode, entry.mtimeSeconds]);
    const linkedParts = () => components(entry.linkName);
    if (entry.type !== "fifo") {
      await writeEntry(tree, { entry, parts, attributes, linkedParts });
    }
  }
  for (const [parts, mode, mtimeSeconds] of directories.reverse()) {
    tree.finishDirectory(parts, { mode, mtimeSeconds });
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
