import assert from "assert";
import fc from "fast-check";
import { directory, file, hard, link, Place, type Short } from "../../tests/support/archive.ts";
import { TarError, type TarType } from "./tar_entry.ts";

/** Archives that try to reach beyond their root; what is refused has a message, the others land inside. */
const ATTACKS: [name: string, entries: Short[], refused: RegExp | undefined][] = [
  ["..", [file("../victim/secret")], /"\.\."/],
  [".. in the middle", [directory("a"), file("a/../../victim/secret")], /"\.\."/],
  ["an absolute name", [file("HOST/victim/secret")], undefined],
  ["a link to /, and a file through it", [link("a", "/"), file("aHOST/victim/secret")], undefined],
  ["an absolute link, and a file through it", [
    directory("HOST"),
    link("a", "HOST"),
    file("a/victim/secret"),
  ], undefined],
  ["a link to .., and a file through it", [link("a", ".."), file("a/victim/secret")], undefined],
  [
    "a link deep below that leads out by its .., and a file through it",
    [link("a/b/c", "../../.."), file("a/b/c/victim/secret")],
    undefined,
  ],
  ["a link to a file, and the file again", [link("s", "../victim/secret"), file("s")], undefined],
  [
    "a chain of links",
    [link("a", "b"), link("b", "c"), link("c", "../.."), file("a/victim/secret")],
    undefined,
  ],
  ["links in a circle", [link("a", "b"), link("b", "a"), file("a/x")], /ELOOP/],
  [
    "a link to nothing, and a file below it",
    [link("a", "HOST/nowhere"), file("a/x")],
    /cannot unpack/,
  ],
  ["a hard link to a link to a directory, and a file below it", [
    directory("victim"),
    link("b", "../victim"),
    hard("c", "b"),
    file("c/secret"),
  ], undefined],
  ["a directory swapped for a link between two files", [
    file("a/1"),
    { ...link("x", "..") },
    directory("a/b"),
    link("a/b", ".."),
    file("a/b/victim/secret"),
  ], undefined],
  ["a hard link to ..", [hard("h", "../victim/secret")], /"\.\."/],
  ["a hard link to an absolute name", [hard("h", "HOST/victim/secret"), file("h")], /ENOENT/],
  [
    "a hard link through a link",
    [link("e", "../victim"), hard("h", "e/secret"), file("h")],
    /cannot/,
  ],
  ["a hard link to a link, and a write to it", [
    link("s", "../victim/secret"),
    hard("h", "s"),
    file("h"),
  ], undefined],
  [
    "a directory's permissions through a link",
    [link("e", "../victim"), directory("e", 0o777)],
    undefined,
  ],
  ["a directory below a link", [link("e", ".."), directory("e/victim", 0o777)], undefined],
  [
    "a directory's time after it became a link",
    [directory("e"), link("e", "../victim")],
    undefined,
  ],
  ["the root as a link", [link(".", "HOST/victim")], /root/],
  ["the root as a hard link", [hard("h", "./")], /root/],
  [
    "a fifo through a link",
    [directory("victim"), link("e", "../victim"), { name: "e/p", type: "fifo" }],
    undefined,
  ],
  ["a link that is a circle inside", [link("victim", "../victim"), file("victim/secret")], /ELOOP/],
  [
    "/proc's magic links",
    [link("r", "/proc/self/root"), file("rHOST/victim/secret")],
    /cannot unpack/,
  ],
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
  const part = fc.constantFrom("va", "vb", "victim", "secret", ".", "..");
  const path = fc.tuple(
    fc.constantFrom("", "HOST/", "./"),
    fc.array(part, { maxLength: 4, minLength: 1 }),
  )
    .map(([start, parts]) => start + parts.join("/"));
  // Names with `..` are refused at once, which would end most archives early.
  const name = path.map((text) => text.replaceAll("..", "va"));
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
    { numRuns: 60 },
  );
});
