/**
 * What docker's `cp` makes of its two paths, apart from any file.
 *
 * @see docker's "docker container cp"
 * @module
 */

/** What is copied. */
export interface CopySource {
  path: string;
  isDirectory: boolean;
}

/** Where to. */
export interface CopyTarget {
  path: string;
  kind: "directory" | "other" | "missing";
}

/** Where the first of what is copied comes to lie. */
export type Place =
  /** In the target, which is a directory, under this name. */
  | { in: "target"; name: string }
  /** The source's content in the target, which is a directory. */
  | { in: "target"; name: undefined }
  /** In the directory that holds the target, under the target's own name. */
  | { in: "parent"; name: string };

/** A copy that cannot be: a path is missing, or is not what it would have to be. */
export class CopyError extends Error {
  override name = "CopyError";
  readonly exitCode = 1;
}

/** Whether a path says that it is a directory: `a/`, `a/.`, `a/..`, `/`. */
export function claimsDirectory(path: string): boolean {
  return /(^|\/)(|\.|\.\.)$/.test(path);
}

/** Whether a path stands for a directory's content: `a/.`, `.`. */
export function meansContent(path: string): boolean {
  return /(^|\/)\.$/.test(path);
}

/** The last name of a path; "" for the root and for `..`. */
export function baseOf(path: string): string {
  const name = path.replace(/(\/\.?)+$/, "").split("/").at(-1) ?? "";
  return name === ".." || name === "." ? "" : name;
}

/** The directory that holds what a path names: "a" for "a/b/", "." for "b". */
export function parentOf(path: string): string {
  const stripped = path.replace(/(\/\.?)+$/, "");
  const at = stripped.lastIndexOf("/");
  return at === -1 ? "." : at === 0 ? "/" : stripped.slice(0, at);
}

/**
 * docker's rules.
 *
 * @throws {CopyError} where there is no place for it
 */
export function placeOf(source: CopySource, target: CopyTarget): Place {
  const name = baseOf(source.path);
  if (claimsDirectory(source.path) && !source.isDirectory) {
    throw new CopyError(`"${source.path}" is not a directory`);
  }
  if (target.kind === "directory") {
    const content = source.isDirectory && (meansContent(source.path) || name === "");
    return { in: "target", name: content ? undefined : name };
  }
  if (target.kind === "other") {
    if (claimsDirectory(target.path)) throw new CopyError(`"${target.path}" is not a directory`);
    if (source.isDirectory) {
      throw new CopyError(`cannot copy a directory over "${target.path}", which is none`);
    }
    return { in: "parent", name: baseOf(target.path) };
  }
  if (!source.isDirectory && claimsDirectory(target.path)) {
    throw new CopyError(`the directory "${target.path}" does not exist`);
  }
  return { in: "parent", name: baseOf(target.path) };
}

/** `CONTAINER:PATH`; undefined for a path of the host's, which may have "/" or "." in front. */
export function containerPath(text: string): { container: string; path: string } | undefined {
  if (text.startsWith("/") || text.startsWith(".")) return undefined;
  const at = text.indexOf(":");
  if (at < 1 || text.slice(0, at).includes("/")) return undefined;
  return { container: text.slice(0, at), path: text.slice(at + 1) };
}
