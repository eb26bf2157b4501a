/**
 * Writes below a directory and never outside it, whatever links are inside.
 *
 * Every path is opened by openat2(2) with RESOLVE_IN_ROOT, so that `..` and absolute links stay within the tree
 * as they would after chroot(2); what is created gets a name in a directory that is held by descriptor, and the
 * last component is never followed. No call here takes a path of the host after the tree has been opened.
 *
 * @see openat2(2), symlink(7); CVE-2021-32760, CVE-2025-47290, CVE-2026-17106
 * @module
 */
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  Fd,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  RESOLVE_NO_XDEV,
  syscall,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import { cBytes } from "./bytes.ts";
import { openIn } from "./open_in.ts";
import { isOfTheKernel } from "./status.ts";
import { TarError } from "./tar_entry.ts";

/** Owner, permissions and time of something in a tree. */
export interface Attributes {
  uid: number;
  gid: number;
  /** Permission bits with setuid, setgid, sticky. */
  mode: number;
  mtimeSeconds: number;
  xattrs?: Map<string, Uint8Array<ArrayBuffer>>;
}

const UTIME_OMIT = 0x3ffffffe;
const EEXIST = 17, ENOENT = 2, EISDIR = 21, EPERM = 1;
const ELOOP = 40, ENOTDIR = 20, EINTR = 4, EOPNOTSUPP = 95;

/** How a tree may be written to. */
export interface TreeOptions {
  /** Follows mounts in the tree; what the kernel mounts for itself, as proc(5), is refused. */
  crossMounts?: boolean;
  /** A directory never takes the place of something else, nor the reverse. */
  keepKinds?: boolean;
}

/** A directory whose inside is written by descriptor; names are byte strings (bytes.ts). */
export class Tree {
  readonly #root: Fd;
  readonly #options: TreeOptions;
  readonly #privileged = trySyscall("geteuid") === 0;
  /**
   * The last parent opened: the next entry is most often in the same directory. It cannot be stale: who replaces a
   * component of its path opens that component's parent first. A container that runs may have moved it, inside.
   */
  #last: { path: string; fd: Fd } | undefined;

