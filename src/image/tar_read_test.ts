import assert from "assert";
import fc from "fast-check";
import { bytesOf, fromText } from "./bytes.ts";
import { components, PAX_XATTR, TarError, type TarHeader } from "./tar_entry.ts";
import { readTar } from "./tar_read.ts";
import { TAR_END, tarHeader, tarPadding } from "./tar_write.ts";

const LIMITS = { limitBytes: 1 << 24, limitEntries: 1000 };

const FILE: TarHeader = {
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

type Entry = TarHeader & { content: number[] };

async function read(pieces: Iterable<Uint8Array>, limits = LIMITS): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const { body, ...header } of readTar(ReadableStream.from(pieces), limits)) {
    const content: number[] = [];
    for await (const piece of body) content.push(...piece);
    entries.push({ ...header, content });
  }
  return entries;
}

/** The same bytes in pieces of that size, so that every field is cut somewhere. */
function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

function joined(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}

/** A header block with a field changed and its checksum made right again. */
function withField(block: Uint8Array, offset: number, text: string): Uint8Array {
  const changed = block.slice();
  changed.set(bytesOf(text), offset);
  changed.set(bytesOf(" ".repeat(8)), 148);
  const sum = changed.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  changed.set(bytesOf(sum.toString(8).padStart(6, "0") + "\0 "), 148);
  return changed;
}

const byteName = fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 300 })
  .map((codes) => String.fromCharCode(...codes).replace(/\/+$/, "") || "x");

const header = fc.record({
  name: byteName,
  type: fc.constantFrom("file", "symlink", "hardlink", "fifo", "character-device"),
  mode: fc.nat(0o7777),
  uid: fc.nat(0xffff_fffe),
  gid: fc.nat(0xffff_fffe),
  mtimeSeconds: fc.integer({ min: -1e9, max: 8e9 }),
  linkName: byteName,
  deviceMajor: fc.nat(4095),
  deviceMinor: fc.nat(0o777777),
  xattrs: fc.dictionary(fc.constantFrom("security.capability", "user.a"), fc.uint8Array())
    .map((values) => new Map(Object.entries(values).map(([k, v]) => [k, new Uint8Array(v)]))),
});

Deno.test("readTar() gives back what tarHeader() wrote, however the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      header,
      fc.uint8Array({ maxLength: 1500 }),
      fc.integer({ min: 1, max: 3000 }),
      async (random, body, size) => {
        const content = random.type === "file" ? new Uint8Array(body) : new Uint8Array(0);
        const device = random.type === "character-device";
        const wanted: TarHeader = {
          ...FILE,
          ...random,
          type: random.type as TarHeader["type"],
          sizeBytes: content.length,
          deviceMajor: device ? random.deviceMajor : 0,
          deviceMinor: device ? random.deviceMinor : 0,
        };
        const tar = joined([tarHeader(wanted), content, tarPadding(content.length), TAR_END]);
        const [entry, more] = await read(cut(tar, size));
        assert.equal(more, undefined);
        assert.deepEqual(entry, { ...wanted, content: [...content] });
      },
    ),
  );
});

Deno.test("readTar() gives entries or a TarError for any bytes", async () => {
  const valid = joined([tarHeader({ ...FILE, name: "n".repeat(200) }), TAR_END]);
  const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 6 }), fc.boolean(), async (changes, repair) => {
      let bytes: Uint8Array = valid.slice();
      for (const [at, value] of changes) bytes[at] = value;
      if (repair) bytes = withField(bytes, 0, "");
      await read([bytes]).catch((error) => assert.ok(error instanceof TarError, String(error)));
    }),
    { numRuns: 400 },
  );
});

