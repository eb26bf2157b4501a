/** What others have put into nf_tables: chains and rules of all tables, as far as they are asked about. */
import { findAttribute, readAttributes, readList } from "./attribute.ts";
import { NLM_F_DUMP } from "./constants.ts";
import type { Message, Request } from "./message.ts";
import { NFGENMSG_SIZE } from "./nft_request.ts";
import { bigNumberOf, textOf } from "./value.ts";

const NFT_MSG_GETCHAIN = 0xa04, NFT_MSG_GETRULE = 0xa07;
const NF_DROP = 0;
const FAMILIES: Record<number, string> = {
  1: "inet",
  2: "ip",
  3: "arp",
  5: "netdev",
  7: "bridge",
  10: "ip6",
};

/** A chain of any table. */
export interface ListedChain {
  family: string;
  table: string;
  name: string;
  /** enum nf_inet_hooks; absent for one that is jumped to. */
  hook?: number;
  /** Whether what its rules do not decide is dropped. */
  drops: boolean;
}

/** A rule of any table. */
export interface ListedRule {
  family: string;
  table: string;
  chain: string;
  expressions: { name: string; data: Map<number, Uint8Array> }[];
}

/** Equivalent to `nft list chains`. */
export function getChains(): Request {
  return dump("list chains", NFT_MSG_GETCHAIN);
}

/** The chain that a message tells of. */
export function chainIn({ body }: Message): ListedChain {
  const hook = attribute(body, 4);
  const hooked = hook && bigNumberOf(findAttribute(hook, 1));
  return {
    ...placeIn(body, 3),
    drops: bigNumberOf(attribute(body, 5)) === NF_DROP,
    ...hooked === undefined ? {} : { hook: hooked },
  };
}

/** Equivalent to `nft list ruleset`, its rules alone. */
export function getRules(): Request {
  return dump("list rules", NFT_MSG_GETRULE);
}

/** The rule that a message tells of. */
export function ruleIn({ body }: Message): ListedRule {
  const { name: chain, ...table } = placeIn(body, 2);
  const expressions = readList(attribute(body, 4) ?? new Uint8Array()).map((one) => ({
    name: textOf(findAttribute(one, 1) ?? new Uint8Array()),
    data: readAttributes(findAttribute(one, 2) ?? new Uint8Array()),
  }));
  return { ...table, chain, expressions };
}

function dump(what: string, type: number): Request {
  return { what, type, flags: NLM_F_DUMP, body: new Uint8Array(NFGENMSG_SIZE) };
}

function placeIn(body: Uint8Array, chain: number): { family: string; table: string; name: string } {
  const text = (type: number) => textOf(attribute(body, type) ?? new Uint8Array());
  return { family: FAMILIES[body[0] ?? 0] ?? "?", table: text(1), name: text(chain) };
}

function attribute(body: Uint8Array, type: number): Uint8Array | undefined {
  return findAttribute(body, type, NFGENMSG_SIZE);
}
