/**
 * The payloads of attributes: numbers, text and addresses as bytes. Numbers are the host's order,
 * little on both architectures, unless the name says big.
 */

/** Bytes that own their memory from its start, as the FFI wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// Bytes are computed, not set by a DataView: `buffer` of a small array moves it out of V8's heap.

/** `NLA_U8`. */
export function u8(value: number): Bytes {
  const bytes = new Uint8Array(1);
  bytes[0] = checked(value, 1);
  return bytes;
}

/** `NLA_U16`. */
export function u16(value: number): Bytes {
  return little(checked(value, 2), 2);
}

/** `NLA_U32`; negative ones as two's complement. */
export function u32(value: number): Bytes {
  return little(checked(value, 4), 4);
}

/** `NLA_BE16`: a port. */
export function big16(value: number): Bytes {
  return little(checked(value, 2), 2).reverse();
}

/** `NLA_BE32`: all numbers of nf_tables; negative ones as two's complement. */
export function big32(value: number): Bytes {
  return little(checked(value, 4), 4).reverse();
}

/**
 * `NLA_NUL_STRING`: UTF-8 with a NUL behind it.
 *
 * @throws {Error} for text with a NUL inside: what follows it would be read as something else
 */
export function nulString(text: string): Bytes {
  const bytes = new Uint8Array(text.length + 1);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0) throw new Error(`cannot send ${JSON.stringify(text)}: it has a NUL`);
    if (code > 127) return encoded(text);
    bytes[at] = code;
  }
  return bytes;
}

function encoded(text: string): Bytes {
  if (text.includes("\0")) throw new Error(`cannot send ${JSON.stringify(text)}: it has a NUL`);
  return encoder.encode(`${text}\0`);
}

/** `NLA_STRING`: UTF-8 with nothing behind it; refuses a NUL as {@linkcode nulString} does. */
export function plainString(text: string): Bytes {
  return nulString(text).slice(0, -1);
}

/** Bytes of an interface's name, the NUL included. */
export const IFNAMSIZ = 16;

/**
 * An interface's name as `struct ifreq` and `meta iifname` have it: 16 bytes, of NULs behind it.
 *
 * @throws {Error} for one that is too long
 */
export function interfaceName(name: string): Bytes {
  const text = nulString(name);
  if (text.length > IFNAMSIZ) throw new Error(`cannot name a link "${name}": it is too long`);
  const bytes = new Uint8Array(IFNAMSIZ);
  bytes.set(text);
  return bytes;
}

/** The text of an `NLA_NUL_STRING` or `NLA_STRING`, up to its first NUL. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const [at, byte] of bytes.entries()) {
    if (byte === 0) break;
    if (byte > 127) return decoder.decode(bytes.subarray(0, endOf(bytes, at)));
    text += String.fromCharCode(byte);
  }
  return text;
}

function endOf(bytes: Uint8Array, start: number): number {
  const end = bytes.indexOf(0, start);
  return end === -1 ? bytes.length : end;
}

/** The number in an `NLA_U32`, `NLA_U16` or `NLA_U8`; undefined where there is none. */
export function numberOf(bytes: Uint8Array | undefined): number | undefined {
  return bytes && bigNumberOf(bytes.slice().reverse());
}

/** The number in an `NLA_BE32`, as nf_tables answers; undefined where there is none. */
export function bigNumberOf(bytes: Uint8Array | undefined): number | undefined {
  if (bytes === undefined) return undefined;
  let number = 0;
  for (const byte of bytes) number = number * 256 + byte;
  return number;
}

/** Bytes one behind the other. */
export function joined(...parts: readonly Uint8Array[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** @throws {RangeError} for what does not fit */
function checked(value: number, size: number): number {
  const limit = 2 ** (8 * size);
  if (!Number.isInteger(value) || value >= limit || value < (size === 4 ? -limit / 2 : 0)) {
    throw new RangeError(`cannot send ${value} as ${size} bytes`);
  }
  return value;
}

function little(value: number, size: number): Bytes {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = value >> (8 * at);
  return bytes;
}
