import {
  Fd,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  RESOLVE_NO_SYMLINKS,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import {
  cBytes,
  type Found,
  fromText,
  namesIn,
  openIn,
  type Status,
  statusOf,
  walk,
} from "../image/mod.ts";
import type { RootSource } from "../plan/mod.ts";
import { openImage, openPlace } from "./detached_root.ts";

/** What a container has done to a path of its root filesystem: added, changed, deleted. */
export interface Change {
  kind: "A" | "C" | "D";
  /** From the root: "/etc/x"; byte string. */
  path: string;
}

/**
 * What differs from the files that a container began with, by path: its writable layer as overlayfs
 * keeps it. A whiteout, a character device 0:0, stands for what was deleted; of an opaque directory
 * nothing below shows.
 *
 * @param made absolute paths at which the engine itself made places to mount on
 * @see the kernel's overlayfs.rst
 */
export function changesOf(
  root: Extract<RootSource, { kind: "overlay" }>,
  made: readonly string[],
): Change[] {
  using lower = openImage(root);
  using upper = openPlace(root.upper);
  const engines = new Set(made.map(fromText));
  // Overlayfs makes one whiteout and links it wherever it needs one.
  const found: (Change & { doubtful: boolean })[] = [];
  for (const entry of walk(upper, { mounts: "leave", eachName: true })) {
    if (entry.name === "") continue;
    const path = `/${entry.name}`;
    if (isWhiteout(entry)) {
      found.push({ kind: "D", path, doubtful: false });
      continue;
    }
    const before = statusBelow(lower, entry.name);
    if (!before) {
      const isPlace = engines.has(path) && entry.sizeBytes === 0;
      found.push({ kind: "A", path, doubtful: isPlace || isOnTheWay(path, engines) });
      continue;
    }
    const same = entry.type === "directory" && sameOwner(entry, before);
    found.push({ kind: "C", path, doubtful: same });
    if (entry.type === "directory" && isOpaque(upper, entry.name)) {
      found.push(...hidden(upper, lower, entry.name));
    }
  }
  return withoutDoubtful(found);
}

/** A directory that only holds places to mount on, or is one, is not the container's doing. */
function withoutDoubtful(found: readonly (Change & { doubtful: boolean })[]): Change[] {
  const certain = new Set<string>();
  for (const { path, doubtful } of found) {
    if (doubtful) continue;
    for (let at = path; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) certain.add(at);
  }
  return found.filter(({ path }) => certain.has(path)).map(({ kind, path }) => ({ kind, path }))
    .sort((a, b) => a.path < b.path ? -1 : 1);
}

function isOnTheWay(path: string, engines: ReadonlySet<string>): boolean {
  return [...engines].some((place) => place.startsWith(`${path}/`));
}

function isWhiteout({ type, deviceMajor, deviceMinor }: Found): boolean {
  return type === "character-device" && deviceMajor === 0 && deviceMinor === 0;
}

function statusBelow(lower: Fd, name: string): Status | undefined {
  try {
    using fd = openIn(lower, name, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
    return statusOf(fd);
  } catch (error) {
    if (error instanceof SyscallError) return undefined; // ENOENT, ENOTDIR, ELOOP: not there.
    throw error;
  }
}

function sameOwner(entry: Found, { type, mode, uid, gid }: Status): boolean {
  const DIRECTORY = 0x4000;
  return type === DIRECTORY && entry.mode === mode && entry.uid === uid && entry.gid === gid;
}

function isOpaque(upper: Fd, name: string): boolean {
  using fd = openIn(upper, name, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  const value = new Uint8Array(1);
  const length = trySyscall("fgetxattr", fd.number, cBytes("trusted.overlay.opaque"), value, 1);
  return length === 1 && value[0] === "y".charCodeAt(0);
}

/** What lies below an opaque directory and has not been made again. */
function hidden(upper: Fd, lower: Fd, name: string): (Change & { doubtful: boolean })[] {
  const flags = O_RDONLY | O_DIRECTORY;
  using over = openIn(upper, name, flags, RESOLVE_NO_SYMLINKS);
  using under = directoryBelow(lower, name);
  const again = new Set(namesIn(over));
  return (under ? namesIn(under) : []).filter((base) => !again.has(base))
    .map((base) => ({ kind: "D", path: `/${name}/${base}`, doubtful: false }));
}

function directoryBelow(lower: Fd, name: string): Fd | undefined {
  try {
    return openIn(lower, name, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  } catch (error) {
    if (error instanceof SyscallError) return undefined; // It was no directory.
    throw error;
  }
}
