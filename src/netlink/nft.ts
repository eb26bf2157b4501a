/**
 * nf_tables: tables, chains, sets, maps and rules, changed in batches that the kernel carries out
 * whole or not at all.
 *
 * @see nft(8), include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h
 */
import { type Attributes, findAttribute, serialiseAttributes } from "./attribute.ts";
import { NLM_F_APPEND, NLM_F_CREATE } from "./constants.ts";
import type { Message, Request } from "./message.ts";
import { type Expression, type Verdict, verdictData } from "./nft_expression.ts";
import { big16, big32, bigNumberOf, joined, nulString, textOf, u32, u8 } from "./value.ts";

const NFPROTO_INET = 1;
const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const [NEWTABLE, GETTABLE, DELTABLE, NEWCHAIN, GETCHAIN] = [0, 1, 2, 3, 4];
const [NEWRULE, NEWSET, NEWSETELEM] = [6, 9, 12];
/** `struct nfgenmsg { __u8 family, version; __be16 res_id; }`. */
const INET = new Uint8Array([NFPROTO_INET, 0, 0, 0]);
const NFGENMSG_SIZE = INET.length;
const NFT_SET_INTERVAL = 0x4;
const NFT_SET_MAP = 0x8;
const NFT_SET_CONCAT = 0x80; // With NFT_SET_INTERVAL: since Linux 5.6.
const NFT_DATA_VERDICT = 0xffffff00;
const NFT_SET_ELEM_INTERVAL_END = 1;
/** Of a message, so that its list stays below the 64 KiB that an attribute can hold. */
const ELEMENTS_LIMIT = 400;

/** Where a base chain sits; enum nf_inet_hooks. */
export const HOOK = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;

/** A chain; one without a hook is jumped to. */
export interface Chain {
  name: string;
  hook?: { type: "filter" | "nat"; at: keyof typeof HOOK; priority: number };
}

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

/** A rule, with what `nft list` shows behind it. */
export interface Rule {
  chain: string;
  expressions: readonly Expression[];
  comment: string;
}

/** What a table of the family inet holds. */
export interface Ruleset {
  chains: readonly Chain[];
  sets: readonly (NftSet & { elements: readonly Element[] })[];
  rules: readonly Rule[];
}

/** Values one behind the other: each begins at a multiple of four bytes. */
export function concatenated(...types: readonly DataType[]): DataType {
  return {
    number: types.reduce((sum, { number }) => sum * 64 + number, 0),
    length: types.reduce((sum, { length }) => sum + (length + 3 & ~3), 0),
    fields: types.map(({ length }) => length),
  };
}

/**
 * The batch that makes a table as it is to be, whatever it was before.
 *
 * Equivalent to `nft -f` of `table inet $name; delete table inet $name; table inet $name { … }`.
 *
 * @param comment shown by `nft list`, and found again by {@linkcode tableCommentIn}
 */
export function replaceTable(name: string, comment: string, ruleset: Ruleset): Request[] {
  return batch([
    newTable(name),
    deleted(name),
    newTable(name, comment),
    ...ruleset.chains.map((chain) => newChain(name, chain)),
    ...ruleset.sets.flatMap((set, index) => [
      newSet(name, set, index + 1),
      ...newElements(name, set, set.elements),
    ]),
    ...ruleset.rules.map((rule) => newRule(name, rule)),
  ]);
}

/** Equivalent to `nft destroy table inet $name`: it need not be there. */
export function deleteTable(name: string): Request[] {
  return batch([newTable(name), deleted(name)]);
}

/** Equivalent to `nft list table inet $name`, without what is in it. */
export function getTable(name: string): Request {
  return request(GETTABLE, `find table "${name}"`, { 1: nulString(name) });
}

/** The comment that a table was made with; undefined for none. */
export function tableCommentIn({ body }: Message): string | undefined {
  const userdata = findAttribute(body, 6, NFGENMSG_SIZE);
  return userdata && textOf(userdata.subarray(2));
}

