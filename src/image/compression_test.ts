import assert from "assert";
import { type Compression, CompressionError, compressionOf, decompressed } from "./compression.ts";

const TEXT = "a root filesystem ".repeat(20_000);

/** The tool that is the judge, with its arguments to write to standard output. */
const TOOLS: [Compression, string[]][] = [
  ["gzip", ["gzip", "-c"]],
  ["zstd", ["zstd", "-qc"]],
  ["xz", ["xz", "-c"]],
  ["none", ["cat"]],
];

for (const [kind, [program = "", ...args]] of TOOLS) {
  const missing = !installed(program);
  const because = missing ? ` (skipped: no command ${program})` : "";
  Deno.test({
    name:
      `decompressed() undoes what ${program} did, of several parts and in small pieces${because}`,
    ignore: missing,
    async fn() {
      const one = await compress(program, args);
      assert.equal(compressionOf(one), kind);
      const two = new Uint8Array([...one, ...one]);
      assert.equal(await text(two, 777), TEXT + TEXT);
      assert.equal(await text(one, 97), TEXT);
    },
  });
  if (kind === "none") continue;
  Deno.test({
    name: `decompressed() refuses ${kind} data that are cut short or changed${because}`,
    ignore: missing,
    async fn() {
      const whole = await compress(program, args);
      await assert.rejects(text(whole.subarray(0, whole.length - 5), 777), CompressionError);
      const changed = whole.slice();
      changed.fill(0xff, 8, 20); // Behind the magic number of each.
      await assert.rejects(text(changed, 777), CompressionError);
    },
  });
}

Deno.test("decompressed() passes a short or empty stream through, and names bzip2 as unknown", async () => {
  assert.equal(await text(new Uint8Array(0), 10), "");
  assert.equal(await text(new TextEncoder().encode("abc"), 10), "abc");
  await assert.rejects(text(new TextEncoder().encode("BZh91AY&SY"), 10), /bzip2/);
});

Deno.test("compressionOf() knows zstd's skippable frame", () => {
  assert.equal(compressionOf(new Uint8Array([0x5e, 0x2a, 0x4d, 0x18, 4, 0, 0, 0])), "zstd");
});

async function text(bytes: Uint8Array, size: number): Promise<string> {
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at += size));
    },
  });
  let out = "";
  const decoder = new TextDecoder();
  for await (const piece of await decompressed(stream)) {
    out += decoder.decode(piece, { stream: true });
  }
  return out;
}

async function compress(program: string, args: string[]): Promise<Uint8Array> {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(TEXT)).then(() => writer.close());
  const { stdout } = await child.output();
  await written;
  return stdout;
}

function installed(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch {
    return false;
  }
}
