import { shown } from "./bytes.ts";

/** What tar(5) can hold. Sockets have no type there. */
export type TarType =
  | "file"
  | "hardlink"
  | "symlink"
  | "character-device"
  | "block-device"
  | "directory"
  | "fifo";

/** One header of a tar file with its extensions applied; tar(5), pax(1). */
export interface TarHeader {
  /** Byte string (see bytes.ts), as in the file. */
  name: string;
  type: TarType;
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes of content; 0 for all but files. */
  sizeBytes: number;
  /** Seconds since 1970, with a fraction where pax gives one. */
  mtimeSeconds: number;
  /** Byte string: the target of a link. */
  linkName: string;
  deviceMajor: number;
  deviceMinor: number;
  /** By byte string, as `security.capability`. */
  xattrs: Map<string, Uint8Array<ArrayBuffer>>;
}

/** The types by their flag, typeflag in tar(5); NUL is what tar had before POSIX. */
export const TYPE_OF_FLAG: Readonly<Record<string, TarType>> = {
  "0": "file",
  "\0": "file",
  "7": "file", // Contiguous: a file for all who read it today.
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
};

/** pax's key for an extended attribute, as GNU tar, Go and star write it. */
export const PAX_XATTR = "SCHILY.xattr.";

/** A tar file that is damaged, that asks for what is refused, or that is larger than allowed. */
export class TarError extends Error {
  override name = "TarError";
}

/** A name in a tar file as the components below the root: `./a//b/` → `a`, `b`. */
export function components(name: string): string[] {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new TarError(`${shown(name)} leads out of the root through ".."`);
  return parts;
}
