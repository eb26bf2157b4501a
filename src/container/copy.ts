/**
 * Copies between the host and a container's files, which its processes may be changing meanwhile.
 *
 * On the container's side nothing is opened by a string alone: paths resolve inside its root
 * (openat2(2), RESOLVE_IN_ROOT), trees are read and written by descriptors, and what the kernel
 * mounts for itself is left alone. CVE-2018-15664, CVE-2019-14271.
 *
 * @module
 */
import {
  AT_FDCWD,
  Fd,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  S_IFDIR,
  S_IFLNK,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import {
  type Attributes,
  cBytes,
  components,
  fromText,
  isOfTheKernel,
  openIn,
  readLink,
  shown,
  statusOf,
  TarError,
  type TarHeader,
  Tree,
  walk,
  writeEntry,
} from "../image/mod.ts";
import {
  baseOf,
  claimsDirectory,
  CopyError,
  type CopyTarget,
  parentOf,
  type Place,
} from "./copy_path.ts";

/** What becomes of owners, permissions and attributes on the way. */
export type Dress = (entry: TarHeader) => Pick<Attributes, "uid" | "gid" | "mode" | "xattrs">;

/** What was copied. */
export interface Copied {
  entries: number;
  contentBytes: number;
  /** Devices and sockets. */
  leftOut: number;
}

const ENOENT = 2, ENOTDIR = 20, ELOOP = 40;
const LINKS_MAX = 40; // As the kernel; path_resolution(7).

/** A side of a copy: the host, whose paths are opened as they are, or a container's root. */
export type Side = { kind: "host" } | { kind: "container"; root: Fd };

/**
 * Opens what is to be copied.
 *
 * @param follow whether a link at its end is followed
 * @throws {CopyError} where it is not there, or is no file of the container's
 */
export function openSource(side: Side, path: string, follow: boolean): Fd {
  const how = O_PATH | (follow || claimsDirectory(path) ? 0 : O_NOFOLLOW);
  const fd = attempt(path, () => openOn(side, path, how));
  if (!fd) throw new CopyError(`"${path}" does not exist`);
  if (side.kind === "container" && isOfTheKernel(fd)) {
    fd.close();
    throw new CopyError(
      `"${path}" is in a filesystem of the kernel's own, which holds no files: use "minictr exec"`,
    );
  }
  return fd;
}

/** Whether a descriptor leads to a directory. */
export function isDirectory(fd: Fd): boolean {
  return statusOf(fd).type === S_IFDIR;
}

/** What is at the place that is copied to; links are followed. */
export function targetAt(side: Side, path: string): CopyTarget {
  using fd = attempt(path, () => openOn(side, path.replace(/(?<=.)\/+$/, ""), O_PATH));
  return { path, kind: !fd ? "missing" : isDirectory(fd) ? "directory" : "other" };
}

/**
 * Opens the directory that is written to.
 *
 * @returns also the name in it of what is copied; undefined for a content
 */
export function openTarget(
  side: Side,
  { path }: CopyTarget,
  place: Place,
): { directory: Fd; name: string | undefined } {
  if (place.in === "target") {
    return { directory: needed(side, path), name: place.name };
  }
  const end = finalName(side, path);
  return { directory: needed(side, parentOf(end)), name: baseOf(end) };
}

/** The path without the links at its end: what is there is replaced, not they. */
function finalName(side: Side, path: string): string {
  let at = path.replace(/(\/\.?)+$/, "");
  for (let links = 0; links < LINKS_MAX; links++) {
    using fd = attempt(at, () => openOn(side, at, O_PATH | O_NOFOLLOW));
    if (!fd || statusOf(fd).type !== S_IFLNK) return at;
    const target = new TextDecoder().decode(cBytes(readLink(fd)).subarray(0, -1));
    at = target.startsWith("/") ? target : `${parentOf(at)}/${target}`;
  }
  throw new CopyError(`"${path}" is a link that leads in a circle`);
}

function needed(side: Side, path: string): Fd {
  const fd = attempt(path, () => openOn(side, path, O_PATH | O_DIRECTORY));
  if (fd) return fd;
  throw new CopyError(`the directory "${path}" does not exist`);
}

function openOn(side: Side, path: string, flags: number): Fd {
  if (side.kind === "container") return openIn(side.root, fromText(path), flags);
  const fd = trySyscall("openat", AT_FDCWD, path, flags | O_CLOEXEC, 0);
  if (fd < 0) throw new SyscallError("openat", -fd);
  return new Fd(fd);
}

/** undefined for a path that is not there. */
function attempt(path: string, open: () => Fd): Fd | undefined {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.errno === ENOENT) return undefined;
    const why: Record<number, string> = {
      [ENOTDIR]: "it is not a directory",
      [ELOOP]: "its links lead in a circle",
    };
    throw new CopyError(`cannot open "${path}": ${why[error.errno] ?? error.message}`, {
      cause: error,
    });
  }
}

/**
 * Copies a tree that lies below one descriptor into a directory that another leads to.
 *
 * @param name under which; undefined: the source's content, into the directory as it is
 * @throws {CopyError} naming the entry that could not be copied
 */
export async function copyTree(
  source: Fd,
  { directory, name }: { directory: Fd; name: string | undefined },
  dress: Dress,
): Promise<Copied> {
  using tree = new Tree(directory, { crossMounts: true, keepKinds: true });
  const copied: Copied = { entries: 0, contentBytes: 0, leftOut: 0 };
  const prefix = name === undefined ? [] : [fromText(name)];
  const finish: (() => void)[] = [];
  const onLeftOut = () => copied.leftOut++;
  for (const entry of walk(source, { mounts: "enter", onLeftOut })) {
    const parts = [...prefix, ...components(entry.name)];
    if (parts.length === 0) continue; // The directory that is copied into stays as it is.
    try {
      const attributes = { ...dress(entry), mtimeSeconds: entry.mtimeSeconds };
      const linkedParts = () => [...prefix, ...components(entry.linkName)];
      if (!await writeEntry(tree, { entry, parts, attributes, linkedParts })) {
        copied.leftOut++; // A device, which nobody has allowed the other side.
        continue;
      }
    } catch (cause) {
      if (!(cause instanceof TarError || cause instanceof SyscallError)) throw cause;
      throw new CopyError(`cannot copy ${shown(parts.join("/"))}: ${cause.message}`, { cause });
    }
    if (entry.type === "directory") {
      const { mode } = dress(entry);
      finish.push(() => tree.finishDirectory(parts, { mode, mtimeSeconds: entry.mtimeSeconds }));
    }
    copied.entries++;
    copied.contentBytes += entry.sizeBytes;
  }
  for (const act of finish.reverse()) act();
  return copied;
}