for (const format of ["v7", "ustar", "gnu", "pax"]) {
  Deno.test(`readTar() reads what GNU tar writes as ${format}`, async () => {
    const directory = Deno.makeTempDirSync();
    const long = format === "v7" ? "short" : `${"d".repeat(60)}/${"n".repeat(80)}`;
    const name = format === "gnu" || format === "pax" ? `${"d".repeat(130)}/${long}` : long;
    if (name.includes("/")) {
      const parent = name.slice(0, name.lastIndexOf("/"));
      Deno.mkdirSync(`${directory}/${parent}`, { recursive: true });
    }
    Deno.writeTextFileSync(`${directory}/${name}`, "hällo");
    Deno.symlinkSync(format === "v7" ? "t" : "t".repeat(99), `${directory}/link`);
    const { stdout } = new Deno.Command("tar", {
      args: ["-C", directory, `--format=${format}`, "-cf", "-", name, "link"],
    }).outputSync();
    const [file, link] = await read(cut(stdout, 700));
    assert.equal(file?.name, name);
    assert.equal(new TextDecoder().decode(new Uint8Array(file?.content ?? [])), "hällo");
    assert.equal(link?.linkName, Deno.readLinkSync(`${directory}/link`));
    assert.equal(link?.type, "symlink");
    Deno.removeSync(directory, { recursive: true });
  });
}

Deno.test("readTar() refuses what is damaged, cut short, or not supported, and says what", async () => {
  const block = tarHeader(FILE);
  const sparse = bytesOf("22 GNU.sparse.major=1\n");
  const refused: [RegExp, Uint8Array[]][] = [
    [/checksum/, [new Uint8Array(512).fill(65)]],
    [/cut short/, [block.subarray(0, 300)]],
    [/cut short/, [tarHeader({ ...FILE, sizeBytes: 700 }), new Uint8Array(512)]],
    [/type "S"/, [withField(block, 156, "S")]],
    [/size of -1/, [withField(block, 124, "\xff".repeat(12))]],
    [/number/, [withField(block, 124, "99999999999")]],
    [/sparse/, [
      withField(tarHeader({ ...FILE, sizeBytes: sparse.length }), 156, "x"),
      sparse,
      tarPadding(sparse.length),
    ]],
    [/owner/, [withField(block, 108, "\x80\0\0\0\xff\xff\xff\xff")]],
    [/1048577 bytes/, [withField(tarHeader({ ...FILE, sizeBytes: 1_048_577 }), 156, "L")]],
    [/8589934592 bytes/, [
      withField(withField(block, 156, "x"), 124, "\x80\0\0\0\0\0\0\x02\0\0\0\0"),
    ]],
    [/in a row/, Array.from({ length: 12 }, () => withField(block, 156, "V"))],
  ];
  for (const [message, parts] of refused) {
    await assert.rejects(read([joined(parts)]), (error) => {
      assert.ok(error instanceof TarError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("readTar() stops at its limits, in the entries and behind their end", async () => {
  const many = Array.from({ length: 5 }, () => tarHeader(FILE));
  await assert.rejects(read(many, { limitBytes: 1e6, limitEntries: 4 }), /more than 4 entries/);
  const behind = [...many, TAR_END, new Uint8Array(10_000)];
  await assert.rejects(
    read(behind, { limitBytes: 9000, limitEntries: 9 }),
    /larger than 9000 bytes/,
  );
});

Deno.test("readTar() lets a global pax header name no single file", async () => {
  const globals = bytesOf("13 path=evil\n17 mtime=12345.5\n");
  const entries = await read([joined([
    withField(tarHeader({ ...FILE, sizeBytes: globals.length }), 156, "g"),
    globals,
    tarPadding(globals.length),
    tarHeader(FILE),
    TAR_END,
  ])]);
  assert.equal(entries[0]?.name, "f");
  assert.equal(entries[0]?.mtimeSeconds, 12345.5);
});

Deno.test("readTar() keeps the bytes of a capability, which are not UTF-8", async () => {
  const value = new Uint8Array([
    1,
    0,
    0,
    2,
    0xff,
    0xfe,
    0x80,
    0,
    10,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  ]);
  const xattrs = new Map([["security.capability", value]]);
  const [entry] = await read([joined([tarHeader({ ...FILE, xattrs }), TAR_END])]);
  assert.deepEqual(entry?.xattrs, xattrs);
  assert.equal(PAX_XATTR, "SCHILY.xattr.");
});

Deno.test("components() gives the names below the root, and refuses ..", () => {
  assert.deepEqual(components("./a//b/./c/"), ["a", "b", "c"]);
  assert.deepEqual(components("/etc/passwd"), ["etc", "passwd"]);
  assert.deepEqual(components("..a/b.."), ["..a", "b.."]);
  assert.deepEqual(components("./"), []);
  for (const name of ["..", "a/../b", "../../etc/shadow", "/..", fromText("ä/..")]) {
    assert.throws(() => components(name), TarError);
  }
});
