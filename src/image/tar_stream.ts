import type { TarHeader } from "./tar_entry.ts";
import { TAR_END, tarHeader, tarPadding } from "./tar_write.ts";
import type { Found } from "./walk.ts";

/** How a tree becomes an archive. */
export interface TarStreamOptions {
  /** What an entry is called in the archive; also where hard links lead. Byte strings. */
  nameOf(name: string): string;
  /** Changes a header before it is written. */
  header?(header: TarHeader): TarHeader;
  /** Told of a file that has become shorter while it was read: zeros stand for the rest. */
  onCut?(name: string): void;
}

/** The bytes of an archive of what `walk` finds. */
export function* tarStream(
  found: Iterable<Found>,
  { nameOf, header = (same) => same, onCut }: TarStreamOptions,
): Generator<Uint8Array<ArrayBuffer>> {
  for (const { body, ...entry } of found) {
    const slash = entry.type === "directory" ? "/" : "";
    const linkName = entry.type === "hardlink" ? nameOf(entry.linkName) : entry.linkName;
    yield tarHeader(header({ ...entry, name: nameOf(entry.name) + slash, linkName }));
    let left = entry.sizeBytes;
    for (const piece of body) {
      left -= piece.length;
      yield piece;
    }
    if (left > 0) onCut?.(entry.name);
    for (; left > 0; left -= Math.min(left, ZEROS.length)) {
      yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
    }
    yield tarPadding(entry.sizeBytes);
  }
  yield TAR_END;
}

const ZEROS = new Uint8Array(65_536);
