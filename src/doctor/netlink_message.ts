/**
 * The few netlink messages that trials send and read; pure.
 *
 * @see netlink(7), rtnetlink(7), linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
 */

const NLM_F_REQUEST = 1, NLM_F_ACK = 4, NLM_F_CREATE = 0x400;
const NLMSG_ERROR = 2;
const RTM_NEWLINK = 16;
const IFLA_IFNAME = 3, IFLA_LINKINFO = 18, IFLA_INFO_KIND = 1, IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const NFNL_MSG_BATCH_BEGIN = 0x10, NFNL_MSG_BATCH_END = 0x11, NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_NEWTABLE = 0xa00, NFT_MSG_NEWCHAIN = 0xa03;
const NFTA_CHAIN_TABLE = 1, NFTA_CHAIN_NAME = 3, NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_TYPE = 7, NFTA_HOOK_HOOKNUM = 1, NFTA_HOOK_PRIORITY = 2;
const NLA_F_NESTED = 0x8000;
const NFPROTO_UNSPEC = 0, NFPROTO_INET = 1;
const NF_INET_POST_ROUTING = 4;
const PRIORITY_SRCNAT = 100;
const HEADER_BYTES = 16;

const encoder = new TextEncoder();

/** Equivalent to `ip link add $name type bridge`. */
export function newBridge(name: string): Uint8Array {
  return message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE, [
    link(name),
    attribute(IFLA_LINKINFO | NLA_F_NESTED, [attribute(IFLA_INFO_KIND, [text("bridge")])]),
  ]);
}

/** Equivalent to `ip link add $name type veth peer name $peer`. */
export function newVeth(name: string, peer: string): Uint8Array {
  return message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE, [
    link(name),
    attribute(IFLA_LINKINFO | NLA_F_NESTED, [
      attribute(IFLA_INFO_KIND, [text("veth")]),
      attribute(IFLA_INFO_DATA | NLA_F_NESTED, [
        attribute(VETH_INFO_PEER | NLA_F_NESTED, [link(peer)]),
      ]),
    ]),
  ]);
}

/**
 * Equivalent to `nft 'add table inet $name; add chain inet $name nat { type nat hook postrouting
 * priority srcnat; }'`.
 */
export function newNatTable(name: string): Uint8Array {
  return join([
    message(NFNL_MSG_BATCH_BEGIN, 0, [family(NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES)]),
    message(NFT_MSG_NEWTABLE, NLM_F_CREATE, [family(NFPROTO_INET), attribute(1, [text(name)])]),
    message(NFT_MSG_NEWCHAIN, NLM_F_ACK | NLM_F_CREATE, [
      family(NFPROTO_INET),
      attribute(NFTA_CHAIN_TABLE, [text(name)]),
      attribute(NFTA_CHAIN_NAME, [text("nat")]),
      attribute(NFTA_CHAIN_HOOK | NLA_F_NESTED, [
        attribute(NFTA_HOOK_HOOKNUM, [u32BigEndian(NF_INET_POST_ROUTING)]),
        attribute(NFTA_HOOK_PRIORITY, [u32BigEndian(PRIORITY_SRCNAT)]),
      ]),
      attribute(NFTA_CHAIN_TYPE, [text("nat")]),
    ]),
    message(NFNL_MSG_BATCH_END, 0, [family(NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES)]),
  ]);
}

/** A message of an answer. */
export interface Message {
  type: number;
  body: Uint8Array;
}

/** The messages of what was received. */
export function messagesIn(bytes: Uint8Array): Message[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: Message[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > bytes.length) break;
    const body = bytes.subarray(at + HEADER_BYTES, at + length);
    messages.push({ type: view.getUint16(at + 4, true), body });
    at += length + 3 & ~3;
  }
  return messages;
}

/** The first error among some messages as a positive number; 0: all was done; undefined: no word. */
export function errorIn(messages: readonly Message[]): number | undefined {
  let acknowledged: number | undefined;
  for (const { type, body } of messages) {
    if (type !== NLMSG_ERROR || body.length < 4) continue;
    const error = -new DataView(body.buffer, body.byteOffset).getInt32(0, true);
    if (error !== 0) return error;
    acknowledged = 0;
  }
  return acknowledged;
}

/** `struct nlmsghdr { u32 len; u16 type; u16 flags; u32 seq; u32 pid; }` and what follows it. */
function message(type: number, flags: number, parts: Uint8Array[]): Uint8Array {
  const body = join(parts);
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setUint32(0, HEADER_BYTES + body.length, true);
  header.setUint16(4, type, true);
  header.setUint16(6, NLM_F_REQUEST | flags, true);
  return join([new Uint8Array(header.buffer), body]);
}

/** `struct ifinfomsg`, all of it 0, and a name. */
function link(name: string): Uint8Array {
  return join([new Uint8Array(16), attribute(IFLA_IFNAME, [text(name)])]);
}

/** `struct nfgenmsg { u8 family; u8 version; be16 res_id; }`. */
function family(protocol: number, resource = 0): Uint8Array {
  return new Uint8Array([protocol, 0, 0, resource]);
}

/** `struct nlattr { u16 len; u16 type; }`, its content, and zeros up to a multiple of 4 bytes. */
function attribute(type: number, parts: Uint8Array[]): Uint8Array {
  const body = join(parts);
  const bytes = new Uint8Array(4 + body.length + 3 & ~3);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + body.length, true);
  view.setUint16(2, type, true);
  bytes.set(body, 4);
  return bytes;
}

function text(value: string): Uint8Array {
  return encoder.encode(`${value}\0`);
}

function u32BigEndian(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value);
  return new Uint8Array(view.buffer);
}

function join(parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
