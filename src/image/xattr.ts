/**
 * The extended attributes that belong to a container's files: xattr(7), capabilities(7).
 *
 * @module
 */
import { type Fd, SyscallError, trySyscall } from "../../ffi/mod.ts";
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
 * The portable attributes of a file, by byte string.
 *
 * @param file a path, of which the last link is not followed, or a descriptor
 * @throws {SyscallError} of llistxattr(2) and lgetxattr(2)
 */
export function xattrsOf(file: string | Fd): Map<string, Uint8Array<ArrayBuffer>> {
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  const read = (of: "list" | "get", name: string, into: Uint8Array<ArrayBuffer>): number => {
    const rest = of === "list" ? [into, into.length] : [bytesOf(`${name}\0`), into, into.length];
    const call = typeof file === "string" ? `l${of}xattr` as const : `f${of}xattr` as const;
    const size = trySyscall(call, typeof file === "string" ? file : file.number, ...rest);
    if (size === -ENOTSUP || size === -ENODATA) return 0; // ENODATA: removed meanwhile.
    if (size < 0) throw new SyscallError(call, -size);
    return size;
  };
  // Most files have none: then no memory is taken.
  if (read("list", "", new Uint8Array(0)) === 0) return found;
  const list = new Uint8Array(MAX_BYTES);
  const length = read("list", "", list);
  for (const name of byteString(list.subarray(0, length)).split("\0").filter(isPortableXattr)) {
    const value = new Uint8Array(MAX_BYTES);
    const size = read("get", name, value);
    if (size > 0) found.set(name, value.slice(0, size));
  }
  return found;
}
