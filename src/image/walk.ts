/**
 * Reads a tree that somebody else may be changing, without ever leaving it.
 *
 * Nothing is opened by a path: each name is opened in its directory's descriptor without following a
 * link, and only what this descriptor leads to is judged and read. So a file that becomes a link, a
 * FIFO or a device meanwhile is read as what it was when it was judged.
 *
 * @see openat(2), getdents64(2), proc_pid_fd(5); CVE-2018-15664
 * @module
 */
import {
  AT_FDCWD,
  Fd,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  S_IFSOCK,
  syscall,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import { byteString, cBytes } from "./bytes.ts";
import { isOfTheKernel, type Status, statusOf } from "./status.ts";
import { TarError, type TarHeader, type TarType } from "./tar_entry.ts";
import { xattrsOf } from "./xattr.ts";

/** Something in a tree. */
export interface Found extends TarHeader {
  /** From the top: `a/b`; "" is the top itself. Byte string, as the target of a hard link. */
  name: string;
  /** A file's content, `sizeBytes` at most: it may be cut meanwhile. To be read before the next is asked for. */
  body: Iterable<Uint8Array<ArrayBuffer>>;
}

/** How a tree is walked. */
export interface WalkOptions {
  /** Whether other filesystems mounted in it are entered; the kernel's own, as proc(5), never are. */
  mounts: "enter" | "leave";
  /** Whether a file with several names is a file under each of them, not a hard link. */
  eachName?: boolean;
  /** Told what is left out: sockets. */
  onLeftOut?(name: string): void;
}

/** Deeper than any path that can be named; each level keeps a descriptor. */
const DEPTH_MAX = 1500;
const PIECE_BYTES = 1 << 18;
const PATH_BYTES = 4096;
const ENOENT = 2, EINTR = 4;

const TYPES: Readonly<Record<number, TarType>> = {
  [S_IFREG]: "file",
  [S_IFDIR]: "directory",
  [S_IFLNK]: "symlink",
  [S_IFIFO]: "fifo",
  [S_IFCHR]: "character-device",
  [S_IFBLK]: "block-device",
};

interface Level {
  fd: Fd;
  name: string;
  names: string[];
}

/**
 * What is at and below a descriptor, parents first, in the order of names. A file with several names
 * is a hard link from the second on.
 *
 * @param top opened with O_PATH; stays the caller's
 */
export function* walk(top: Fd, options: WalkOptions): Generator<Found> {
  const { mount } = statusOf(top);
  const firstNames = new Map<string, string>();
  const levels: Level[] = [];
  try {
    yield* visit(top, "", mount, firstNames, levels, options);
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const base = level.names.pop();
      if (base === undefined) {
        level.fd.close();
        levels.pop();
        continue;
      }
      using fd = openEntry(level.fd, base);
      const name = level.name === "" ? base : `${level.name}/${base}`;
      if (fd) yield* visit(fd, name, mount, firstNames, levels, options);
    }
  } finally {
    for (const { fd } of levels) fd.close();
  }
}

function* visit(
  fd: Fd,
  name: string,
  mount: bigint,
  firstNames: Map<string, string>,
  levels: Level[],
  options: WalkOptions,
): Generator<Found> {
  const status = statusOf(fd);
  const type = TYPES[status.type];
  if (status.type === S_IFSOCK || type === undefined) return options.onLeftOut?.(name);
  const isForeign = status.mount !== mount;
  const isLeft = isForeign && options.mounts === "leave";
  const header = headerOf(name, type, status);
  if (type === "directory") {
    const enters = !isLeft && !(isForeign && isOfTheKernel(fd));
    const opened = enters ? openDirectory(fd) : undefined;
    yield { ...header, xattrs: opened ? xattrsOf(opened) : new Map(), body: [] };
    if (!opened) return;
    if (levels.length >= DEPTH_MAX) {
      opened.close();
      throw new TarError(`nested deeper than ${DEPTH_MAX} directories`);
    }
    levels.push({ fd: opened, name, names: namesIn(opened).sort().reverse() });
    return;
  }
  if (type === "symlink") {
    yield { ...header, linkName: readLink(fd), body: [] };
    return;
  }
  const isLinked = status.links > 1 && !options.eachName;
  const first = isLinked ? firstNames.get(status.identity) : undefined;
  if (first !== undefined) {
    yield { ...header, type: "hardlink", linkName: first, body: [] };
    return;
  }
  if (isLinked) firstNames.set(status.identity, name);
  if (type !== "file" || isLeft) {
    yield { ...header, body: [] };
    return;
  }
  // The very file that was judged, whatever has its name now.
  using file = reopen(fd);
  yield {
    ...header,
    sizeBytes: status.sizeBytes,
    xattrs: xattrsOf(file),
    body: content(file, status),
  };
}

function headerOf(name: string, type: TarType, status: Status): TarHeader {
  const { mode, uid, gid, mtimeSeconds, device: [deviceMajor, deviceMinor] } = status;
  const isDevice = type.endsWith("-device");
  return {
    name,
    type,
    mode,
    uid,
    gid,
    sizeBytes: 0,
    mtimeSeconds,
    linkName: "",
    deviceMajor: isDevice ? deviceMajor : 0,
    deviceMinor: isDevice ? deviceMinor : 0,
    xattrs: new Map(),
  };
}

/** What a name in a directory leads to; undefined when it is gone. */
function openEntry(directory: Fd, name: string): Fd | undefined {
  const flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  const fd = trySyscall("openat", directory.number, cBytes(name), flags, 0);
  if (fd === -ENOENT) return undefined;
  if (fd < 0) throw new SyscallError("openat", -fd);
  return new Fd(fd);
}

function openDirectory(fd: Fd): Fd {
  return new Fd(syscall("openat", fd.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
}

/** A descriptor to read from, of the file that an O_PATH one leads to. */
export function reopen(fd: Fd, flags = O_RDONLY): Fd {
  const how = flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  return new Fd(syscall("openat", AT_FDCWD, `/proc/self/fd/${fd.number}`, how, 0));
}

/** The names in a directory; struct linux_dirent64 { u64 ino; s64 off; u16 reclen; u8 type; char name[]; } */
export function namesIn(directory: Fd): string[] {
  const names: string[] = [];
  const buffer = new Uint8Array(1 << 16);
  const view = new DataView(buffer.buffer);
  for (;;) {
    const length = syscall("getdents64", directory.number, buffer, buffer.length);
    if (length === 0) return names;
    for (let at = 0; at < length; at += view.getUint16(at + 16, true)) {
      const name = byteString(buffer.subarray(at + 19, buffer.indexOf(0, at + 19)));
      if (name !== "." && name !== "..") names.push(name);
    }
  }
}

/** Where the link that an O_PATH descriptor leads to points; readlinkat(2). */
export function readLink(fd: Fd): string {
  const buffer = new Uint8Array(PATH_BYTES);
  const length = syscall("readlinkat", fd.number, cBytes(""), buffer, buffer.length);
  return byteString(buffer.subarray(0, length));
}

function* content(file: Fd, { sizeBytes }: Status): Generator<Uint8Array<ArrayBuffer>> {
  for (let left = sizeBytes; left > 0;) {
    const piece = new Uint8Array(Math.min(left, PIECE_BYTES));
    const count = trySyscall("read", file.number, piece, piece.length);
    if (count === -EINTR) continue;
    if (count < 0) throw new SyscallError("read", -count);
    if (count === 0) return;
    left -= count;
    yield piece.subarray(0, count);
  }
}
