/**
 * The part of an ELF file that says how it is started: its machine, its interpreter and the libraries it names.
 *
 * ldd(1) runs the program's own interpreter, so it must never see a file that is not trusted; this only reads.
 *
 * @see elf(5), ld.so(8)
 * @module
 */

/** Why a file is not an ELF file, or not one that can be followed. */
export class ElfError extends Error {
  override name = "ElfError";
}

/** Reads exactly `length` bytes at `offset`, or fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** What elf(5) calls the file header, PT_INTERP and the dynamic section; absent entries are empty. */
export interface Elf {
  /** 32 or 64, from EI_CLASS. */
  bits: 32 | 64;
  littleEndian: boolean;
  /** e_type: 2 is ET_EXEC, 3 is ET_DYN (a library, or a position-independent program). */
  type: number;
  /** e_machine: 62 is x86-64, 183 is aarch64. */
  machine: number;
  /** PT_INTERP, as `/lib64/ld-linux-x86-64.so.2`. */
  interpreter?: string;
  /** DT_NEEDED, in the file's order. */
  needed: string[];
  /** DT_RPATH, split at colons. */
  rpath: string[];
  /** DT_RUNPATH, split at colons. */
  runpath: string[];
  soname?: string;
}

/** e_machine of `Deno.build.arch`; elf(5). */
export const EM_OF_ARCH: Readonly<Record<string, number>> = { x86_64: 62, aarch64: 183 };

const PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3;
const DT_NEEDED = 1, DT_STRTAB = 5, DT_STRSZ = 10, DT_SONAME = 14, DT_RPATH = 15, DT_RUNPATH = 29;
const ET_EXEC = 2, ET_DYN = 3;
/** Far above what linkers write; a hostile header cannot make us read more. */
const SEGMENTS_MAX = 4096, DYNAMIC_MAX = 65_536, STRING_TABLE_MAX_BYTES = 64 << 20;

interface Segment {
  type: number;
  offset: number;
  address: number;
  size: number;
}

/**
 * Reads the headers of an ELF file; elf(5). Equivalent to `readelf -l -d`.
 *
 * @throws {ElfError} when the file is not ELF, is cut short, or points outside itself
 */
export function readElf(readAt: ReadAt): Elf {
  const ident = readAt(0, 64);
  if (ident.length < 52 || ident[0] !== 0x7f || ident[1] !== 69 || ident[2] !== 76) {
    throw new ElfError("not an ELF file");
  }
  const bits = ident[4] === 2 ? 64 : ident[4] === 1 ? 32 : undefined;
  if (bits === undefined || (ident[5] !== 1 && ident[5] !== 2)) {
    throw new ElfError(`unknown ELF class ${ident[4]} or byte order ${ident[5]}`);
  }
  const header = new Fields(ident, bits, ident[5] === 1);
  const elf: Elf = {
    bits,
    littleEndian: header.littleEndian,
    type: header.half(16),
    machine: header.half(18),
    needed: [],
    rpath: [],
    runpath: [],
  };
  const segments = readSegments(readAt, header);
  const interp = segments.find((segment) => segment.type === PT_INTERP);
  if (interp) {
    elf.interpreter = text(exactly(readAt, interp.offset, Math.min(interp.size, 4096)), 0);
  }
  const dynamic = segments.find((segment) => segment.type === PT_DYNAMIC);
  if (dynamic) readDynamic(elf, dynamic, segments, readAt);
  return elf;
}

/** Whether the kernel can start the file with no interpreter and no library. */
export function isStatic(elf: Elf): boolean {
  return (elf.type === ET_EXEC || elf.type === ET_DYN) && elf.interpreter === undefined &&
    elf.needed.length === 0;
}

/**
 * The headers of the ELF file at `path`, or `undefined` when it is something else (a script).
 *
 * @throws {Deno.errors.NotFound} and other errors of open(2)
 */
export function readElfFile(path: string): Elf | undefined {
  using file = Deno.openSync(path);
  if (!file.statSync().isFile) return undefined;
  try {
    return readElf((offset, length) => {
      file.seekSync(offset, Deno.SeekMode.Start);
      return readUpTo(file, length);
    });
  } catch (error) {
    if (error instanceof ElfError) return undefined;
    throw error;
  }
}

