/**
 * The root filesystem that is shipped with the program: an archive beside its file, made by the
 * recipe `busybox` when the program is built (tools/build/root.ts). A checkout has none.
 *
 * @module
 */
import type { Cooked, OnProgress } from "./recipe.ts";
import { tar } from "./tar.ts";

/** The archive's name; it lies in the directory of the file that the program is bundled in. */
export const PACKED = "rootfs.tar.gz";

/** The archive's path, or undefined where the program was shipped without one. */
export function packedRoot(): string | undefined {
  const directory = import.meta.dirname;
  if (directory === undefined) return undefined;
  const path = `${directory}/${PACKED}`;
  try {
    return Deno.statSync(path).isFile ? path : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Fills the empty directory `tree` with what the archive holds. */
export async function unpackRoot(
  archive: string,
  tree: string,
  onProgress: OnProgress,
): Promise<Cooked> {
  const { sha256 } = await tar(tree, { archive }, onProgress);
  return { source: "shipped with minictr", ...(sha256 === undefined ? {} : { sha256 }) };
}
