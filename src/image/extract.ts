/**
 * Unpacks a tar file into a directory as a container's root.
 *
 * What an archive says is not trusted: it may name `..`, write through links that it made itself, link to the
 * host's files, ask for devices, or for more than the disk holds. tree.ts keeps it inside; this file decides
 * what is unpacked at all.
 *
 * @module
 */
import { type Fd, S_IFBLK, S_IFCHR, SyscallError } from "../../ffi/mod.ts";
import { shown } from "./bytes.ts";
import { readTar, type TarEntry, type TarLimits } from "./tar_read.ts";
import { components, TarError } from "./tar_entry.ts";
import { type Attributes, Tree, type TreeOptions } from "./tree.ts";
import { writeEntry } from "./write_entry.ts";
import { isPortableXattr } from "./xattr.ts";

/** What may be unpacked, and how much of it. */
export interface ExtractOptions extends Partial<TarLimits> {
  /** Makes device nodes too; without it they are left out, since the runtime makes its own /dev. */
  devices?: boolean;
  /** How the directory may be written to; without it, it must be empty and nobody else's. */
  tree?: TreeOptions;
  /** Whether the directory itself keeps its owner and permissions. */
  keepTop?: boolean;
  /** The owner of what is unpacked; without it, the archive's. */
  ownerOf?(entry: TarEntry): Pick<Attributes, "uid" | "gid">;
  /** Called with the bytes of content written so far, after each entry. */
  onProgress?: (writtenBytes: number) => void;
}

/** What became of an archive. */
export interface Extracted {
  entries: number;
  /** Bytes of file content. */
  contentBytes: number;
  /** Names of device nodes that were left out. */
  skippedDevices: number;
}

/** 64 GiB and two million entries: above any root filesystem, below what fills a machine. */
export const EXTRACT_LIMITS: TarLimits = { limitBytes: 64 * 2 ** 30, limitEntries: 2_000_000 };

/**
 * Unpacks an uncompressed tar stream into a directory.
 *
 * @param place its path or descriptor; nobody else may be able to write there, see `tree`
 * @throws {TarError} naming the entry that was refused, or how the file is damaged
 */
export async function extractTar(
  stream: ReadableStream<Uint8Array>,
  place: string | Fd,
  options: ExtractOptions = {},
): Promise<Extracted> {
  using tree = new Tree(place, options.tree);
  const result: Extracted = { entries: 0, contentBytes: 0, skippedDevices: 0 };
  const directories = new Map<string, [parts: string[], last: Finish]>();
  for await (const entry of readTar(stream, { ...EXTRACT_LIMITS, ...options })) {
    try {
      const parts = components(entry.name);
      if (options.keepTop && parts.length === 0 && entry.type === "directory") {
        result.entries++;
        continue;
      }
      if (!await write(tree, entry, parts, options)) result.skippedDevices++;
      if (entry.type === "directory") {
        const { mode, mtimeSeconds } = entry;
        directories.set(parts.join("/"), [parts, { mode, mtimeSeconds }]);
      }
    } catch (error) {
      throw explain(entry, error);
    }
    result.entries++;
    result.contentBytes += entry.sizeBytes;
    options.onProgress?.(result.contentBytes);
  }
  if (result.entries === 0) throw new TarError("an archive without entries");
  const deepestFirst = [...directories.values()].sort(([a], [b]) => b.length - a.length);
  for (const [parts, last] of deepestFirst) tree.finishDirectory(parts, last);
  return result;
}

/** What a directory gets at the end; see `Tree.finishDirectory`. */
type Finish = Pick<Attributes, "mode" | "mtimeSeconds">;

/** @returns false when the entry was left out */
async function write(
  tree: Tree,
  entry: TarEntry,
  parts: string[],
  options: ExtractOptions,
): Promise<boolean> {
  const attributes: Attributes = {
    ...entry,
    ...options.ownerOf?.(entry),
    xattrs: new Map([...entry.xattrs].filter(([name]) => isPortableXattr(name))),
  };
  if (parts.length === 0 && entry.type !== "directory") {
    throw new TarError("the root itself is no directory");
  }
  if (entry.type === "symlink" && entry.linkName === "") throw new TarError("a link to nothing");
  const linkedParts = () => components(entry.linkName);
  return await writeEntry(tree, { entry, parts, attributes, linkedParts }) ||
    device(tree, entry, parts, attributes, options);
}

/** A character device 0:0 is overlayfs's whiteout: in a lower directory it would hide things, so never. */
function device(
  tree: Tree,
  entry: TarEntry,
  parts: string[],
  attributes: Attributes,
  options: ExtractOptions,
): boolean {
  const { deviceMajor, deviceMinor } = entry;
  if (!options.devices || (deviceMajor === 0 && deviceMinor === 0)) return false;
  const type = entry.type === "block-device" ? S_IFBLK : S_IFCHR;
  tree.node(parts, attributes, type, [deviceMajor, deviceMinor]);
  return true;
}

function explain(entry: TarEntry, cause: unknown): unknown {
  if (!(cause instanceof TarError || cause instanceof SyscallError)) return cause;
  const link = entry.type === "hardlink" || entry.type === "symlink";
  const to = link ? ` to ${shown(entry.linkName)}` : "";
  return new TarError(`cannot unpack ${entry.type} ${shown(entry.name)}${to}: ${cause.message}`, {
    cause,
  });
}
