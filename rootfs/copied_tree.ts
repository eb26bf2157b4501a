/**
 * A tree into which files of the host are copied under the paths that they have there.
 *
 * Links are copied as links, those in the middle of a path too: where the host has /bin -> usr/bin, so has the
 * tree, and a program is found under either name. Paths are resolved on the host, component by component, so
 * nothing in the tree is ever followed.
 *
 * @see path_resolution(7)
 * @module
 */
const LINKS_MAX = 40; // As the kernel; path_resolution(7).

/** What has been copied below `tree`, an empty directory at first. */
export class CopiedTree {
  readonly #tree: string;
  readonly #done = new Set<string>();

  constructor(tree: string) {
    this.#tree = tree;
  }

  /**
   * Copies a file and the links that lead to it.
   *
   * @param path absolute, on the host
   * @returns the file's own path on the host, or `undefined` when it is in the tree already
   * @throws {Deno.errors.NotFound} when there is no such file
   */
  add(path: string): string | undefined {
    let rest = split(path);
    let at = ""; // Resolved so far: contains no link.
    let links = 0;
    while (true) {
      const name = rest.shift();
      if (name === undefined) return undefined; // A directory, or the root.
      if (name === "..") {
        at = at.slice(0, Math.max(at.lastIndexOf("/"), 0));
        continue;
      }
      const here = `${at}/${name}`;
      const { isSymlink, isDirectory } = Deno.lstatSync(here);
      if (isSymlink) {
        if (++links > LINKS_MAX) throw new Error(`too many links on the way to "${path}"`);
        const target = Deno.readLinkSync(here);
        this.#once(here, () => Deno.symlinkSync(target, this.#tree + here));
        if (target.startsWith("/")) at = "";
        rest = [...split(target), ...rest];
        continue;
      }
      if (!isDirectory) return this.#once(here, () => this.#copyFile(here)) ? here : undefined;
      this.#once(here, () => this.#makeDirectory(here));
      at = here;
    }
  }

  /** The paths copied so far: files, links and directories. */
  paths(): string[] {
    return [...this.#done];
  }

  /** Whether the host has /bin as a link into /usr, and something was copied through it. */
  mergedUsr(): boolean {
    return ["/bin", "/sbin", "/lib"].some((path) =>
      this.#done.has(path) && Deno.lstatSync(path).isSymlink
    );
  }

  #once(path: string, act: () => void): boolean {
    if (this.#done.has(path)) return false;
    this.#done.add(path);
    act();
    return true;
  }

  #makeDirectory(path: string): void {
    Deno.mkdirSync(this.#tree + path);
    Deno.chmodSync(this.#tree + path, (Deno.statSync(path).mode ?? 0) & 0o1777);
  }

  /** Without setuid and file capabilities: nobody has said that the container may gain what the host's may. */
  #copyFile(path: string): void {
    const { mode, atime, mtime } = Deno.statSync(path);
    Deno.copyFileSync(path, this.#tree + path);
    Deno.chmodSync(this.#tree + path, (mode ?? 0) & 0o777);
    Deno.utimeSync(this.#tree + path, atime ?? new Date(), mtime ?? new Date());
  }
}

function split(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}
