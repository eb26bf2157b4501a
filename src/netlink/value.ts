/**
 * The payloads of attributes: numbers, text and addresses as bytes. Numbers are the host's order,
 * little on both architectures, unless the name says big.
 */

/** Bytes that own their memory from its start, as the FFI wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `NLA_U8`. */
export function u8(value: number): Bytes {
  return numbered(1, value, (view) => view.setUint8(0, value));
}

/** `NLA_U16`. */
export function u16(value: number): Bytes {
  return numbered(2, value, (view) => view.setUint16(0, value, true));
}

/** `NLA_U32`; negative ones as two's complement. */
export function u32(value: number): Bytes {
  return numbered(4, value < 0 ? value + 2 ** 32 : value, (view) => view.setUint32(0, value, true));
}

/** `NLA_BE16`: a port. */
export function big16(value: number): Bytes {
  return numbered(2, value, (view) => view.setUint16(0, value));
}

/** `NLA_BE32`: all numbers of nf_tables; negative ones as two's complement. */
export function big32(value: number): Bytes {
  return numbered(4, value < 0 ? value + 2 ** 32 : value, (view) => view.setUint32(0, value));
}

/** `NLA_BE64`. */
export function big64(value: bigint): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/**
 * `NLA_NUL_STRING`: UTF-8 with a NUL behind it.
 *
 * @throws {Error} for text with a NUL inside: what follows it would be read as something else
 */
export function nulString(text: string): Bytes {
  if (text.includes("\0")) throw new Error(`cannot send ${JSON.stringify(text)}: it has a NUL`);
  return encoder.encode(text + "\0");
}

/** `NLA_STRING`: UTF-8 with nothing behind it; refuses a NUL as {@linkcode nulString} does. */
export function plainString(text: string): Bytes {
  return nulString(text).slice(0, -1);
}

/** The text of an `NLA_NUL_STRING` or `NLA_STRING`, up to its first NUL. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end === -1 ? bytes : bytes.subarray(0, end));
}

/** The number in an `NLA_U32`, `NLA_U16` or `NLA_U8`; undefined where there is none. */
export function numberOf(bytes: Uint8Array | undefined): number | undefined {
  return bytes?.reduceRight((sum, byte) => sum * 256 + byte, 0);
}

/** The number in an `NLA_BE32`, as nf_tables answers; undefined where there is none. */
export function bigNumberOf(bytes: Uint8Array | undefined): number | undefined {
  return bytes?.reduce((sum, byte) => sum * 256 + byte, 0);
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

function numbered(size: number, value: number, write: (view: DataView) => void): Bytes {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
    throw new RangeError(`cannot send ${value} as ${size} bytes`);
  }
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return bytes;
}
