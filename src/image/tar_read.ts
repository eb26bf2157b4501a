/**
 * Reads tar files: ustar, GNU and pax.
 *
 * Own code, because extended attributes (a file's capabilities) are bytes, which the parsers on npm turn into
 * text, and because device numbers, unknown types and the size of extension headers must be seen.
 *
 * @see tar(5), pax(1)
 * @module
 */
import { byteString, shown } from "./bytes.ts";
import { Source } from "./tar_source.ts";
import { PAX_XATTR, TarError, type TarHeader, TYPE_OF_FLAG } from "./tar_entry.ts";

const BLOCK = 512; // Bytes.
/** An extension header (a long name, xattrs) beyond this is an attack, not a name. */
const EXTENSION_MAX_BYTES = 1 << 20;
const EXTENSIONS_IN_A_ROW_MAX = 8;

/** What a reader accepts at most. */
export interface TarLimits {
  /** Bytes of the tar file when decompressed, headers too. */
  limitBytes: number;
  limitEntries: number;
}

/** One entry; `body` must be read, or left, before the next one is asked for. */
export interface TarEntry extends TarHeader {
  /** The content in pieces, each valid until the next is asked for. */
  body: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/**
 * The entries of a tar file in its order.
 *
 * @throws {TarError} when it is damaged, cut short, or beyond the limits
 */
export async function* readTar(
  stream: ReadableStream<Uint8Array>,
  limits: TarLimits,
): AsyncGenerator<TarEntry> {
  const source = new Source(stream, limits.limitBytes);
  try {
    const globals: Records = new Map();
    for (let entries = 0;; entries++) {
      const header = await nextHeader(source, globals);
      if (!header) break;
      if (entries >= limits.limitEntries) {
        throw new TarError(`more than ${limits.limitEntries} entries`);
      }
      const body = new Body(source, header.sizeBytes);
      yield { ...header, body };
      await body.skip();
    }
    await source.drain(); // What follows the end still has to decompress, and counts.
  } finally {
    await source.cancel();
  }
}

type Records = Map<string, Uint8Array<ArrayBuffer>>;

/** Reads extension headers until the header that they belong to; `undefined` at the end of the file. */
async function nextHeader(source: Source, globals: Records): Promise<TarHeader | undefined> {
  const own: Records = new Map();
  for (let extensions = 0; extensions <= EXTENSIONS_IN_A_ROW_MAX; extensions++) {
    const block = await source.exactly(BLOCK, extensions === 0);
    if (!block || block.every((byte) => byte === 0)) {
      if (extensions > 0) throw new TarError("cut short after an extension header");
      return undefined;
    }
    checkSum(block);
    const flag = String.fromCharCode(block[156] ?? 0);
    if (flag === "x") addRecords(own, await extension(source, block), true);
    else if (flag === "g") addRecords(globals, await extension(source, block), false);
    else if (flag === "L") own.set("path", untilNul(await extension(source, block)));
    else if (flag === "K") own.set("linkpath", untilNul(await extension(source, block)));
    else if (flag === "V") await extension(source, block); // A volume's label.
    else return finish(block, flag, new Map([...globals, ...own]));
  }
  throw new TarError(`more than ${EXTENSIONS_IN_A_ROW_MAX} extension headers in a row`);
}

async function extension(source: Source, block: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const size = number(block, 124, 12);
  if (size > EXTENSION_MAX_BYTES) {
    throw new TarError(`an extension header of ${size} bytes (limit ${EXTENSION_MAX_BYTES})`);
  }
  const bytes = await source.exactly(size + padding(size));
  return bytes.slice(0, size);
}

/** The records `LENGTH KEY=VALUE\n` of a pax header. A global one never names a single file. */
function addRecords(into: Records, bytes: Uint8Array<ArrayBuffer>, single: boolean): void {
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const digits = space > at && space - at < 8 ? byteString(bytes.subarray(at, space)) : "";
    const length = /^\d+$/.test(digits) ? Number(digits) : 0;
    const equals = bytes.indexOf(0x3d, space);
    const end = at + length;
    if (
      length === 0 || end > bytes.length || equals < 0 || equals >= end || bytes[end - 1] !== 10
    ) {
      throw new TarError("a pax header that is damaged");
    }
    const key = byteString(bytes.subarray(space + 1, equals));
    if (key.startsWith("GNU.sparse.")) throw new TarError("sparse files are not supported");
    if (single || !["path", "linkpath", "size"].includes(key)) {
      into.set(key, bytes.slice(equals + 1, end - 1));
    }
    at = end;
  }
}