/** Equivalent to `nft list chain inet $table $name`, without its rules. */
export function getChain(table: string, name: string): Request {
  const body = { 1: nulString(table), 3: nulString(name) };
  return request(GETCHAIN, `find chain "${name}" of table "${table}"`, body);
}

/** How many rules a chain has, and jumps to it. */
export function chainUseIn({ body }: Message): number {
  return bigNumberOf(findAttribute(body, 6, NFGENMSG_SIZE)) ?? 0;
}

function batch(requests: readonly Request[]): Request[] {
  const bound = (type: number): Request => ({
    what: "change packet filter rules",
    type,
    flags: 0,
    body: joined(u8(0), u8(0), big16(NFNL_SUBSYS_NFTABLES)),
    isBound: true,
  });
  return [bound(NFNL_MSG_BATCH_BEGIN), ...requests, bound(NFNL_MSG_BATCH_END)];
}

function newTable(name: string, comment?: string): Request {
  return request(NEWTABLE, `add table "${name}"`, {
    1: nulString(name),
    6: comment === undefined ? undefined : commentBytes(comment),
  }, NLM_F_CREATE);
}

function deleted(name: string): Request {
  return request(DELTABLE, `delete table "${name}"`, { 1: nulString(name) });
}

function newChain(table: string, { name, hook }: Chain): Request {
  const NF_ACCEPT = 1;
  return request(NEWCHAIN, `add chain "${name}"`, {
    1: nulString(table),
    3: nulString(name),
    4: hook && { 1: big32(HOOK[hook.at]), 2: big32(hook.priority) },
    5: hook && big32(NF_ACCEPT),
    7: hook && nulString(hook.type),
  }, NLM_F_CREATE);
}

function newSet(table: string, set: NftSet, id: number): Request {
  const { name, key, data, isInterval } = set;
  const fields = isInterval ? key.fields : undefined;
  const flags = (isInterval ? NFT_SET_INTERVAL : 0) | (fields ? NFT_SET_CONCAT : 0) |
    (data ? NFT_SET_MAP : 0);
  const value: Attributes = data === undefined
    ? {}
    : data === "verdict"
    ? { 6: big32(NFT_DATA_VERDICT), 7: big32(0) }
    : { 6: big32(data.number), 7: big32(data.length) };
  return request(NEWSET, `add ${data ? "map" : "set"} "${name}"`, {
    1: nulString(table),
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

/** Something in the user data of libnftnl, which the kernel keeps and does not read. */
function udata(type: number, value: Uint8Array): Uint8Array {
  return joined(u8(type), u8(value.length), value);
}

function newElements(table: string, set: NftSet, elements: readonly Element[]): Request[] {
  const list = elements.flatMap((element) => elementAttributes(set, element));
  const requests: Request[] = [];
  for (let at = 0; at < list.length; at += ELEMENTS_LIMIT) {
    requests.push(request(NEWSETELEM, `add elements to "${set.name}"`, {
      1: nulString(table),
      2: nulString(set.name),
      3: { 1: list.slice(at, at + ELEMENTS_LIMIT) },
    }, NLM_F_CREATE));
  }
  return requests;
}

/** One element; of a plain interval its begin and, unless all larger keys are in it, its end. */
function elementAttributes(set: NftSet, { key, end = key, data }: Element): Attributes[] {
  const value = data === undefined
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

function newRule(table: string, { chain, expressions, comment }: Rule): Request {
  return request(NEWRULE, `add the rule "${comment}" to chain "${chain}"`, {
    1: nulString(table),
    2: nulString(chain),
    4: { 1: expressions },
    7: commentBytes(comment),
  }, NLM_F_CREATE | NLM_F_APPEND);
}

function commentBytes(comment: string): Uint8Array {
  const COMMENT = 0; // Of a table's and a rule's alike.
  return udata(COMMENT, nulString(comment));
}

function request(message: number, what: string, attributes: Attributes, flags = 0): Request {
  return {
    what,
    type: NFNL_SUBSYS_NFTABLES << 8 | message,
    flags,
    body: serialiseAttributes(attributes, INET),
  };
}
