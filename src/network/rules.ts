/** The packet filter's table, from networks and endpoints; pure. */
import {
  anyBit,
  big16,
  type Bytes,
  cmp,
  concatenated,
  ct,
  CT_STATE,
  CT_STATUS_DNAT,
  type DataType,
  dnat,
  type Element,
  type Expression,
  fibDestinationType,
  interfaceName,
  joined,
  lookup,
  mapTo,
  masquerade,
  meta,
  payload,
  REG32_01,
  REG32_02,
  REG32_05,
  REG_2,
  type Rule,
  type Ruleset,
  TYPE,
  u32,
  u8,
  verdict,
} from "../netlink/mod.ts";
import { parseAddress, parseCidr, parseSubnet } from "./address.ts";
import { guarding } from "./guard.ts";
import type { Endpoint } from "./lease.ts";
import { address, AF_INET, AF_INET6, iif, isFamily, OFFSET, oif } from "./match.ts";
import { hash, type Network } from "./network.ts";
import type { Protocol, Published } from "./port.ts";

/** Goes up whenever the rules that follow from the same state change. */
const VERSION = 2;

const RTN_LOCAL = 2;
const PROTOCOLS: Record<Protocol, number> = { tcp: 6, udp: 17, sctp: 132 };
/** ::1 */
const LOOPBACK_6 = new Uint8Array(16).fill(1, 15);

/** What tells two sets of rules apart, without making them. */
export function fingerprint(networks: readonly Network[], endpoints: readonly Endpoint[]): string {
  const published = endpoints.filter(({ ports }) => ports.length > 0);
  return hash(JSON.stringify([
    VERSION,
    networks.map(({ bridge, subnets, internal }) => [bridge, subnets, internal]),
    published.map(({ network, addresses, ports }) => [network, addresses, ports]),
  ]));
}

/**
 * The rules of all networks.
 *
 * ```
 * raw          127/8 from outside: drop; addresses of containers from outside: drop, by one look
 *              into a map, however many networks there are
 * prerouting   to one of the host's addresses: publish   (output: the same)
 * publish      dnat by protocol, address and port
 * forward      established: accept; internal networks: drop; published: accept;
 *              within a bridge: accept; into a bridge: drop
 * postrouting  from a network by another interface: masquerade; the host's 127/8 and the network
 *              itself to a published port: masquerade, so that the answer comes back this way
 * ```
 */
export function rulesFor(networks: readonly Network[], endpoints: readonly Endpoint[]): Ruleset {
  const open = new Set(networks.filter(({ internal }) => !internal).map(({ name }) => name));
  const published = endpoints.filter(({ network, ports }) => ports.length > 0 && open.has(network));
  const publish = published.length > 0 ? publishing(published) : undefined;
  const guard = guarding(networks);
  return {
    chains: [
      { name: "raw", hook: { type: "filter", at: "prerouting", priority: -300 } },
      { name: "forward", hook: { type: "filter", at: "forward", priority: 0 } },
      { name: "postrouting", hook: { type: "nat", at: "postrouting", priority: 100 } },
      ...guard.chains,
      ...publish?.chains ?? [],
    ],
    sets: [
      {
        name: "bridges",
        key: TYPE.ifname,
        elements: networks.map(({ bridge }) => ({ key: interfaceName(bridge) })),
      },
      ...guard.sets,
      ...publish?.sets ?? [],
    ],
    rules: [
      ...guard.rules,
      ...forward(networks),
      ...networks.flatMap((network) => masquerades(network, publish !== undefined)),
      ...publish?.rules ?? [],
    ],
  };
}

function forward(networks: readonly Network[]): Rule[] {
  const rule = (comment: string, how: "accept" | "drop", ...expressions: Expression[]): Rule => ({
    chain: "forward",
    comment,
    expressions: [...expressions, verdict({ verdict: how })],
  });
  const internal = networks.filter(({ internal }) => internal);
  const intoBridge = [meta("oifname"), lookup("bridges")];
  return [
    ...internal.flatMap(({ name, bridge }) => [
      rule(`${name}: internal, nothing out`, "drop", ...iif("eq", bridge), ...oif("neq", bridge)),
      rule(`${name}: internal, nothing in`, "drop", ...oif("eq", bridge), ...iif("neq", bridge)),
    ]),
    rule(
      "answers",
      "accept",
      ct("state"),
      ...anyBit(CT_STATE.established | CT_STATE.related),
    ),
    rule("published ports", "accept", ...intoBridge, ct("status"), ...anyBit(CT_STATUS_DNAT)),
    ...networks.map(({ name, bridge }) =>
      rule(`${name}: among its own`, "accept", ...iif("eq", bridge), ...oif("eq", bridge))
    ),
    rule("from other networks and from outside", "drop", ...intoBridge),
  ];
}

