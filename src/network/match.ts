/** What rules ask of a packet: its family, its addresses, its interfaces. */
import { cmp, type Expression, interfaceName, mask, meta, payload, u8 } from "../netlink/mod.ts";
import { maskOf, type Subnet } from "./address.ts";

/** As `meta nfproto` has them. */
export const AF_INET = 2, AF_INET6 = 10;
/** Bytes: where the addresses are in a header of IP whose addresses are so long. */
export const OFFSET = { 4: { saddr: 12, daddr: 16 }, 16: { saddr: 8, daddr: 24 } } as const;

/** Goes on only for packets of AF_INET or AF_INET6. */
export function isFamily(family: number): Expression[] {
  return [meta("nfproto"), cmp("eq", u8(family))];
}

/** Goes on only for packets of a subnet. */
export function address(which: "saddr" | "daddr", subnet: Subnet): Expression[] {
  const length = subnet.address.length === 4 ? 4 : 16;
  return [
    ...isFamily(length === 4 ? AF_INET : AF_INET6),
    payload("network", OFFSET[length][which], length),
    ...subnet.prefix < length * 8 ? [mask(maskOf(subnet))] : [],
    cmp("eq", subnet.address),
  ];
}

/** Goes on only for packets that came in by an interface, or by another. */
export function iif(how: "eq" | "neq", name: string): Expression[] {
  return [meta("iifname"), cmp(how, interfaceName(name))];
}

/** Goes on only for packets that leave by an interface, or by another. */
export function oif(how: "eq" | "neq", name: string): Expression[] {
  return [meta("oifname"), cmp(how, interfaceName(name))];
}
