/**
 * Names as the kernel sees them: bytes, which need not be UTF-8.
 *
 * A byte string is a JavaScript string whose characters are all below 256, one for each byte, so that
 * names can be split, compared and used as keys without losing a byte.
 *
 * @module
 */

/** The byte string of some bytes. */
export function byteString(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    out += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return out;
}

/** The bytes of a byte string. */
export function bytesOf(byteText: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteText.length);
  for (let i = 0; i < byteText.length; i++) bytes[i] = byteText.charCodeAt(i);
  return bytes;
}

/** The bytes of a byte string with the NUL that system calls want. */
export function cBytes(byteText: string): Uint8Array<ArrayBuffer> {
  return bytesOf(byteText + "\0");
}

/** A byte string as text for a message: quoted, UTF-8 where it is. */
export function shown(byteText: string): string {
  return JSON.stringify(new TextDecoder().decode(bytesOf(byteText)));
}

/** Text as a byte string: its UTF-8 bytes. */
export function fromText(text: string): string {
  return byteString(new TextEncoder().encode(text));
}