function finish(block: Uint8Array, flag: string, records: Records): TarHeader {
  let type = TYPE_OF_FLAG[flag];
  if (!type) throw new TarError(`an entry of type ${JSON.stringify(flag)}, which is not supported`);
  const ustar = byteString(block.subarray(257, 262)) === "ustar";
  const posix = ustar && block[262] === 0;
  const prefix = posix ? field(block, 345, 155) : "";
  const base = field(block, 0, 100);
  const name = textRecord(records, "path") ?? (prefix === "" ? base : `${prefix}/${base}`);
  if (type === "file" && flag !== "7" && name.endsWith("/")) type = "directory"; // Before POSIX.
  const sizeBytes = numberRecord(records, "size") ?? number(block, 124, 12);
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw new TarError(`${shown(name)} has a size of ${sizeBytes} bytes`);
  }
  const device = ustar && type.endsWith("-device");
  return {
    name,
    type,
    mode: number(block, 100, 8) & 0o7777,
    uid: id(numberRecord(records, "uid") ?? number(block, 108, 8), name),
    gid: id(numberRecord(records, "gid") ?? number(block, 116, 8), name),
    // As Go's reader has it: only files have content, whatever the header says.
    sizeBytes: type === "file" ? sizeBytes : 0,
    mtimeSeconds: numberRecord(records, "mtime") ?? number(block, 136, 12),
    linkName: textRecord(records, "linkpath") ?? field(block, 157, 100),
    deviceMajor: device ? number(block, 329, 8) : 0,
    deviceMinor: device ? number(block, 337, 8) : 0,
    xattrs: new Map(
      [...records].filter(([key]) => key.startsWith(PAX_XATTR))
        .map(([key, value]) => [key.slice(PAX_XATTR.length), value]),
    ),
  };
}

function textRecord(records: Records, key: string): string | undefined {
  const value = records.get(key);
  if (!value || value.length === 0) return undefined; // An empty value takes the record back; pax(1).
  if (value.includes(0)) throw new TarError(`a pax ${key} with a NUL inside`);
  return byteString(value);
}

function numberRecord(records: Records, key: string): number | undefined {
  const text = textRecord(records, key);
  if (text === undefined) return undefined;
  if (!/^-?\d+(\.\d*)?$/.test(text)) throw new TarError(`pax ${key} ${shown(text)} is no number`);
  return Number(text);
}

/** User and group numbers are 32 bits; the last, (uid_t)-1, means "leave it" to chown(2). */
function id(value: number, name: string): number {
  if (!Number.isInteger(value) || value < 0 || value >= 0xffff_ffff) {
    throw new TarError(`${shown(name)} has the owner ${value}`);
  }
  return value;
}

function field(block: Uint8Array, offset: number, length: number): string {
  return byteString(untilNul(block.slice(offset, offset + length)));
}

function untilNul(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.slice(0, end);
}

/** Octal digits, or GNU's base 256 when the first bit is set. */
function number(block: Uint8Array, offset: number, length: number): number {
  const first = block[offset] ?? 0;
  if (first & 0x80) {
    let value = first & 0x40 ? -1 : first & 0x3f; // Two's complement.
    for (const byte of block.subarray(offset + 1, offset + length)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new TarError("a number that is too large");
    return value;
  }
  const digits = field(block, offset, length).trim();
  if (digits === "") return 0;
  if (!/^[0-7]+$/.test(digits)) throw new TarError(`${shown(digits)} where a number should be`);
  return parseInt(digits, 8);
}

/** The sum of a header's bytes, its own field taken as spaces; some old writers summed signed bytes. */
function checkSum(block: Uint8Array): void {
  let unsigned = 0, signed = 0;
  block.forEach((byte, i) => {
    const value = i >= 148 && i < 156 ? 0x20 : byte;
    unsigned += value;
    signed += value > 127 ? value - 256 : value;
  });
  const digits = field(block, 148, 8).trim();
  const stored = /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : undefined;
  if (stored !== unsigned && stored !== signed) {
    throw new TarError("not a tar file, or damaged: a header's checksum is wrong");
  }
}

function padding(size: number): number {
  return (BLOCK - size % BLOCK) % BLOCK;
}

/** An entry's content; what is left of it is skipped before the next header. */
class Body implements AsyncIterable<Uint8Array<ArrayBuffer>> {
  #left: number;
  readonly #padding: number;
  #source: Source;

  constructor(source: Source, size: number) {
    this.#source = source;
    this.#left = size;
    this.#padding = padding(size);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    while (this.#left > 0) {
      const piece = await this.#source.upTo(this.#left);
      this.#left -= piece.length;
      yield piece;
    }
  }

  async skip(): Promise<void> {
    for await (const _ of this);
    await this.#source.exactly(this.#padding);
  }
}
