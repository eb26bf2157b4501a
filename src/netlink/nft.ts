/**
 * nf_tables: tables, chains, sets, maps and rules, changed in batches that the kernel carries out
 * whole or not at all.
 *
 * @see nft(8), include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h
 */
import { findAttribute } from "./attribute.ts";
import { NLM_F_APPEND, NLM_F_CREATE } from "./constants.ts";
import type { Message, Request } from "./message.ts";
import type { Expression } from "./nft_expression.ts";
import { batch, NFGENMSG_SIZE, type Table, tableRequest, udata } from "./nft_request.ts";
import { elementRequests, newSet, type SetElements } from "./nft_set.ts";
import { big32, bigNumberOf, nulString, textOf } from "./value.ts";

/** Where a base chain sits; enum nf_inet_hooks. */
export const HOOK = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;

/** A chain; one without a hook is jumped to. */
export interface Chain {
  name: string;
  hook?: { type: "filter" | "nat"; at: keyof typeof HOOK; priority: number };
}

/** A rule, with what `nft list` shows behind it. */
export interface Rule {
  chain: string;
  expressions: readonly Expression[];
  comment: string;
}

/** What a table holds. */
export interface Ruleset {
  chains: readonly Chain[];
  sets: readonly SetElements[];
  rules: readonly Rule[];
}

/** A table as it is to be, with a comment that `nft list` shows and {@linkcode tableCommentIn} reads. */
export interface NewTable extends Table, Ruleset {
  comment: string;
}

/**
 * The batch that makes tables as they are to be, whatever they were before.
 *
 * Equivalent to `nft -f` of `table $family $name; delete table $family $name; table $family $name
 * { … }` for each.
 */
export function replaceTables(...tables: readonly NewTable[]): Request[] {
  return batch(tables.flatMap((table) => [
    newTable(table),
    deleted(table),
    newTable(table, table.comment),
    ...table.chains.map((chain) => newChain(table, chain)),
    ...table.sets.flatMap((set, index) => [
      newSet(table, set, index + 1),
      ...elementRequests(table, set),
    ]),
    ...table.rules.map((rule) => newRule(table, rule)),
  ]));
}

/** Equivalent to `nft destroy table $family $name` for each: they need not be there. */
export function deleteTables(...tables: readonly Table[]): Request[] {
  return batch(tables.flatMap((table) => [newTable(table), deleted(table)]));
}

/** Equivalent to `nft list table $family $name`, without what is in it. */
export function getTable(table: Table): Request {
  return tableRequest("GETTABLE", table, `find table "${table.name}"`);
}

/** The comment that a table was made with; undefined for none. */
export function tableCommentIn({ body }: Message): string | undefined {
  const userdata = findAttribute(body, 6, NFGENMSG_SIZE);
  return userdata && textOf(userdata.subarray(2));
}

/** Equivalent to `nft list chain $family $table $name`, without its rules. */
export function getChain(table: Table, name: string): Request {
  const what = `find chain "${name}" of table "${table.name}"`;
  return tableRequest("GETCHAIN", table, what, { 3: nulString(name) });
}

/** How many rules a chain has, and jumps to it. */
export function chainUseIn({ body }: Message): number {
  return bigNumberOf(findAttribute(body, 6, NFGENMSG_SIZE)) ?? 0;
}

function newTable(table: Table, comment?: string): Request {
  return tableRequest("NEWTABLE", table, `add table "${table.name}"`, {
    6: comment === undefined ? undefined : commentBytes(comment),
  }, NLM_F_CREATE);
}

function deleted(table: Table): Request {
  return tableRequest("DELTABLE", table, `delete table "${table.name}"`);
}

function newChain(table: Table, { name, hook }: Chain): Request {
  const NF_ACCEPT = 1;
  return tableRequest("NEWCHAIN", table, `add chain "${name}"`, {
    3: nulString(name),
    4: hook && { 1: big32(HOOK[hook.at]), 2: big32(hook.priority) },
    5: hook && big32(NF_ACCEPT),
    7: hook && nulString(hook.type),
  }, NLM_F_CREATE);
}

function newRule(table: Table, { chain, expressions, comment }: Rule): Request {
  return tableRequest("NEWRULE", table, `add the rule "${comment}" to chain "${chain}"`, {
    2: nulString(chain),
    4: { 1: expressions },
    7: commentBytes(comment),
  }, NLM_F_CREATE | NLM_F_APPEND);
}

function commentBytes(comment: string): Uint8Array {
  const COMMENT = 0; // Of a table's and a rule's alike.
  return udata(COMMENT, nulString(comment));
}
