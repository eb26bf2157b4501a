/** What all requests of nf_tables have: their numbers, their header, and the table that they name. */
import { type Attributes, serialiseAttributes } from "./attribute.ts";
import type { Request } from "./message.ts";
import { big16, type Bytes, joined, nulString, u8 } from "./value.ts";

/** Families of tables; enum nf_inet_protos. */
export const FAMILY = { inet: 1, bridge: 7 } as const;

/** A table, by what tells it from all others. */
export interface Table {
  family: keyof typeof FAMILY;
  name: string;
}

const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
/** Bytes of a `struct nfgenmsg { __u8 family, version; __be16 res_id; }`. */
export const NFGENMSG_SIZE = 4;

/** Messages of nf_tables; enum nf_tables_msg_types. */
export const NFT_MSG = {
  NEWTABLE: 0,
  GETTABLE: 1,
  DELTABLE: 2,
  NEWCHAIN: 3,
  GETCHAIN: 4,
  NEWRULE: 6,
  NEWSET: 9,
  NEWSETELEM: 12,
  DELSETELEM: 14,
} as const;

/** A request about a table or what is in it, whose attribute 1 is the table's name. */
export function tableRequest(
  message: keyof typeof NFT_MSG,
  { family, name }: Table,
  what: string,
  attributes: Attributes = {},
  flags = 0,
): Request {
  return {
    what,
    type: NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG[message],
    flags,
    body: serialiseAttributes(
      { 1: nulString(name), ...attributes },
      new Uint8Array([FAMILY[family], 0, 0, 0]),
    ),
  };
}

/** Requests that are carried out all or none. */
export function batch(requests: readonly Request[]): Request[] {
  const bound = (type: number): Request => ({
    what: "change packet filter rules",
    type,
    flags: 0,
    body: joined(u8(0), u8(0), big16(NFNL_SUBSYS_NFTABLES)),
    isBound: true,
  });
  return [bound(NFNL_MSG_BATCH_BEGIN), ...requests, bound(NFNL_MSG_BATCH_END)];
}

/** Something in the user data of libnftnl, which the kernel keeps and does not read. */
export function udata(type: number, value: Uint8Array): Bytes {
  return joined(u8(type), u8(value.length), value);
}
