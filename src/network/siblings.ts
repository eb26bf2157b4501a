/**
 * What containers on one bridge may not do to one another and to the host, although the bridge would
 * pass it on: a table of the family bridge; pure.
 */
import {
  big16,
  cmp,
  type Expression,
  lookup,
  meta,
  payload,
  plainString,
  type Rule,
  type Ruleset,
  TYPE,
  u8,
  verdict,
} from "../netlink/mod.ts";
import { parseAddress } from "./address.ts";
import { type Network, VETH_PREFIX } from "./network.ts";

const ETH_P_ARP = 0x0806, ETH_P_IPV6 = 0x86dd;
const IPPROTO_ICMPV6 = 58;
const ND_ROUTER_ADVERT = 134, ND_NEIGHBOR_ADVERT = 136;
/** Bytes: where the sender's address is in an ARP message, and the target in an advertisement. */
const ARP_SENDER = 14, ND_TARGET = 8;

/**
 * ```
 * siblings   from a container: a router advertisement (CVE-2020-13401, CVE-2020-10749), or an
 *            answer in the bridge's place, by ARP or a neighbour advertisement: drop
 * ```
 * A packet of IPv4 ends each of the rules at its first comparison. Containers are told by the names
 * of their host's ends, as `meta ibrname` is not in all kernels.
 */
export function siblings(networks: readonly Network[]): Ruleset {
  const gateways = networks.flatMap(({ subnets }) =>
    subnets.map(({ gateway }) => parseAddress(gateway)).filter((one) => one !== undefined)
  );
  const elements = (length: number) =>
    gateways.filter((address) => address.length === length).map((key) => ({ key }));
  const drop = (comment: string, ...expressions: Expression[]): Rule => ({
    chain: "siblings",
    comment,
    expressions: [...expressions, ...fromContainer(), verdict({ verdict: "drop" })],
  });
  return {
    chains: [{ name: "siblings", hook: { type: "filter", at: "prerouting", priority: -300 } }],
    sets: [
      { name: "gateways4", key: TYPE.ipv4_addr, elements: elements(4) },
      { name: "gateways6", key: TYPE.ipv6_addr, elements: elements(16) },
    ],
    rules: [
      drop("router advertisements", ...icmpv6(ND_ROUTER_ADVERT)),
      drop(
        "the bridge's address by ARP",
        ...etherType(ETH_P_ARP),
        payload("network", ARP_SENDER, 4),
        lookup("gateways4"),
      ),
      drop(
        "the bridge's address by neighbour discovery",
        ...icmpv6(ND_NEIGHBOR_ADVERT),
        payload("transport", ND_TARGET, 16),
        lookup("gateways6"),
      ),
    ],
  };
}

function etherType(type: number): Expression[] {
  return [meta("protocol"), cmp("eq", big16(type))];
}

function icmpv6(type: number): Expression[] {
  return [
    ...etherType(ETH_P_IPV6),
    meta("l4proto"),
    cmp("eq", u8(IPPROTO_ICMPV6)),
    payload("transport", 0, 1),
    cmp("eq", u8(type)),
  ];
}

/** As `iifname "vethm*"`: only so many bytes are compared. */
function fromContainer(): Expression[] {
  return [meta("iifname"), cmp("eq", plainString(VETH_PREFIX))];
}
