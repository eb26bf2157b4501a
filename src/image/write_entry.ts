import { S_IFIFO } from "../../ffi/mod.ts";
import type { TarHeader } from "./tar_entry.ts";
import type { Attributes, Tree } from "./tree.ts";

/** An entry of an archive or of a tree, as it is to be in another. */
export interface Written {
  entry: Pick<TarHeader, "type" | "linkName"> & { body: Parameters<Tree["file"]>[2] };
  /** Where it goes. */
  parts: string[];
  attributes: Attributes;
  /** Where the other name of a hard link is. */
  linkedParts(): string[];
}

/**
 * Makes an entry of whatever type in a tree; a directory's permissions and times come at the end, by
 * `Tree.finishDirectory`.
 *
 * @returns false for devices, which are left to the caller
 * @throws {TarError} as the methods of `Tree`
 */
export async function writeEntry(
  tree: Tree,
  { entry, parts, attributes, linkedParts }: Written,
): Promise<boolean> {
  switch (entry.type) {
    case "directory":
      tree.directory(parts, attributes);
      return true;
    case "file":
      await tree.file(parts, attributes, entry.body);
      return true;
    case "symlink":
      tree.symlink(parts, attributes, entry.linkName);
      return true;
    case "hardlink":
      tree.hardlink(parts, linkedParts());
      return true;
    case "fifo":
      tree.node(parts, attributes, S_IFIFO, [0, 0]);
      return true;
    default:
      return false;
  }
}
