/** How far a build is; the receiver decides how it is shown. */
export interface Progress {
  /** What is being done, as `unpack alpine.tar.gz`. */
  step: string;
  /** How much of it is done, and of how much; absent where it cannot be known. */
  done?: number;
  total?: number;
  unit?: "bytes" | "files" | "packages";
}

/** Called from time to time while a root filesystem is built. */
export type OnProgress = (progress: Progress) => void;

/** What a recipe says of the tree that it has filled. */
export interface Cooked {
  /** Where the content came from, for people. */
  source: string;
  /** sha256 of the archive that it came from, in hex. */
  sha256?: string;
}

/**
 * A way to make a root filesystem.
 *
 * @param tree an empty directory of mode 0755, reachable by nobody else
 * @throws {RecipeError} when what it needs is not here
 */
export type Recipe<Options> = (
  tree: string,
  options: Options,
  onProgress: OnProgress,
) => Promise<Cooked>;

/** A recipe's ingredient is missing or is not what it should be. */
export class RecipeError extends Error {
  override name = "RecipeError";
}
