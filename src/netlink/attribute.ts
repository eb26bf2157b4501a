/**
 * Attributes: what a message carries behind its fixed header, written as an object literal that is
 * nested as the bytes are.
 *
 * ```c
 * struct nlattr { __u16 nla_len; __u16 nla_type; }; // The length includes these four bytes.
 * ```
 *
 * @see netlink(7), include/uapi/linux/netlink.h
 */
import type { Bytes } from "./value.ts";

/**
 * Attributes by type. An array is one type several times over, as in a list of nf_tables; undefined
 * is left out.
 */
export interface Attributes {
  readonly [type: number]: Value | undefined;
}

/** One attribute's payload. */
export type Value = Uint8Array | Attributes | readonly (Uint8Array | Attributes)[];

/** Bytes of a `struct nlattr`. */
export const NLA_HDRLEN = 4;
/** Bytes: what `nla_len` can say, less the header. */
export const PAYLOAD_LIMIT = 65_535 - NLA_HDRLEN;
/** Of `nla_type`: the payload is attributes. */
export const NLA_F_NESTED = 0x8000;
/** Of `nla_type`: the number in it is big-endian. */
export const NLA_F_NET_BYTEORDER = 0x4000;
const NLA_TYPE_MASK = 0x3fff;

/**
 * Attributes as bytes, those of the lower type first.
 *
 * @param header what comes before them, as long as a multiple of four
 * @throws {RangeError} for a payload longer than {@linkcode PAYLOAD_LIMIT}: its length would wrap
 * around, and the rest of it be read as attributes (CVE-2021-43784)
 */
export function serialiseAttributes(attributes: Attributes, header?: Uint8Array): Bytes {
  if (header) room.set(header);
  const end = write(attributes, header?.length ?? 0);
  return room.slice(0, end);
}

/**
 * The payload of the first attribute of a type, a view of the same memory; undefined where there is
 * none. A link has some sixty attributes, so that looking for five is quicker than reading all.
 *
 * @param start where the attributes begin
 * @throws {Error} for an attribute before it that ends behind the last byte
 */
export function findAttribute(
  bytes: Uint8Array,
  type: number,
  start = 0,
): Uint8Array | undefined {
  for (let at = start; at + NLA_HDRLEN <= bytes.length;) {
    const length = lengthAt(bytes, at);
    if ((shortAt(bytes, at + 2) & NLA_TYPE_MASK) === type) {
      return bytes.subarray(at + NLA_HDRLEN, at + length);
    }
    at += aligned(length);
  }
  return undefined;
}

/** The attributes in some bytes by type: payloads, views of the same memory; the last of a type. */
export function readAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  return new Map(attributesIn(bytes).map(({ type, payload }) => [type, payload]));
}

/** The payloads of a list: attributes of any one type, in order. */
export function readList(bytes: Uint8Array): Uint8Array[] {
  return attributesIn(bytes).map(({ payload }) => payload);
}

/** The attributes in some bytes, with all that are marked as nested: what serialising undoes. */
export function parseAttributes(bytes: Uint8Array): Attributes {
  const found: Record<number, Value> = {};
  for (const { type, nested, payload } of attributesIn(bytes)) {
    const value = nested ? parseAttributes(payload) : payload;
    const before = found[type];
    if (before === undefined) found[type] = value;
    else found[type] = isList(before) ? [...before, value] : [before, value];
  }
  return found;
}

function attributesIn(bytes: Uint8Array): { type: number; nested: boolean; payload: Uint8Array }[] {
  const found = [];
  for (let at = 0; at + NLA_HDRLEN <= bytes.length;) {
    const length = lengthAt(bytes, at);
    const type = shortAt(bytes, at + 2);
    const payload = bytes.subarray(at + NLA_HDRLEN, at + length);
    found.push({ type: type & NLA_TYPE_MASK, nested: (type & NLA_F_NESTED) !== 0, payload });
    at += aligned(length);
  }
  return found;
}

/** @throws {Error} for an attribute that ends behind the last byte */
function lengthAt(bytes: Uint8Array, at: number): number {
  const length = shortAt(bytes, at);
  if (length < NLA_HDRLEN || at + length > bytes.length) {
    throw new Error(`cannot read attribute at byte ${at}: ${length} bytes of ${bytes.length}`);
  }
  return length;
}

function shortAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | (bytes[at + 1] ?? 0) << 8;
}

/** `NLA_ALIGN`: up to the next multiple of four. */
export function aligned(size: number): number {
  return (size + 3) & ~3;
}

function isList(value: Value): value is readonly (Uint8Array | Attributes)[] {
  return Array.isArray(value);
}

/** Where attributes are put together; it grows. */
let room = new Uint8Array(4096);

/** @returns where the next one goes, aligned */
function write(attributes: Attributes, start: number): number {
  let at = start;
  for (const key in attributes) {
    const value = attributes[key];
    if (value === undefined) continue;
    if (isList(value)) { for (const one of value) at = writeOne(Number(key), one, at); }
    else at = writeOne(Number(key), value, at);
  }
  return at;
}

function writeOne(type: number, value: Uint8Array | Attributes, at: number): number {
  const from = at + NLA_HDRLEN;
  const isPlain = value instanceof Uint8Array;
  makeRoom(from + (isPlain ? value.length : 0));
  const end = isPlain ? from + value.length : write(value, from);
  if (end - from > PAYLOAD_LIMIT) {
    throw new RangeError(
      `cannot send attribute ${type}: it has ${
        end - from
      } bytes, and the limit is ${PAYLOAD_LIMIT}`,
    );
  }
  if (isPlain) room.set(value, from);
  const next = aligned(end);
  makeRoom(next);
  room.fill(0, end, next);
  room[at] = end - at;
  room[at + 1] = (end - at) >> 8;
  room[at + 2] = type;
  room[at + 3] = (isPlain ? type : type | NLA_F_NESTED) >> 8;
  return next;
}

function makeRoom(size: number): void {
  if (size <= room.length) return;
  const before = room;
  room = new Uint8Array(2 * size);
  room.set(before);
}
