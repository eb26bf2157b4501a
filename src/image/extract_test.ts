import assert from "assert";
import fc from "fast-check";
import { fromText } from "./bytes.ts";
import { type Extracted, type ExtractOptions, extractTar } from "./extract.ts";
import { TarError, type TarHeader, type TarType } from "./tar_entry.ts";
import { TAR_END, tarHeader, tarPadding } from "./tar_write.ts";
import { xattrsOf } from "./xattr.ts";

/** An entry in short: what is not given is root's, 0644 or 0755, and dated 2023. */
interface Short extends Partial<Omit<TarHeader, "sizeBytes">> {
  name: string;
  text?: string;
}

const file = (name: string, text = "from the archive", more: Partial<TarHeader> = {}): Short => ({
  ...more,
  name,
  text,
});
const link = (name: string, linkName: string): Short => ({ name, linkName, type: "symlink" });
const hard = (name: string, linkName: string): Short => ({ name, linkName, type: "hardlink" });
const directory = (name: string, mode = 0o755): Short => ({ name, mode, type: "directory" });

function tarOf(entries: Short[]): ReadableStream<Uint8Array> {
  const pieces = entries.flatMap(({ text = "", ...entry }) => {
    const content = new TextEncoder().encode(text);
    const header: TarHeader = {
      type: "file",
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtimeSeconds: 1_700_000_000,
      linkName: "",
      deviceMajor: 0,
      deviceMinor: 0,
      xattrs: new Map(),
      ...entry,
      sizeBytes: content.length,
    };
    return [tarHeader(header), content, tarPadding(content.length)];
  });
  return ReadableStream.from([...pieces, TAR_END]);
}

/** A directory `host` with something to attack, and beside it `host/tree`, which is unpacked into. */
class Place implements Disposable {
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
    Deno.removeSync(this.host, { recursive: true });
  }
}

Deno.test("extractTar() keeps content, permissions, times, links and empty directories", async () => {
  using place = new Place();
  const root = Deno.uid() === 0;
  const owner = root ? { uid: 1234, gid: 5678 } : {};
  const result = await place.unpack([
    directory("./", 0o750),
    directory("d", 0o1777),
    file("d/setuid", "x", { mode: 0o4755, ...owner }),
    hard("d/same", "./d/setuid"),
    link("l", "/d/setuid"),
    { name: "p", type: "fifo", mode: 0o600 },
    directory("empty", 0o500),
    file("made/on/the/way"),
  ]);
  assert.deepEqual(result, { entries: 8, contentBytes: 17, skippedDevices: 0 });
  const setuid = Deno.lstatSync(`${place.tree}/d/setuid`);
  assert.equal((setuid.mode ?? 0) & 0o7777, 0o4755);
  if (root) assert.deepEqual([setuid.uid, setuid.gid], [1234, 5678]);
  assert.equal(setuid.mtime?.getTime(), 1_700_000_000_000);
  assert.equal(setuid.ino, Deno.lstatSync(`${place.tree}/d/same`).ino);
  assert.equal(Deno.readLinkSync(`${place.tree}/l`), "/d/setuid");
  assert.ok(Deno.lstatSync(`${place.tree}/p`).isFifo);
  for (
    const [name, mode] of [["", 0o750], ["d", 0o1777], ["empty", 0o500], ["made", 0o755]] as const
  ) {
    assert.equal((Deno.statSync(`${place.tree}/${name}`).mode ?? 0) & 0o7777, mode, name);
  }
  assert.equal(Deno.statSync(`${place.tree}/d`).mtime?.getTime(), 1_700_000_000_000);
});

Deno.test("extractTar() follows an absolute link as the container would", async () => {
  using place = new Place();
  await place.unpack([directory("run"), link("var/run", "/run"), file("var/run/pid")]);
  assert.equal(place.text("run/pid"), "from the archive");
});

/** Archives that try to reach beyond their root; what is refused has a message, the others land inside. */
const ATTACKS: [name: string, entries: Short[], refused: RegExp | undefined][] = [
  ["..", [file("../etc/shadow")], /"\.\."/],
  [".. in the middle", [directory("a"), file("a/../../etc/shadow")], /"\.\."/],
  ["an absolute name", [file("/etc/shadow")], undefined],
  ["a link to /, and a file through it", [link("a", "/"), file("a/etc/shadow")], undefined],
  ["a link to .., and a file through it", [link("a", ".."), file("a/etc/shadow")], undefined],
  [
    "a link deep below to ../../.., and a file through it",
    [link("a/b/c", "../../../../../.."), file("a/b/c/etc/shadow")],
    undefined,
  ],
  ["a link to a file, and the file again", [link("s", "../etc/shadow"), file("s")], undefined],
  [
    "a chain of links",
    [link("a", "b"), link("b", "c"), link("c", "../.."), file("a/etc/shadow")],
    undefined,
  ],
  ["links in a circle", [link("a", "b"), link("b", "a"), file("a/x")], /ELOOP/],
  ["a link to nothing, and a file below it", [link("a", "/nowhere"), file("a/x")], /cannot unpack/],
  ["a link over a directory, and a file below it", [
    directory("a"),
    file("a/1"),
    link("b", "../etc"),
    hard("c", "b"),
    file("c/shadow"),
  ], undefined],
  ["a directory swapped for a link between two files", [
    file("a/1"),
    { ...link("x", "..") },
    directory("a/b"),
    link("a/b", ".."),
    file("a/b/shadow"),
  ], undefined],
  ["a hard link to ..", [hard("h", "../etc/shadow")], /"\.\."/],
  ["a hard link to an absolute name", [hard("h", "/etc/shadow"), file("h")], /ENOENT/],
  ["a hard link through a link", [link("e", "../etc"), hard("h", "e/shadow"), file("h")], /cannot/],
  ["a hard link to a link, and a write to it", [
    link("s", "../etc/shadow"),
    hard("h", "s"),
    file("h"),
  ], undefined],
  [
    "a directory's permissions through a link",
    [link("e", "../etc"), directory("e", 0o777)],
    undefined,
  ],
  ["a directory below a link", [link("e", ".."), directory("e/etc", 0o777)], undefined],
  ["a directory's time after it became a link", [directory("e"), link("e", "../etc")], undefined],
  ["the root as a link", [link(".", "/etc")], /root/],
  ["the root as a hard link", [hard("h", "./")], /root/],
  ["a fifo through a link", [link("e", "../etc"), { name: "e/p", type: "fifo" }], undefined],
  [
    "a file over the file of a link",
    [link("etc", "../etc"), file("etc/shadow"), file("etc/x")],
    undefined,
  ],
  ["/proc's magic links", [link("r", "/proc/self/root"), file("r/etc/shadow")], /cannot unpack/],
];

