/**
 * Writes tar files: ustar headers, with pax records where those are too small.
 *
 * @see tar(5), pax(1)
 * @module
 */
import { bytesOf, byteString } from "./bytes.ts";
import { PAX_XATTR, type TarHeader, type TarType } from "./tar_entry.ts";

const BLOCK = 512; // Bytes.
/** What follows the last entry: two blocks of zeros. */
export const TAR_END: Uint8Array<ArrayBuffer> = new Uint8Array(2 * BLOCK);

const FLAGS: Readonly<Record<TarType, string>> = {
  "file": "0",
  "hardlink": "1",
  "symlink": "2",
  "character-device": "3",
  "block-device": "4",
  "directory": "5",
  "fifo": "6",
};

/** The blocks before an entry's content: its header, behind a pax header where one is needed. */
export function tarHeader(header: TarHeader): Uint8Array<ArrayBuffer> {
  const records = paxRecords(header);
  const own = ustar(header, FLAGS[header.type], header.sizeBytes);
  if (records === "") return own;
  const pax = { ...header, name: "pax", linkName: "", mode: 0o644, uid: 0, gid: 0 };
  const body = bytesOf(records);
  return concat([ustar(pax, "x", body.length), body, tarPadding(body.length), own]);
}

/** The zeros after an entry's content. */
export function tarPadding(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((BLOCK - sizeBytes % BLOCK) % BLOCK);
}

function ustar(header: TarHeader, flag: string, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const put = (offset: number, text: string, length: number) =>
    block.set(bytesOf(text).subarray(0, length), offset);
  const octal = (offset: number, value: number, length: number) => {
    // What does not fit stands in a pax record, which readers prefer.
    const fits = value >= 0 && value < 8 ** (length - 1);
    put(offset, Math.floor(fits ? value : 0).toString(8).padStart(length - 1, "0"), length - 1);
  };
  put(0, header.name, 100);
  octal(100, header.mode, 8);
  octal(108, header.uid, 8);
  octal(116, header.gid, 8);
  octal(124, sizeBytes, 12);
  octal(136, header.mtimeSeconds, 12);
  put(148, " ".repeat(8), 8); // The sum is taken over spaces.
  put(156, flag, 1);
  put(157, header.linkName, 100);
  put(257, "ustar\x0000", 8);
  octal(329, header.deviceMajor, 8);
  octal(337, header.deviceMinor, 8);
  put(148, block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0") + "\0 ", 8);
  return block;
}

/** Records for what the header cannot hold, sorted by key. */
function paxRecords(header: TarHeader): string {
  const { name, linkName, uid, gid, sizeBytes, mtimeSeconds, xattrs } = header;
  const records: [key: string, value: string][] = [];
  const large = (key: string, value: number, digits: number) => {
    if (value >= 8 ** digits) records.push([key, String(value)]);
  };
  large("gid", gid, 7);
  if (linkName.length > 100) records.push(["linkpath", linkName]);
  if (!Number.isInteger(mtimeSeconds) || mtimeSeconds < 0 || mtimeSeconds >= 8 ** 11) {
    records.push(["mtime", mtimeSeconds.toFixed(6)]);
  }
  if (name.length > 100) records.push(["path", name]);
  large("size", sizeBytes, 11);
  large("uid", uid, 7);
  for (const key of [...xattrs.keys()].sort()) {
    records.push([PAX_XATTR + key, byteString(xattrs.get(key) ?? new Uint8Array(0))]);
  }
  return records.map(([key, value]) => paxRecord(key, value)).join("");
}

/** `LENGTH KEY=VALUE\n`, the length counting its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (`${length}${rest}`.length !== length) length++;
  return `${length}${rest}`;
}

function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
