/** Addresses of links: `ip address`; rtnetlink(7). Addresses are 4 or 16 bytes. */
import { AF_INET, AF_INET6 } from "../../ffi/mod.ts";
import { type Attributes, findAttribute, serialiseAttributes } from "./attribute.ts";
import {
  IFA_ADDRESS,
  IFA_BROADCAST,
  IFA_F_NODAD,
  IFA_LOCAL,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REPLACE,
  RT_SCOPE_UNIVERSE,
  RTM_GETADDR,
  RTM_NEWADDR,
} from "./constants.ts";
import type { Message, Request } from "./message.ts";
import { type Bytes, joined, numberOf, u32, u8 } from "./value.ts";

/** Bytes of a `struct ifaddrmsg`. */
const IFADDRMSG_SIZE = 8;
/** An address of an interface, with the length of its network's prefix. */
export interface InterfaceAddress {
  address: Uint8Array;
  /** Bits. */
  prefix: number;
  /** Of its interface. */
  index: number;
}

/**
 * Equivalent to `ip address replace $address/$prefix broadcast + dev $index nodad`: it can be used
 * at once, as minictr itself sees to it that there is no second one.
 */
export function newAddress({ address, prefix, index }: InterfaceAddress): Request {
  const isV4 = address.length === 4;
  const attributes: Attributes = {
    [IFA_ADDRESS]: address,
    [IFA_LOCAL]: address,
    [IFA_BROADCAST]: isV4 && prefix < 31 ? broadcast(address, prefix) : undefined,
  };
  return {
    what: `add address ${written(address)}/${prefix} to link ${index}`,
    type: RTM_NEWADDR,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    body: joined(
      // struct ifaddrmsg { __u8 family, prefixlen, flags, scope; __u32 index; };
      joined(u8(familyOf(address)), u8(prefix), u8(isV4 ? 0 : IFA_F_NODAD), u8(RT_SCOPE_UNIVERSE)),
      u32(index),
      serialiseAttributes(attributes),
    ),
  };
}

/** Equivalent to `ip address show`. */
export function getAddresses(): Request {
  const body = new Uint8Array(IFADDRMSG_SIZE);
  return { what: "list addresses", type: RTM_GETADDR, flags: NLM_F_DUMP, body };
}

/** The address that a message tells of; undefined for one without. */
export function addressIn({ body }: Message): InterfaceAddress | undefined {
  const attribute = (type: number) => findAttribute(body, type, IFADDRMSG_SIZE);
  const address = attribute(IFA_LOCAL) ?? attribute(IFA_ADDRESS);
  const index = numberOf(body.subarray(4, 8)) ?? 0;
  return address && { address, prefix: body[1] ?? 0, index };
}

/** AF_INET or AF_INET6, by the length. */
export function familyOf(address: Uint8Array | undefined): number {
  return address?.length === 16 ? AF_INET6 : AF_INET;
}

/** The last address of a network. */
function broadcast(address: Uint8Array, prefix: number): Bytes {
  const bytes = new Uint8Array(address);
  for (let bit = prefix; bit < 32; bit++) {
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  }
  return bytes;
}

/** An address in an error; groups of IPv6 are not shortened. */
export function written(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const hex = Array.from(address, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.match(/.{4}/g)?.join(":") ?? "";
}
