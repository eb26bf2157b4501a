import assert from "assert";
import fc from "fast-check";
import { type Elf, ElfError, isStatic, readElf, readElfFile } from "./elf.ts";

/** What readelf(1) says of a file, in the terms of `Elf`. */
function judged(
  path: string,
): Pick<Elf, "needed" | "rpath" | "runpath"> & { interpreter?: string } {
  const { stdout } = new Deno.Command("readelf", { args: ["-W", "-l", "-d", path], stderr: "null" })
    .outputSync();
  const text = new TextDecoder().decode(stdout);
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? "");
  const interpreter = all(/Requesting program interpreter: ([^\]]+)\]/g)[0];
  return {
    needed: all(/\(NEEDED\)\s+Shared library: \[([^\]]*)\]/g),
    rpath: all(/\(RPATH\)\s+Library rpath: \[([^\]]*)\]/g).flatMap((list) => list.split(":")),
    runpath: all(/\(RUNPATH\)\s+Library runpath: \[([^\]]*)\]/g).flatMap((list) => list.split(":")),
    ...(interpreter === undefined ? {} : { interpreter }),
  };
}

/** ELF files of this machine: some programs, and libraries with a RUNPATH among them where there are any. */
function samples(): string[] {
  const found: string[] = [];
  for (const directory of ["/usr/bin", "/usr/sbin"]) {
    const names = [...Deno.readDirSync(directory)].filter(({ isFile }) => isFile);
    for (const { name } of names.sort((a, b) => a.name < b.name ? -1 : 1)) {
      const path = `${directory}/${name}`;
      if (found.length < 150 && readElfFile(path)) found.push(path);
    }
  }
  return found;
}

const hasReadelf = (() => {
  try {
    return new Deno.Command("readelf", { args: ["--version"], stdout: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
})();

Deno.test({
  name: "readElfFile() reads of this machine's programs what readelf reads" +
    (hasReadelf ? "" : " (skipped: no command readelf)"),
  ignore: !hasReadelf,
  fn() {
    const paths = samples();
    assert.ok(paths.length > 20);
    for (const path of paths) {
      const elf = readElfFile(path);
      assert.ok(elf);
      const { needed, rpath, runpath, interpreter } = elf;
      const ours = {
        needed,
        rpath,
        runpath,
        ...(interpreter === undefined ? {} : { interpreter }),
      };
      assert.deepEqual(ours, judged(path), path);
    }
  },
});

/** Deno's own executable: dynamically linked, and always here. */
const program = Deno.readFileSync(Deno.execPath()).slice(0, 4096);

Deno.test("readElf() gives an Elf or an ElfError for a header with changed bytes", () => {
  const change = fc.tuple(fc.nat(767), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const bytes = program.slice();
      for (const [at, value] of changes) bytes[at] = value;
      survives(bytes);
    }),
    { numRuns: 500 },
  );
});

Deno.test("readElf() gives an ElfError for anything that is cut short or no ELF file", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), survives));
  assert.throws(
    () => readElf((offset, n) => program.subarray(offset, Math.min(offset + n, 60))),
    ElfError,
  );
  assert.throws(() => readElf(() => new TextEncoder().encode("#!/bin/sh\n")), ElfError);
});

Deno.test("readElfFile() takes a script for no ELF file", () => {
  const path = Deno.makeTempFileSync();
  Deno.writeTextFileSync(path, "#!/bin/sh\n");
  assert.equal(readElfFile(path), undefined);
  Deno.removeSync(path);
});

Deno.test("isStatic() refuses what names a library or an interpreter", () => {
  const elf = readElfFile(Deno.execPath());
  assert.ok(elf);
  assert.equal(isStatic(elf), false);
  const { interpreter: _, ...bare } = elf;
  assert.equal(isStatic({ ...bare, needed: ["libc.so.6"] }), false);
  assert.equal(isStatic({ ...bare, needed: [] }), true);
  assert.equal(isStatic({ ...bare, needed: [], type: 1 }), false); // ET_REL: an object file.
});

function survives(bytes: Uint8Array): void {
  try {
    readElf((offset, length) => bytes.subarray(offset, offset + length));
  } catch (error) {
    assert.ok(error instanceof ElfError, String(error));
  }
}
