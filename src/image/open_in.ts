import {
  Fd,
  O_CLOEXEC,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import { cBytes } from "./bytes.ts";

/** openat2(2) gives up with EAGAIN when something is renamed meanwhile, anywhere on the machine. */
const TRIES_MAX = 128;
const EAGAIN = 11;

/**
 * Opens a path below a directory that somebody else may be changing: `..` and links, absolute ones
 * too, stay in it as after chroot(2), and /proc's magic links are not followed; openat2(2).
 *
 * @param path byte string; absolute or not, it begins at `root`
 * @param resolve RESOLVE_* besides
 * @throws {SyscallError}
 */
export function openIn(root: Fd, path: string, flags: number, resolve = 0): Fd {
  const how = new BigUint64Array([
    BigInt(flags | O_CLOEXEC),
    0n,
    BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve),
  ]); // struct open_how { __u64 flags, mode, resolve; }
  const bytes = new Uint8Array(how.buffer);
  const text = cBytes(path === "" ? "." : path);
  for (let tries = 1;; tries++) {
    const fd = trySyscall("openat2", root.number, text, bytes, bytes.length);
    if (fd >= 0) return new Fd(fd);
    if (fd !== -EAGAIN || tries >= TRIES_MAX) throw new SyscallError("openat2", -fd);
  }
}
