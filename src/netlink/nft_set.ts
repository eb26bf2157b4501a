/** Sets and maps of nf_tables, and their elements, which may come and go while packets pass. */
import type { Attributes } from "./attribute.ts";
import { NLM_F_CREATE } from "./constants.ts";
import type { Request } from "./message.ts";
import { type Verdict, verdictData } from "./nft_expression.ts";
import { batch, type Table, tableRequest, udata } from "./nft_request.ts";
import { big32, joined, nulString, u32 } from "./value.ts";

const NFT_SET_INTERVAL = 0x4;
const NFT_SET_MAP = 0x8;
const NFT_SET_CONCAT = 0x80; // With NFT_SET_INTERVAL: since Linux 5.6.
const NFT_DATA_VERDICT = 0xffffff00;
const NFT_SET_ELEM_INTERVAL_END = 1;
/** Of a message, so that its list stays below the 64 KiB that an attribute can hold. */
const ELEMENTS_LIMIT = 400;

/** One of nft's types of values: its number, for `nft list`, and its bytes in a register. */
export interface DataType {
  number: number;
  /** Bytes. */
  length: number;
  /** Whether it is text, or in the host's order; else in the network's. */
  isHostOrder?: boolean;
  /** Bytes of each value, if it is a concatenation. */
  fields?: readonly number[];
}

/** Types of values: datatype.h of nftables. */
export const TYPE = {
  ipv4_addr: { number: 7, length: 4 },
  ipv6_addr: { number: 8, length: 16 },
  inet_proto: { number: 12, length: 1 },
  inet_service: { number: 13, length: 2 },
  ifname: { number: 41, length: 16, isHostOrder: true },
} as const satisfies Record<string, DataType>;

/** A set, or a map if it has `data`. */
export interface NftSet {
  name: string;
  key: DataType;
  data?: DataType | "verdict";
  /** Whether elements are ranges of keys, value by value in a concatenation. */
  isInterval?: boolean;
}

/** An element: a key or, with `end`, the keys from `key` to `end`, both included. */
export interface Element {
  key: Uint8Array;
  end?: Uint8Array;
  data?: Uint8Array | Verdict;
}

/** A set with elements: all of it, or those that come or go. */
export type SetElements = NftSet & { elements: readonly Element[] };

/** Values one behind the other: each begins at a multiple of four bytes. */
export function concatenated(...types: readonly DataType[]): DataType {
  return {
    number: types.reduce((sum, { number }) => sum * 64 + number, 0),
    length: types.reduce((sum, { length }) => sum + (length + 3 & ~3), 0),
    fields: types.map(({ length }) => length),
  };
}

/**
 * The batch that takes elements out of sets of a table, and puts others in.
 *
 * Equivalent to `nft -f` of `delete element …` and `add element …`; one that is to go must be there,
 * one that is to come may be there already.
 */
export function changeElements(
  table: Table,
  { remove = [], add = [] }: { remove?: readonly SetElements[]; add?: readonly SetElements[] },
): Request[] {
  return batch([
    ...remove.flatMap((set) => elementRequests(table, set, "DELSETELEM")),
    ...add.flatMap((set) => elementRequests(table, set, "NEWSETELEM")),
  ]);
}

/** Equivalent to `nft add set` or `nft add map`. */
export function newSet(table: Table, set: NftSet, id: number): Request {
  const { name, key, data, isInterval } = set;
  const fields = isInterval ? key.fields : undefined;
  const flags = (isInterval ? NFT_SET_INTERVAL : 0) | (fields ? NFT_SET_CONCAT : 0) |
    (data ? NFT_SET_MAP : 0);
  const value: Attributes = data === undefined
    ? {}
    : data === "verdict"
    ? { 6: big32(NFT_DATA_VERDICT), 7: big32(0) }
    : { 6: big32(data.number), 7: big32(data.length) };
  return tableRequest("NEWSET", table, `add ${data ? "map" : "set"} "${name}"`, {
    2: nulString(name),
    3: big32(flags),
    4: big32(key.number),
    5: big32(key.length),
    9: fields && { 2: { 1: fields.map((length) => ({ 1: big32(length) })) } },
    10: big32(id),
    13: joined(udata(0, byteOrder(key)), udata(1, byteOrder(data))), // For `nft list` alone.
    ...value,
  }, NLM_F_CREATE);
}

/** enum byteorder of nftables: none for what has several values, the host's, the network's. */
function byteOrder(type: DataType | "verdict" | undefined): Uint8Array {
  if (type === undefined || type === "verdict" || type.fields) return u32(0);
  return u32(type.isHostOrder ? 1 : 2);
}

/** Adds a set's elements, or takes them away, in as many messages as they need. */
export function elementRequests(
  table: Table,
  set: SetElements,
  how: "NEWSETELEM" | "DELSETELEM" = "NEWSETELEM",
): Request[] {
  const isNew = how === "NEWSETELEM";
  const list = set.elements.flatMap((element) => elementAttributes(set, element, isNew));
  const what = isNew ? `add elements to "${set.name}"` : `delete elements of "${set.name}"`;
  const requests: Request[] = [];
  for (let at = 0; at < list.length; at += ELEMENTS_LIMIT) {
    const attributes = {
      2: nulString(set.name),
      3: { 1: list.slice(at, at + ELEMENTS_LIMIT) },
    };
    requests.push(tableRequest(how, table, what, attributes, isNew ? NLM_F_CREATE : 0));
  }
  return requests;
}

/** One element; of a plain interval its begin and, unless all larger keys are in it, its end. */
function elementAttributes(
  set: NftSet,
  { key, end = key, data }: Element,
  withData: boolean,
): Attributes[] {
  const value = data === undefined || !withData
    ? undefined
    : data instanceof Uint8Array
    ? { 1: data }
    : verdictData(data);
  const start: Attributes = { 1: { 1: key }, 2: value };
  if (!set.isInterval) return [start];
  if (set.key.fields) return [{ ...start, 10: { 1: end } }];
  const behind = successor(end);
  return behind ? [start, { 1: { 1: behind }, 3: big32(NFT_SET_ELEM_INTERVAL_END) }] : [start];
}

/** The key behind another one; undefined behind the last. */
function successor(key: Uint8Array): Uint8Array | undefined {
  const bytes = new Uint8Array(key);
  for (let at = bytes.length - 1; at >= 0; at--) {
    const byte = bytes[at] ?? 0;
    bytes[at] = byte + 1;
    if (byte < 255) return bytes;
  }
  return undefined;
}
