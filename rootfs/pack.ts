/**
 * Packs a root filesystem into one tar.gz with a digest, so that it can be shipped and unpacked by the recipe `tar`.
 *
 * The same tree gives the same bytes: entries are sorted, times can be capped, and nothing of the machine is in it.
 *
 * @module
 */
import {
  fromText,
  Sha256,
  TAR_END,
  type TarHeader,
  tarHeader,
  tarPadding,
  watched,
  xattrsOf,
} from "../src/image/mod.ts";
import { type OnProgress, RecipeError } from "./recipe.ts";

/** How `packTree` packs. */
export interface PackOptions {
  /** No file is dated later, in seconds since 1970, as SOURCE_DATE_EPOCH asks for. */
  latestSeconds?: number;
  /** All belongs to root, whoever packs. */
  rootOwns?: boolean;
  onProgress?: OnProgress;
}

/** A packed root filesystem. */
export interface Packed {
  /** Bytes of the file. */
  sizeBytes: number;
  /** sha256 of the file in hex: what `rootfs build tar --sha256` wants. */
  sha256: string;
}

/**
 * Writes the tree below `directory` to the file `archive`.
 *
 * @throws {RecipeError} when something in it has no place in an archive
 */
export async function packTree(
  directory: string,
  archive: string,
  options: PackOptions = {},
): Promise<Packed> {
  const hash = await Sha256.create();
  let sizeBytes = 0;
  const blocks = ReadableStream.from(treeBlocks(directory, options))
    .pipeThrough(new CompressionStream("gzip"));
  const { stream } = watched(blocks, (piece, readBytes) => {
    hash.update(piece);
    sizeBytes = readBytes;
  });
  await Deno.writeFile(archive, stream);
  return { sizeBytes, sha256: hash.hex() };
}

async function* treeBlocks(
  directory: string,
  { latestSeconds = Infinity, rootOwns = false, onProgress }: PackOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const firstNames = new Map<string, string>();
  for (const path of walk(directory, "")) {
    onProgress?.({ step: `pack ${path}` });
    const found = describe(directory, path, firstNames);
    const { sizeBytes } = found;
    const mtimeSeconds = Math.min(found.mtimeSeconds, latestSeconds);
    yield tarHeader({ ...found, mtimeSeconds, ...(rootOwns ? { uid: 0, gid: 0 } : {}) });
    if (sizeBytes > 0) yield* content(`${directory}/${path}`, sizeBytes);
    yield tarPadding(sizeBytes);
  }
  yield TAR_END;
}

/** The paths below a directory, parents first, sorted by name; "" is the directory itself. */
function* walk(directory: string, path: string): Generator<string> {
  yield path;
  const entries = [...Deno.readDirSync(`${directory}/${path}`)];
  for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const inner = path === "" ? name : `${path}/${name}`;
    if (isDirectory) yield* walk(directory, inner);
    else yield inner;
  }
}

function describe(directory: string, path: string, firstNames: Map<string, string>): TarHeader {
  const full = `${directory}/${path}`;
  const stat = Deno.lstatSync(full);
  const header: TarHeader = {
    name: fromText(`./${path}${stat.isDirectory && path !== "" ? "/" : ""}`),
    type: "file",
    mode: (stat.mode ?? 0) & 0o7777,
    uid: stat.uid ?? 0,
    gid: stat.gid ?? 0,
    sizeBytes: 0,
    mtimeSeconds: Math.floor((stat.mtime?.getTime() ?? 0) / 1000),
    linkName: "",
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
  };
  if (stat.isDirectory) return { ...header, type: "directory" };
  if (stat.isSymlink) {
    return { ...header, type: "symlink", linkName: fromText(Deno.readLinkSync(full)) };
  }
  if (stat.isFifo) return { ...header, type: "fifo" };
  if (!stat.isFile) throw new RecipeError(`cannot pack "${path}": it is a device or a socket`);
  const identity = `${stat.dev}:${stat.ino}`;
  const first = firstNames.get(identity);
  if (first !== undefined) return { ...header, type: "hardlink", linkName: fromText(`./${first}`) };
  firstNames.set(identity, path);
  return { ...header, sizeBytes: stat.size, xattrs: xattrsOf(full) };
}

/** A file's first `sizeBytes` bytes: the header has already promised as many. */
async function* content(path: string, sizeBytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let left = sizeBytes;
  using file = await Deno.open(path);
  while (left > 0) {
    const piece = new Uint8Array(Math.min(left, 65_536));
    const count = await file.read(piece);
    if (count === null) throw new RecipeError(`cannot pack "${path}": it has become shorter`);
    left -= count;
    yield piece.subarray(0, count);
  }
}
