/** Published ports in the packet filter: the rules once, and an element of a map for each; pure. */
import {
  big16,
  type Bytes,
  cmp,
  concatenated,
  dnat,
  type Element,
  fibDestinationType,
  joined,
  mapTo,
  meta,
  payload,
  REG32_01,
  REG32_02,
  REG32_05,
  REG_2,
  type Rule,
  type Ruleset,
  type SetElements,
  TYPE,
  u32,
  u8,
  verdict,
} from "../netlink/mod.ts";
import { parseAddress, parseCidr } from "./address.ts";
import type { Endpoint } from "./lease.ts";
import { address, AF_INET, AF_INET6, isFamily, OFFSET } from "./match.ts";
import type { Network } from "./network.ts";
import type { Protocol, Published } from "./port_choice.ts";

const RTN_LOCAL = 2;
const PROTOCOLS: Record<Protocol, number> = { tcp: 6, udp: 17, sctp: 132 };
/** ::1 */
const LOOPBACK_6 = new Uint8Array(16).fill(1, 15);

/** Chains, maps and rules that lead from the host's ports to those of containers. */
export function publishing(
  networks: readonly Network[],
  endpoints: readonly Endpoint[],
): Ruleset {
  const hasV6 = networks.some(({ subnets }) => subnets.some(({ subnet }) => subnet.includes(":")));
  const lengths = hasV6 ? [4, 16] as const : [4] as const;
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
    sets: lengths.flatMap((length) => mapsFor(length, endpoints)),
    rules: [
      ...lengths.flatMap((length) => translating(length)),
      jump("prerouting"),
      jump("output"),
    ],
  };
}

/** The elements that some endpoints' published ports are, map by map. */
export function publishedElements(endpoints: readonly Endpoint[]): SetElements[] {
  return ([4, 16] as const).flatMap((length) => mapsFor(length, endpoints))
    .filter(({ elements }) => elements.length > 0);
}

/**
 * Of one family, a map for ports that become others and one for those that keep their number, in
 * which a range of any length is one element.
 */
function mapsFor(length: 4 | 16, endpoints: readonly Endpoint[]): SetElements[] {
  const type = length === 4 ? TYPE.ipv4_addr : TYPE.ipv6_addr;
  const key = concatenated(TYPE.inet_proto, type, TYPE.inet_service);
  const elements = (keeps: boolean) =>
    endpoints.flatMap(({ addresses, ports }) =>
      ports.filter(({ host, container }) => (host === container) === keeps)
        .flatMap((port) => elementsOf(port, ofLength(addresses, length)))
    );
  const { ports, ranges } = namesOf(length);
  const service = concatenated(type, TYPE.inet_service);
  return [
    { name: ports, key, data: service, isInterval: true, elements: elements(false) },
    { name: ranges, key, data: type, isInterval: true, elements: elements(true) },
  ];
}

function namesOf(length: 4 | 16): { ports: string; ranges: string } {
  const version = length === 4 ? "4" : "6";
  return { ports: `ports${version}`, ranges: `ranges${version}` };
}

function translating(length: 4 | 16): Rule[] {
  const family = length === 4 ? AF_INET : AF_INET6;
  const port = length === 4 ? REG32_01 : REG_2; // Behind the address, in what the map gave.
  const translate = (name: string, comment: string, to: { port?: number }): Rule => ({
    chain: "publish",
    comment,
    expressions: [
      ...isFamily(family),
      meta("l4proto"),
      payload("network", OFFSET[length].daddr, length, REG32_01),
      payload("transport", 2, 2, length === 4 ? REG32_02 : REG32_05),
      mapTo(name),
      dnat(family, to),
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
  const { ports, ranges } = namesOf(length);
  return [
    ...length === 16 ? [refuse] : [],
    translate(ports, "to another port", { port }),
    translate(ranges, "to the same port", {}),
  ];
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