function masquerades(network: Network, publishes: boolean): Rule[] {
  const { name, bridge, subnets, internal } = network;
  if (internal) return [];
  const rule = (comment: string, ...expressions: Expression[]): Rule => ({
    chain: "postrouting",
    comment: `${name}: ${comment}`,
    expressions: [...expressions, masquerade()],
  });
  const own = subnets.map(({ subnet }) => parseSubnet(subnet));
  const translated = [...oif("eq", bridge), ct("status"), ...anyBit(CT_STATUS_DNAT)];
  const hairpins = [parseSubnet("127.0.0.0/8"), ...own];
  return [
    ...own.map((subnet) => rule("out", ...address("saddr", subnet), ...oif("neq", bridge))),
    ...publishes
      ? hairpins.map((subnet) => rule("hairpin", ...translated, ...address("saddr", subnet)))
      : [],
  ];
}

/** What is there only when ports are published. */
function publishing(endpoints: readonly Endpoint[]): Ruleset {
  const byFamily = ([4, 16] as const).map((length) => publishingFamily(length, endpoints));
  const jump = (chain: string): Rule => ({
    chain,
    comment: "published ports",
    expressions: [
      fibDestinationType(),
      cmp("eq", u32(RTN_LOCAL)),
      verdict({ verdict: "jump", chain: "publish" }),
    ],
  });
  return {
    chains: [
      { name: "publish" },
      { name: "prerouting", hook: { type: "nat", at: "prerouting", priority: -100 } },
      { name: "output", hook: { type: "nat", at: "output", priority: -100 } },
    ],
    sets: byFamily.flatMap(({ sets }) => sets),
    rules: [...byFamily.flatMap(({ rules }) => rules), jump("prerouting"), jump("output")],
  };
}

/**
 * Of one family, a map for ports that become others and one for those that keep their number, in
 * which a range of any length is one element.
 */
function publishingFamily(length: 4 | 16, endpoints: readonly Endpoint[]): Ruleset {
  const type = length === 4 ? TYPE.ipv4_addr : TYPE.ipv6_addr;
  const service = concatenated(type, TYPE.inet_service);
  const key = concatenated(TYPE.inet_proto, type, TYPE.inet_service);
  const elements = (keeps: boolean) =>
    endpoints.flatMap(({ addresses, ports }) =>
      ports.filter(({ host, container }) => (host === container) === keeps)
        .flatMap((port) => elementsOf(port, ofLength(addresses, length)))
    );
  const version = length === 4 ? "4" : "6";
  const maps = [
    { name: `ports${version}`, data: service, elements: elements(false) },
    { name: `ranges${version}`, data: type, elements: elements(true) },
  ].filter(({ elements }) => elements.length > 0);
  const family = length === 4 ? AF_INET : AF_INET6;
  const port = length === 4 ? REG32_01 : REG_2; // Behind the address, in what the map gave.
  const translate = ({ name, data }: { name: string; data: DataType }): Rule => ({
    chain: "publish",
    comment: data === type ? "to the same port" : "to another port",
    expressions: [
      ...isFamily(family),
      meta("l4proto"),
      payload("network", OFFSET[length].daddr, length, REG32_01),
      payload("transport", 2, 2, length === 4 ? REG32_02 : REG32_05),
      mapTo(name),
      dnat(family, data === type ? {} : { port }),
    ],
  });
  // From ::1 there is no way out, and being refused is better than waiting for an answer.
  const refuse: Rule = {
    chain: "publish",
    comment: "::1 cannot be translated",
    expressions: [
      ...address("daddr", { address: LOOPBACK_6, prefix: 128 }),
      verdict({ verdict: "return" }),
    ],
  };
  return {
    chains: [],
    sets: maps.map((map) => ({ ...map, key, isInterval: true })),
    rules: [...length === 16 && maps.length > 0 ? [refuse] : [], ...maps.map(translate)],
  };
}

/** A published range as elements: one if it keeps its numbers, else one for each port. */
function elementsOf(published: Published, to: Bytes | undefined): Element[] {
  const { protocol, hostIp, host, container, count } = published;
  const on = hostIp === undefined || hostIp === "::" ? undefined : parseAddress(hostIp);
  if (!to || (on && on.length !== to.length)) return [];
  const first = on ?? new Uint8Array(to.length);
  const last = on ?? new Uint8Array(to.length).fill(0xff);
  const key = (address: Uint8Array, port: number) =>
    padded(u8(PROTOCOLS[protocol]), address, big16(port));
  if (host === container) {
    return [{ key: key(first, host), end: key(last, host + count - 1), data: to }];
  }
  return Array.from({ length: count }, (_, step) => ({
    key: key(first, host + step),
    end: key(last, host + step),
    data: padded(to, big16(container + step)),
  }));
}

/** Values in a concatenation: each begins at a multiple of four bytes. */
function padded(...values: Uint8Array[]): Bytes {
  return joined(...values.flatMap((value) => [value, new Uint8Array(-value.length & 3)]));
}

/** An endpoint's address of IPv4 or IPv6. */
function ofLength(addresses: readonly string[], length: 4 | 16): Bytes | undefined {
  return addresses.map((text) => parseCidr(text).address).find((one) => one.length === length);
}
