/** The chain that packets from outside pass first; pure. */
import {
  type DataType,
  type Expression,
  payload,
  type Rule,
  type Ruleset,
  TYPE,
  type Verdict,
  verdict,
  verdictMap,
} from "../netlink/mod.ts";
import { maskOf, parseSubnet, type Subnet } from "./address.ts";
import { address, AF_INET, AF_INET6, iif, isFamily, OFFSET } from "./match.ts";
import type { Network } from "./network.ts";

/** Where packets to a subnet go. */
interface Guarded {
  subnet: Subnet;
  data: Verdict;
}

/** CVE-2020-8558: what claims to come from or go to 127/8 and is not the host's own; and direct
 * routing to a container's address, which would go around what is published (CVE-2025-54388). */
export function guarding(networks: readonly Network[]): Ruleset {
  const loopback = parseSubnet("127.0.0.0/8");
  const drop = { verdict: "drop" } as const;
  const guarded = networks.flatMap(({ bridge, subnets }) =>
    subnets.map(({ subnet }): Guarded => {
      return { subnet: parseSubnet(subnet), data: { verdict: "goto", chain: guardOf(bridge) } };
    })
  );
  const guard = (
    version: "4" | "6",
    type: DataType,
    entries: Guarded[],
  ): Ruleset["sets"][number] => ({
    name: `guard${version}`,
    key: type,
    data: "verdict",
    isInterval: true,
    elements: entries.filter(({ subnet }) => subnet.address.length === type.length)
      .map(({ subnet, data }) => ({ key: subnet.address, end: lastOf(subnet), data })),
  });
  const rule = (chain: string, comment: string, ...expressions: Expression[]): Rule => {
    return { chain, comment, expressions };
  };
  const byDestination = (version: "4" | "6", family: number, length: 4 | 16): Rule =>
    rule(
      "raw",
      `what IPv${version} subnets take`,
      ...isFamily(family),
      payload("network", OFFSET[length].daddr, length),
      verdictMap(`guard${version}`),
    );
  return {
    chains: networks.map(({ bridge }) => ({ name: guardOf(bridge) })),
    sets: [
      guard("4", TYPE.ipv4_addr, [...guarded, { subnet: loopback, data: drop }]),
      guard("6", TYPE.ipv6_addr, guarded),
    ],
    rules: [
      rule("raw", "the host's own", ...iif("eq", "lo"), verdict({ verdict: "accept" })),
      rule("raw", "loopback as a source", ...address("saddr", loopback), verdict(drop)),
      byDestination("4", AF_INET, 4),
      byDestination("6", AF_INET6, 16),
      ...networks.map(({ name, bridge }) =>
        rule(
          guardOf(bridge),
          `${name}: not by direct routing`,
          ...iif("neq", bridge),
          verdict(drop),
        )
      ),
    ],
  };
}

function guardOf(bridge: string): string {
  return `guard_${bridge}`;
}

/** A subnet's last address. */
function lastOf(subnet: Subnet): Uint8Array {
  const bits = maskOf(subnet);
  return subnet.address.map((byte, index) => byte | ~(bits[index] ?? 0));
}
