import assert from "assert";
import { AT_FDCWD, Fd, O_DIRECTORY, O_PATH, syscall } from "../../ffi/mod.ts";
import { bytesOf, fromText } from "./bytes.ts";
import { readTar } from "./tar_read.ts";
import { tarStream } from "./tar_stream.ts";
import { walk } from "./walk.ts";

function inDirectory(act: (path: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const path = Deno.makeTempDirSync({ prefix: "minictr-walk-" });
    try {
      await act(path);
    } finally {
      Deno.removeSync(path, { recursive: true });
    }
  };
}

function open(path: string): Fd {
  return new Fd(syscall("openat", AT_FDCWD, path, O_PATH | O_DIRECTORY, 0));
}

const text = (pieces: Iterable<Uint8Array>) =>
  Array.from(pieces, (piece) => new TextDecoder().decode(piece)).join("");

Deno.test(
  "walk finds everything once, parents first, links as links",
  inDirectory((path) => {
    Deno.mkdirSync(`${path}/a/b`, { recursive: true });
    Deno.writeTextFileSync(`${path}/a/file`, "content");
    Deno.linkSync(`${path}/a/file`, `${path}/z`);
    Deno.symlinkSync("/etc", `${path}/a/link`);
    using listener = Deno.listen({ transport: "unix", path: `${path}/socket` });
    using top = open(path);
    const leftOut: string[] = [];
    const found = [];
    for (
      const { name, type, linkName, body } of walk(top, {
        mounts: "enter",
        onLeftOut: (name) => leftOut.push(name),
      })
    ) {
      found.push([name, type, linkName, text(body)]);
    }
    assert.deepEqual(found, [
      ["", "directory", "", ""],
      ["a", "directory", "", ""],
      ["a/b", "directory", "", ""],
      ["a/file", "file", "", "content"],
      ["a/link", "symlink", "/etc", ""],
      ["z", "hardlink", "a/file", ""],
    ]);
    assert.deepEqual([leftOut, listener.addr.transport], [["socket"], "unix"]);
  }),
);

Deno.test(
  "walk reads the file that it found, though a link has its name by then",
  inDirectory((path) => {
    Deno.mkdirSync(`${path}/tree`);
    Deno.writeTextFileSync(`${path}/secret`, "secret");
    Deno.writeTextFileSync(`${path}/tree/file`, "mine");
    using top = open(`${path}/tree`);
    for (const { type, body } of walk(top, { mounts: "enter" })) {
      if (type !== "file") continue;
      Deno.removeSync(`${path}/tree/file`);
      Deno.symlinkSync(`${path}/secret`, `${path}/tree/file`);
      assert.equal(text(body), "mine");
    }
  }),
);

Deno.test(
  "walk keeps names that are no UTF-8, in an archive too",
  inDirectory(async (path) => {
    const name = "\xff\xfe" + fromText("é");
    using top = open(path);
    const flags = 0o100 | 1; // O_CREAT | O_WRONLY
    new Fd(syscall("openat", top.number, bytesOf(`${name}\0`), flags, 0o600)).close();
    const pieces = tarStream(walk(top, { mounts: "enter" }), { nameOf: (own) => own || "." });
    const names = [];
    const limits = { limitBytes: 1e6, limitEntries: 10 };
    for await (const entry of readTar(ReadableStream.from(pieces), limits)) names.push(entry.name);
    assert.deepEqual(names, ["./", name]);
  }),
);

Deno.test(
  "an archive of a file that is cut meanwhile has zeros in place of the rest",
  inDirectory(async (path) => {
    Deno.writeFileSync(`${path}/big`, new Uint8Array(600_000).fill(1));
    using top = open(path);
    const cut: string[] = [];
    const pieces: Uint8Array[] = [];
    for (
      const piece of tarStream(walk(top, { mounts: "enter" }), {
        nameOf: (own) => own || ".",
        onCut: (name) => cut.push(name),
      })
    ) {
      pieces.push(piece.slice());
      if (piece.length > 100_000) Deno.truncateSync(`${path}/big`, 300_000);
    }
    let sum = 0, size = 0;
    const limits = { limitBytes: 1e7, limitEntries: 10 };
    for await (const { name, sizeBytes, body } of readTar(ReadableStream.from(pieces), limits)) {
      if (name !== "big") continue;
      size = sizeBytes;
      for await (const piece of body) sum += piece.reduce((count, byte) => count + byte, 0);
    }
    assert.deepEqual([cut, size, sum], [["big"], 600_000, 300_000]);
  }),
);

Deno.test(
  "walk refuses what is nested deeper than any path can say, and lets go of all",
  inDirectory((path) => {
    let at = open(path);
    for (let depth = 0; depth < 1600; depth++) {
      syscall("mkdirat", at.number, "d", 0o700);
      const next = new Fd(syscall("openat", at.number, "d", O_PATH | O_DIRECTORY, 0));
      at.close();
      at = next;
    }
    at.close();
    using top = open(path);
    const before = [...Deno.readDirSync("/proc/self/fd")].length;
    assert.throws(() => [...walk(top, { mounts: "enter" })].length, /nested deeper than 1500/);
    assert.equal([...Deno.readDirSync("/proc/self/fd")].length, before);
    new Deno.Command("rm", { args: ["-rf", `${path}/d`] }).outputSync();
  }),
);
