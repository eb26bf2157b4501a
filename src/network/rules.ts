/** The packet filter's tables, from networks and endpoints; pure. */
import {
  anyBit,
  ct,
  CT_STATE,
  CT_STATUS_DNAT,
  type Expression,
  interfaceName,
  lookup,
  masquerade,
  meta,
  type Rule,
  type Ruleset,
  TYPE,
  verdict,
} from "../netlink/mod.ts";
import { parseSubnet } from "./address.ts";
import { guarding } from "./guard.ts";
import type { Endpoint } from "./lease.ts";
import { address, iif, oif } from "./match.ts";
import type { Network } from "./network.ts";
import { publishing } from "./publish.ts";

/**
 * The rules of all networks. Other rules from the same networks need another `VERSION` in
 * fingerprint.ts.
 *
 * ```
 * raw          127/8 from outside: drop; addresses of containers from outside: drop, by one look
 *              into a map, however many networks there are
 * prerouting   to one of the host's addresses: publish   (output: the same)
 * publish      dnat by protocol, address and port, looked up in maps
 * forward      established: accept; internal networks: drop; published: accept;
 *              within a bridge: accept; into a bridge: drop
 * postrouting  from a network by another interface: masquerade; the host's 127/8 and the network
 *              itself to a published port: masquerade, so that the answer comes back this way
 * ```
 */
export function rulesFor(networks: readonly Network[], endpoints: readonly Endpoint[]): Ruleset {
  const publish = publishing(networks, endpoints);
  const guard = guarding(networks);
  return {
    chains: [
      { name: "raw", hook: { type: "filter", at: "prerouting", priority: -300 } },
      { name: "forward", hook: { type: "filter", at: "forward", priority: 0 } },
      { name: "postrouting", hook: { type: "nat", at: "postrouting", priority: 100 } },
      ...guard.chains,
      ...publish.chains,
    ],
    sets: [
      {
        name: "bridges",
        key: TYPE.ifname,
        elements: networks.map(({ bridge }) => ({ key: interfaceName(bridge) })),
      },
      ...guard.sets,
      ...publish.sets,
    ],
    rules: [
      ...guard.rules,
      ...forward(networks),
      ...networks.flatMap(masquerades),
      ...publish.rules,
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

function masquerades({ name, bridge, subnets, internal }: Network): Rule[] {
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
    ...hairpins.map((subnet) => rule("hairpin", ...translated, ...address("saddr", subnet))),
  ];
}