  /**
   * @param place a path, or a directory's descriptor, which stays the caller's
   * @throws {SyscallError} when it is no directory
   */
  constructor(place: string | Fd, options: TreeOptions = {}) {
    const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    this.#root = new Fd(
      typeof place === "string"
        ? syscall("openat", AT_FDCWD, place, flags, 0)
        : syscall("openat", place.number, ".", flags, 0),
    );
    this.#options = options;
  }

  [Symbol.dispose](): void {
    this.#forget();
    this.#root.close();
  }

  /** Makes a directory, or keeps the one that is there; anything else of that name goes. See `finishDirectory`. */
  directory(parts: string[], attributes: Attributes): void {
    const name = parts.at(-1);
    using own = name === undefined
      ? this.#open(parts, O_RDONLY | O_DIRECTORY)
      : this.#makeDirectory(this.#parent(parts), name, true);
    this.#describe(own, { ...attributes, mode: attributes.mode | 0o700 });
  }

  /**
   * Gives a directory its permissions and times once nothing more is written into it: until then its owner, who need
   * not be root, can enter it. Those that are gone or replaced are left.
   */
  finishDirectory(
    parts: string[],
    { mode, mtimeSeconds }: Pick<Attributes, "mode" | "mtimeSeconds">,
  ): void {
    try {
      using own = this.#open(parts, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      syscall("fchmod", own.number, mode);
      syscall("utimensat", own.number, 0, times(mtimeSeconds), 0);
    } catch (error) {
      const gone = error instanceof SyscallError && [ENOENT, ENOTDIR, ELOOP].includes(error.errno);
      if (!gone) throw error;
    }
  }

  /** Creates a file, content first, then owner, permissions and attributes: chown(2) clears some of them. */
  async file(
    parts: string[],
    attributes: Attributes,
    body: AsyncIterable<Uint8Array<ArrayBuffer>> | Iterable<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    const [parent, name] = this.#place(parts);
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    using own = new Fd(syscall("openat", parent, cBytes(name), flags, 0o600));
    for await (const piece of body) writeAll(own, piece);
    this.#describe(own, attributes);
  }

  /** The target is kept as it is: inside the container it is resolved from the container's own root. */
  symlink(parts: string[], attributes: Attributes, target: string): void {
    const [parent, name] = this.#place(parts);
    syscall("symlinkat", cBytes(target), parent, cBytes(name));
    this.#own(parent, name, attributes);
    const time = times(attributes.mtimeSeconds);
    syscall("utimensat", parent, cBytes(name), time, AT_SYMLINK_NOFOLLOW);
  }

  /** A second name for what is in the tree already; linkat(2) without AT_SYMLINK_FOLLOW. */
  hardlink(parts: string[], target: string[]): void {
    const targetName = target.at(-1);
    if (targetName === undefined) throw new TarError("a hard link to the root");
    if (target.join("/") === parts.join("/")) return;
    using targetParent = this.#open(target.slice(0, -1), O_PATH | O_DIRECTORY);
    const [parent, name] = this.#place(parts);
    syscall("linkat", targetParent.number, cBytes(targetName), parent, cBytes(name), 0);
  }

  /** A fifo or a device; `type` is S_IFIFO, S_IFCHR or S_IFBLK of mknod(2). */
  node(parts: string[], attributes: Attributes, type: number, device: [number, number]): void {
    const [parent, name] = this.#place(parts);
    syscall("mknodat", parent, cBytes(name), type | 0o600, makedev(...device));
    this.#own(parent, name, attributes);
    // fchmodat(2) follows links, and out of the tree: by the descriptor of what has the name now.
    using own = new Fd(
      syscall("openat", parent, cBytes(name), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0),
    );
    const result = trySyscall("fchmodat", AT_FDCWD, `/proc/self/fd/${own.number}`, attributes.mode);
    if (result < 0 && result !== -EOPNOTSUPP) throw new SyscallError("fchmodat", -result);
  }

  /** Opens something inside; `..` and links stay in the tree. */
  #open(parts: string[], flags: number): Fd {
    return openIn(
      this.#root,
      parts.join("/"),
      flags,
      this.#options.crossMounts ? 0 : RESOLVE_NO_XDEV,
    );
  }

  /** The directory that holds the last component, made with 0755 and root's where the archive has none. */
  #parent(parts: string[]): number {
    const directories = parts.slice(0, -1);
    const path = directories.join("/");
    if (this.#last?.path === path) return this.#last.fd.number;
    let fd: Fd;
    try {
      fd = this.#open(directories, O_PATH | O_DIRECTORY);
      if (this.#options.crossMounts && isOfTheKernel(fd)) {
        fd.close();
        throw new TarError("lies in a filesystem of the kernel's own, which holds no files");
      }
    } catch (error) {
      if (!(error instanceof SyscallError) || error.errno !== ENOENT) throw error;
      const name = directories.at(-1);
      if (name === undefined) throw error;
      // A link to nowhere stays one: what it leads to is not the archive's to make.
      fd = this.#makeDirectory(this.#parent(directories), name, false);
      syscall("fchmod", fd.number, 0o755);
    }
    this.#forget();
    this.#last = { path, fd };
    return fd.number;
  }

  #forget(): void {
    this.#last?.fd.close();
    this.#last = undefined;
  }

  #makeDirectory(parent: number, name: string, replace: boolean): Fd {
    const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    for (let tries = 0;; tries++) {
      const made = trySyscall("mkdirat", parent, cBytes(name), 0o700);
      if (made < 0 && made !== -EEXIST) throw new SyscallError("mkdirat", -made);
      const fd = trySyscall("openat", parent, cBytes(name), flags, 0);
      if (fd >= 0) return new Fd(fd);
      if (!replace || tries > 0 || (fd !== -ELOOP && fd !== -ENOTDIR)) {
        throw new SyscallError("openat", -fd);
      }
      if (this.#options.keepKinds) {
        throw new TarError("there is something there that is no directory");
      }
      syscall("unlinkat", parent, cBytes(name), 0);
    }
  }

  /** Where to create the last component: its directory, with the name free. */
  #place(parts: string[]): [parent: number, name: string] {
    const name = parts.at(-1);
    if (name === undefined) throw new TarError("only a directory can be the root");
    const parent = this.#parent(parts);
    const removed = trySyscall("unlinkat", parent, cBytes(name), 0);
    if (removed === -ENOENT) return [parent, name];
    if (removed === -EISDIR && this.#options.keepKinds) {
      throw new TarError("there is a directory there");
    }
    if (removed === -EISDIR) syscall("unlinkat", parent, cBytes(name), AT_REMOVEDIR);
    else if (removed < 0) throw new SyscallError("unlinkat", -removed);
    return [parent, name];
  }

  #describe(own: Fd, attributes: Attributes): void {
    const { uid, gid, mode, mtimeSeconds, xattrs } = attributes;
    this.#unlessUnprivileged("fchown", trySyscall("fchown", own.number, uid, gid));
    syscall("fchmod", own.number, mode);
    for (const [name, value] of xattrs ?? []) {
      const result = trySyscall("fsetxattr", own.number, cBytes(name), value, value.length, 0);
      this.#unlessUnprivileged("fsetxattr", result);
    }
    syscall("utimensat", own.number, 0, times(mtimeSeconds), 0);
  }

  #own(parent: number, name: string, { uid, gid }: Attributes): void {
    const result = trySyscall("fchownat", parent, cBytes(name), uid, gid, AT_SYMLINK_NOFOLLOW);
    this.#unlessUnprivileged("fchownat", result);
  }

  /** Who is not root owns all that it unpacks. */
  #unlessUnprivileged(call: string, result: number): void {
    if (result >= 0 || (result === -EPERM && !this.#privileged)) return;
    throw new SyscallError(call, -result);
  }
}

function writeAll(file: Fd, piece: Uint8Array<ArrayBuffer>): void {
  for (let written = 0; written < piece.length;) {
    const rest = piece.subarray(written);
    const count = trySyscall("write", file.number, rest, rest.length);
    if (count < 0 && count !== -EINTR) throw new SyscallError("write", -count);
    written += Math.max(count, 0);
  }
}

/** struct timespec times[2]: the access time stays, the modification time is set. */
function times(mtimeSeconds: number): Uint8Array<ArrayBuffer> {
  const seconds = Math.floor(mtimeSeconds);
  const nanoseconds = Math.min(Math.round((mtimeSeconds - seconds) * 1e9), 999_999_999);
  const words = new BigInt64Array([0n, BigInt(UTIME_OMIT), BigInt(seconds), BigInt(nanoseconds)]);
  return new Uint8Array(words.buffer);
}

/** `dev_t` as the kernel takes it: 12 bits of major, 20 of minor; makedev(3). */
function makedev(major: number, minor: number): number {
  return ((minor & 0xfff00) << 12 | (major & 0xfff) << 8 | minor & 0xff) >>> 0;
}
