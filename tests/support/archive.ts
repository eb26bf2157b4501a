/**
 * Archives for tests of the unpacker, and a place to unpack them in that shows what they did outside of it.
 *
 * @module
 */
import assert from "assert";
import { type Extracted, type ExtractOptions, extractTar } from "../../src/image/extract.ts";
import type { TarHeader } from "../../src/image/tar_entry.ts";
import { TAR_END, tarHeader, tarPadding } from "../../src/image/tar_write.ts";

/** An entry in short: what is not given is root's, 0644 or 0755, and dated 2023. */
export interface Short extends Partial<Omit<TarHeader, "sizeBytes">> {
  name: string;
  text?: string;
}

/** An empty file `f` of root's. */
export const FILE: TarHeader = {
  name: "f",
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  mtimeSeconds: 1_700_000_000,
  linkName: "",
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
};

/** A file with some text. */
export const file = (
  name: string,
  text = "from the archive",
  more: Partial<TarHeader> = {},
): Short => ({
  ...more,
  name,
  text,
});
/** A symbolic link. */
export const link = (name: string, linkName: string): Short => ({
  name,
  linkName,
  type: "symlink",
});
/** A hard link. */
export const hard = (name: string, linkName: string): Short => ({
  name,
  linkName,
  type: "hardlink",
});
/** A directory. */
export const directory = (name: string, mode = 0o755): Short => ({ name, mode, type: "directory" });

function tarOf(entries: Short[]): ReadableStream<Uint8Array> {
  const pieces = entries.flatMap(({ text = "", ...entry }) => {
    const content = new TextEncoder().encode(text);
    const header: TarHeader = { ...FILE, ...entry, sizeBytes: content.length };
    return [tarHeader(header), content, tarPadding(content.length)];
  });
  return ReadableStream.from([...pieces, TAR_END]);
}

/** The directories between the scratch directory and the tree: so many `..` stay in the scratch directory. */
const DEPTH = ["1", "2", "3", "4", "5"];

/**
 * A scratch directory with something to attack at every level, and deep below it `tree`, which is unpacked into.
 *
 * Whoever breaks the unpacker runs these tests on it, as root: so what the archives aim at lies in the scratch
 * directory, and has names that a machine's own files do not have.
 */
export class Place implements Disposable {
  readonly scratch = Deno.makeTempDirSync({ prefix: "minictr-extract-" });
  /** Beside `tree`, there is `victim/secret` in it. */
  readonly host = `${this.scratch}/${DEPTH.join("/")}`;
  readonly tree = `${this.host}/tree`;
  readonly #before: string;

  constructor() {
    Deno.mkdirSync(this.tree, { mode: 0o755, recursive: true });
    for (let level = 0; level <= DEPTH.length; level++) {
      const victim = [this.scratch, ...DEPTH.slice(0, level), "victim"].join("/");
      Deno.mkdirSync(victim);
      Deno.writeTextFileSync(`${victim}/secret`, "secret", { mode: 0o600 });
    }
    this.#before = this.#outside();
  }

  /** Unpacks an archive; `HOST` in its names and links stands for the path of `host`. */
  unpack(entries: Short[], options: ExtractOptions = {}): Promise<Extracted> {
    const aim = (text: string) => text.replaceAll("HOST", this.host);
    const aimed = entries.map((entry) => ({
      ...entry,
      name: aim(entry.name),
      ...(entry.linkName === undefined ? {} : { linkName: aim(entry.linkName) }),
    }));
    return extractTar(tarOf(aimed), this.tree, options);
  }

  text(name: string): string {
    return Deno.readTextFileSync(`${this.tree}/${name}`);
  }

  /** Fails when anything beside the tree has changed: names, content, permissions, times, link counts. */
  checkOutside(): void {
    assert.equal(this.#outside(), this.#before);
  }

  #outside(): string {
    const { stdout } = new Deno.Command("find", {
      args: [this.scratch, "-path", this.tree, "-prune", "-o", "!", "-path", this.host, "-printf"]
        .concat(["%p %y %m %U %G %s %T@ %n %l\\n"]),
    }).outputSync();
    const secrets = new Deno.Command("grep", {
      args: ["-r", ".", this.scratch, "--exclude-dir=tree"],
    });
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(secrets.outputSync().stdout);
  }

  [Symbol.dispose](): void {
    // Who is not root must be allowed to enter what is removed.
    new Deno.Command("chmod", { args: ["-R", "u+rwx", this.tree], stderr: "null" }).outputSync();
    Deno.removeSync(this.scratch, { recursive: true });
  }
}