function readUpTo(file: Deno.FsFile, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = file.readSync(bytes.subarray(filled));
    if (count === null || count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

function readSegments(readAt: ReadAt, header: Fields): Segment[] {
  const wide = header.bits === 64;
  const offset = header.word(wide ? 32 : 28);
  const size = header.half(wide ? 54 : 42);
  const count = header.half(wide ? 56 : 44);
  if (count === 0) return [];
  if (count > SEGMENTS_MAX || size < (wide ? 56 : 32)) {
    throw new ElfError(`${count} program headers of ${size} bytes`);
  }
  const table = exactly(readAt, offset, count * size);
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const entry = new Fields(
      table.subarray(i * size, (i + 1) * size),
      header.bits,
      header.littleEndian,
    );
    segments.push({
      type: entry.int(0),
      offset: entry.word(wide ? 8 : 4),
      address: entry.word(wide ? 16 : 8),
      size: entry.word(wide ? 32 : 16), // p_filesz
    });
  }
  return segments;
}

function readDynamic(elf: Elf, dynamic: Segment, segments: Segment[], readAt: ReadAt): void {
  const entrySize = elf.bits / 4; // Two words.
  const count = Math.floor(dynamic.size / entrySize);
  if (count > DYNAMIC_MAX) throw new ElfError(`${count} dynamic entries`);
  const table = new Fields(
    exactly(readAt, dynamic.offset, count * entrySize),
    elf.bits,
    elf.littleEndian,
  );
  const entries: [tag: number, value: number][] = [];
  for (let i = 0; i < count; i++) {
    const tag = table.word(i * entrySize);
    if (tag === 0) break; // DT_NULL
    entries.push([tag, table.word(i * entrySize + entrySize / 2)]);
  }
  const strings = readStrings(entries, segments, readAt);
  for (const [tag, value] of entries) {
    if (tag === DT_NEEDED) elf.needed.push(text(strings, value));
    else if (tag === DT_SONAME) elf.soname = text(strings, value);
    else if (tag === DT_RPATH) elf.rpath.push(...text(strings, value).split(":"));
    else if (tag === DT_RUNPATH) elf.runpath.push(...text(strings, value).split(":"));
  }
}

/** DT_STRTAB is an address in memory: the PT_LOAD that holds it tells where it is in the file. */
function readStrings(
  entries: [tag: number, value: number][],
  segments: Segment[],
  readAt: ReadAt,
): Uint8Array {
  const address = entries.find(([tag]) => tag === DT_STRTAB)?.[1];
  const size = entries.find(([tag]) => tag === DT_STRSZ)?.[1];
  if (address === undefined || size === undefined) return new Uint8Array(0);
  if (size > STRING_TABLE_MAX_BYTES) throw new ElfError(`a string table of ${size} bytes`);
  const load = segments.find((segment) =>
    segment.type === PT_LOAD && address >= segment.address &&
    address + size <= segment.address + segment.size
  );
  if (!load) throw new ElfError("a string table outside the file");
  return exactly(readAt, address - load.address + load.offset, size);
}

function exactly(readAt: ReadAt, offset: number, length: number): Uint8Array {
  const bytes = Number.isSafeInteger(offset + length) ? readAt(offset, length) : undefined;
  if (bytes?.length !== length) throw new ElfError(`cut short: ${length} bytes at ${offset}`);
  return bytes;
}

/** The string that starts at `offset`, up to its NUL. */
function text(bytes: Uint8Array, offset: number): string {
  if (offset >= bytes.length) throw new ElfError(`a string at ${offset}, outside its table`);
  const end = bytes.indexOf(0, offset);
  return new TextDecoder().decode(bytes.subarray(offset, end === -1 ? bytes.length : end));
}

/** Numbers of one ELF structure, in the file's byte order; names as in elf(5). */
class Fields {
  readonly #view: DataView;

  constructor(bytes: Uint8Array, readonly bits: 32 | 64, readonly littleEndian: boolean) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  half(offset: number): number {
    return this.#view.getUint16(offset, this.littleEndian);
  }

  int(offset: number): number {
    return this.#view.getUint32(offset, this.littleEndian);
  }

  /** An address or offset: 4 bytes or 8; those beyond 2^53 are refused later, when they are read. */
  word(offset: number): number {
    if (this.bits === 32) return this.int(offset);
    return Number(this.#view.getBigUint64(offset, this.littleEndian));
  }
}
