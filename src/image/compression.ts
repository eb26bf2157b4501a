/**
 * Finds out how a stream is compressed and undoes it: gzip, zstd, xz or nothing.
 *
 * The code for each is loaded when it is met. Programs of the host are not called: which `xz` that were, PATH
 * would decide (CVE-2026-41567).
 *
 * @module
 */

/** A compressed stream that is damaged, or of a kind that cannot be read. */
export class CompressionError extends Error {
  override name = "CompressionError";
}

/** A kind of compression; `none` is what no magic number matches. */
export type Compression = "gzip" | "zstd" | "xz" | "bzip2" | "none";

const MAGIC: [Compression, number[]][] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];
const MAGIC_MAX_BYTES = 6;

/** How a file that begins with these bytes is compressed; RFC 1952, RFC 8878, the .xz file format. */
export function compressionOf(start: Uint8Array): Compression {
  // A skippable frame, 0x184D2A50 to 0x184D2A5F, may stand before the first of zstd's.
  if ((start[0] ?? 0) >> 4 === 5 && start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18) {
    return "zstd";
  }
  return MAGIC.find(([, magic]) => magic.every((byte, i) => start[i] === byte))?.[0] ?? "none";
}

/**
 * The stream's content, whatever of the known kinds it is.
 *
 * @throws {CompressionError} at once when the kind cannot be read, while reading when the data are damaged
 */
export async function decompressed(
  stream: ReadableStream<Uint8Array>,
): Promise<ReadableStream<Uint8Array>> {
  const { start, whole } = await peek(stream);
  const kind = compressionOf(start);
  if (kind === "none") return whole;
  if (kind === "bzip2") {
    throw new CompressionError(
      "bzip2 is not supported: unpack it, or compress it with gzip or zstd",
    );
  }
  return named(kind, await DECODERS[kind](whole));
}

const DECODERS: Record<"gzip" | "zstd" | "xz", (from: Bytes) => Promise<Bytes>> = {
  // DecompressionStream stops at the end of the first member; pigz and eStargz write many.
  async gzip(from) {
    const [{ createGunzip }, { Readable }] = await Promise.all([
      import("node:zlib"),
      import("node:stream"),
    ]);
    const gunzip = createGunzip();
    const input = Readable.from(from);
    input.on("error", (error) => gunzip.destroy(error));
    return ReadableStream.from(input.pipe(gunzip));
  },
  // node:zlib's in Deno 2.9 stops at the end of the first frame and takes a cut file for a whole one.
  async zstd(from) {
    const { Decompress } = await unpacker("zstd", import("fzstd"));
    let out: TransformStreamDefaultController<Uint8Array> | undefined;
    const decoder = new Decompress((piece) => out?.enqueue(piece.slice()));
    return from.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          out = controller;
          decoder.push(piece);
        },
        flush(controller) {
          out = controller;
          decoder.push(new Uint8Array(0), true);
        },
      }),
    );
  },
  async xz(from) {
    const { default: { XzReadableStream } } = await unpacker("xz", import("xz-decompress"));
    return new XzReadableStream(from);
  },
};

type Bytes = ReadableStream<Uint8Array>;

/** A package that is loaded when it is called for. Nothing is downloaded unasked. */
async function unpacker<T>(format: string, loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (cause) {
    const message = `cannot unpack ${format}: its package is not in Deno's cache: ` +
      "`deno task fetch` in the checkout downloads it";
    throw new CompressionError(message, { cause });
  }
}

/** The first bytes, and a stream that still has them. */
async function peek(stream: Bytes): Promise<{ start: Uint8Array; whole: Bytes }> {
  const reader = stream.getReader();
  let start = new Uint8Array(0);
  while (start.length < MAGIC_MAX_BYTES) {
    const { done, value } = await reader.read();
    if (done) break;
    const longer = new Uint8Array(start.length + value.length);
    longer.set(start);
    longer.set(value, start.length);
    start = longer;
  }
  const whole = new ReadableStream<Uint8Array>({
    start(controller) {
      if (start.length > 0) controller.enqueue(start);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { start, whole };
}

/** The same stream, its errors saying what they were met in. */
function named(kind: Compression, stream: Bytes): Bytes {
  const reader = stream.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        controller.error(new CompressionError(`damaged ${kind} data: ${reason}`, { cause }));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
