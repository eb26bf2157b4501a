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

/** A directory `host` with something to attack, and beside it `host/tree`, which is unpacked into. */
export class Place implements Disposable {
  readonly host = Deno.makeTempDirSync({ prefix: "minictr-extract-" });
  readonly tree = `${this.host}/tree`;
  readonly #before: string;

  constructor() {
    Deno.mkdirSync(this.tree, { mode: 0o755 });
    Deno.mkdirSync(`${this.host}/etc`);
    Deno.writeTextFileSync(`${this.host}/etc/shadow`, "secret", { mode: 0o600 });
    this.#before = this.#outside();
  }

  unpack(entries: Short[], options: ExtractOptions = {}): Promise<Extracted> {
    return extractTar(tarOf(entries), this.tree, options);
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
      args: [this.host, "-path", this.tree, "-prune", "-o", "!", "-path", this.host, "-printf"]
        .concat(["%p %y %m %U %G %s %T@ %n %l\\n"]),
    }).outputSync();
    return new TextDecoder().decode(stdout) + Deno.readTextFileSync(`${this.host}/etc/shadow`);
  }

  [Symbol.dispose](): void {
    // Who is not root must be allowed to enter what is removed.
    new Deno.Command("chmod", { args: ["-R", "u+rwx", this.tree], stderr: "null" }).outputSync();
    Deno.removeSync(this.host, { recursive: true });
  }
}