for (const [name, entries, refused] of ATTACKS) {
  Deno.test(`extractTar() writes nothing outside of its root for ${name}`, async () => {
    using place = new Place();
    const unpacked = place.unpack(entries);
    if (refused === undefined) await unpacked;
    else {
      await assert.rejects(unpacked, (error) => {
        assert.ok(error instanceof TarError);
        assert.match(error.message, refused);
        return true;
      });
    }
    place.checkOutside();
  });
}

Deno.test("extractTar() writes nothing outside of its root for random archives", async () => {
  const part = fc.constantFrom("a", "b", "etc", "shadow", ".", "..");
  const path = fc.tuple(
    fc.constantFrom("", "/", "./"),
    fc.array(part, { maxLength: 4, minLength: 1 }),
  )
    .map(([start, parts]) => start + parts.join("/"));
  // Names with `..` are refused at once, which would end most archives early.
  const name = path.map((text) => text.replaceAll("..", "a"));
  const type = fc.constantFrom<TarType>("file", "hardlink", "symlink", "directory", "fifo");
  const entry = fc.record({ name, linkName: path, type, mode: fc.nat(0o7777) });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 12 }), async (entries) => {
      using place = new Place();
      for (let first = 0; first < entries.length; first++) {
        // Each entry by itself on the same tree: a refused one does not keep the rest from being tried.
        await place.unpack(entries.slice(first, first + 1)).catch((error) => {
          assert.ok(error instanceof TarError, String(error));
        });
      }
      place.checkOutside();
    }),
    { numRuns: 150 },
  );
});

Deno.test("extractTar() gives up at its size before the disk is full", async () => {
  using place = new Place();
  const bomb = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(tarHeader({ ...header(), sizeBytes: 8 * 2 ** 30 }));
    },
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
  });
  await assert.rejects(
    extractTar(bomb, place.tree, { limitBytes: 1 << 20 }),
    /larger than 1048576 bytes/,
  );
  assert.ok(Deno.statSync(`${place.tree}/f`).size <= 1 << 20);
});

Deno.test("extractTar() leaves devices out unless they are allowed, and whiteouts always", async () => {
  const device = (name: string, deviceMajor: number, deviceMinor: number): Short => ({
    name,
    type: "character-device",
    deviceMajor,
    deviceMinor,
  });
  const entries = [device("null", 1, 3), device("whiteout", 0, 0), file("f")];
  using without = new Place();
  assert.equal((await without.unpack(entries)).skippedDevices, 2);
  assert.deepEqual([...Deno.readDirSync(without.tree)].map(({ name }) => name), ["f"]);
  if (Deno.uid() !== 0) return;
  using place = new Place();
  assert.equal((await place.unpack(entries, { devices: true })).skippedDevices, 1);
  assert.equal(Deno.lstatSync(`${place.tree}/null`).rdev, 0x103);
});

Deno.test({
  name:
    "extractTar() keeps file capabilities and drops attributes of overlayfs and the host's policy" +
    (Deno.uid() === 0 ? "" : " (skipped: not running as root)"),
  ignore: Deno.uid() !== 0,
  async fn() {
    using place = new Place();
    // cap_net_raw,cap_setpcap,cap_setgid=ep: a byte of it is no UTF-8.
    const capability = new Uint8Array([1, 0, 0, 2, 0xc0, 0x21, ...Array(14).fill(0)]);
    const value = new Uint8Array([121]);
    const xattrs = new Map([
      ["security.capability", capability],
      ["trusted.overlay.redirect", value],
      ["user.overlay.opaque", value],
      ["security.selinux", value],
    ]);
    await place.unpack([file("ping", "x", { xattrs, uid: 1, mode: 0o755 })]);
    assert.deepEqual(
      xattrsOf(`${place.tree}/ping`),
      new Map([["security.capability", capability]]),
    );
  },
});

Deno.test("extractTar() keeps names that are no UTF-8", async () => {
  using place = new Place();
  await place.unpack([file("caf\xe9"), file(fromText("naïve"))]);
  const { stdout } = new Deno.Command("ls", { args: ["-b", place.tree], env: { LC_ALL: "C" } })
    .outputSync();
  assert.equal(new TextDecoder().decode(stdout), "caf\\351\nna\\303\\257ve\n");
});

Deno.test("extractTar() refuses an archive without entries", async () => {
  using place = new Place();
  await assert.rejects(place.unpack([]), /without entries/);
});

function header(): TarHeader {
  return {
    name: "f",
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtimeSeconds: 0,
    linkName: "",
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
  };
}
