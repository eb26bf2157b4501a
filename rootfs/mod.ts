/**
 * Recipes of root filesystems: each fills a directory, and the store (src/image/) keeps it.
 *
 * | recipe | makes |
 * | --- | --- |
 * | `busybox` | one static busybox with its applets: the built-in root filesystem |
 * | `host` | the host's shell and tools with their libraries |
 * | `debootstrap` | a minimal Debian, from the mirror that apt is configured for |
 * | `tar` | what an archive holds, as Alpine's minirootfs |
 *
 * @module
 */
import {
  addRootfs,
  type Built,
  BUILTIN,
  builtinRootfs,
  readMeta,
  type RootfsMeta,
  storedRootfs,
  treeOf,
} from "../src/image/mod.ts";
import { busybox, type BusyboxOptions } from "./busybox.ts";
import { debootstrap, type DebootstrapOptions } from "./debootstrap.ts";
import { host, type HostOptions } from "./host.ts";
import { packedRoot, unpackRoot } from "./packed.ts";
import { type OnProgress, RecipeError } from "./recipe.ts";
import { tar, type TarOptions } from "./tar.ts";

export type { OnProgress, Progress } from "./recipe.ts";
export { type Packed, packTree } from "./pack.ts";
export { PACKED } from "./packed.ts";
export { RecipeError } from "./recipe.ts";

/** A recipe's name with its own options. */
export type Order =
  | { recipe: "busybox"; options: BusyboxOptions }
  | { recipe: "host"; options: HostOptions }
  | { recipe: "debootstrap"; options: DebootstrapOptions }
  | { recipe: "tar"; options: TarOptions };

/** Where the result goes. */
export interface BuildOptions {
  /** The directory of all that minictr keeps, as `/var/lib/minictr`. */
  dataRoot: string;
  name: string;
  /** Takes the place of a root of the same name. */
  replace?: boolean;
}

/**
 * Builds a root filesystem and puts it into the store.
 *
 * @throws {RecipeError} when an ingredient is missing
 * @throws {StoreError} when the name cannot be taken
 */
export async function buildRootfs(
  order: Order,
  { dataRoot, name, replace = false }: BuildOptions,
  onProgress: OnProgress = () => {},
): Promise<RootfsMeta> {
  const build = async (tree: string): Promise<Built> => ({
    recipe: order.recipe,
    ...await cook(tree, order, onProgress),
  });
  return await addRootfs(dataRoot, name, build, { replace });
}

/**
 * The tree of the built-in root filesystem, put there first when the store has none: the one that is shipped with
 * the program; otherwise built from busybox, and from the host's own programs where no busybox can be had.
 *
 * @throws {RecipeError} when neither can be built
 */
export async function ensureBuiltinRootfs(
  dataRoot: string,
  onProgress: OnProgress = () => {},
): Promise<string> {
  const there = builtinRootfs(dataRoot);
  if (there !== undefined) return there;
  const place = { dataRoot, name: BUILTIN };
  const packed = packedRoot();
  if (packed !== undefined) {
    await addRootfs(dataRoot, BUILTIN, async (tree) => ({
      recipe: "busybox",
      ...await unpackRoot(packed, tree, onProgress),
    }));
    return treeOf(dataRoot, BUILTIN);
  }
  try {
    await buildRootfs({ recipe: "busybox", options: {} }, place, onProgress);
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    await buildRootfs({ recipe: "host", options: {} }, place, onProgress);
  }
  return treeOf(dataRoot, BUILTIN);
}

/** The metadata of a stored root, as for `inspect`. */
export function inspectRootfs(dataRoot: string, name: string): RootfsMeta | undefined {
  return storedRootfs(dataRoot, name) === undefined ? undefined : readMeta(dataRoot, name);
}

function cook(tree: string, order: Order, onProgress: OnProgress) {
  switch (order.recipe) {
    case "busybox":
      return busybox(tree, order.options, onProgress);
    case "host":
      return host(tree, order.options, onProgress);
    case "debootstrap":
      return debootstrap(tree, order.options, onProgress);
    case "tar":
      return tar(tree, order.options, onProgress);
  }
}
