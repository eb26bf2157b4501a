/**
 * The extended attributes that belong to a container's files: xattr(7), capabilities(7).
 *
 * @module
 */
import { SyscallError, trySyscall } from "../../ffi/mod.ts";
import { bytesOf, byteString } from "./bytes.ts";

/** XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h. */
const MAX_BYTES = 65_536;
const ENODATA = 61, ENOTSUP = 95;

/**
 * Whether an attribute may come from, and go into, an archive: file capabilities and the user's own.
 *
 * `trusted.overlay.*` and `user.overlay.*` would redirect lookups of the overlay that the tree becomes a layer
 * of; security labels belong to the host's policy.
 *
 * @param name byte string
 */
export function isPortableXattr(name: string): boolean {
  return name === "security.capability" ||
    (name.startsWith("user.") && !name.startsWith("user.overlay."));
}

/**
 * The portable attributes of a file, by byte string; the last link is not followed.
 *
 * @throws {SyscallError} of llistxattr(2) and lgetxattr(2)
 */
export function xattrsOf(path: string): Map<string, Uint8Array<ArrayBuffer>> {
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  const list = new Uint8Array(MAX_BYTES);
  const length = trySyscall("llistxattr", path, list, list.length);
  if (length === -ENOTSUP) return found;
  if (length < 0) throw new SyscallError("llistxattr", -length);
  for (const name of byteString(list.subarray(0, length)).split("\0").filter(isPortableXattr)) {
    const value = new Uint8Array(MAX_BYTES);
    const size = trySyscall("lgetxattr", path, bytesOf(`${name}\0`), value, value.length);
    if (size === -ENODATA) continue; // Removed meanwhile.
    if (size < 0) throw new SyscallError("lgetxattr", -size);
    found.set(name, value.slice(0, size));
  }
  return found;
}
