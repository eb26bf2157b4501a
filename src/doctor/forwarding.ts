/** Whether what containers on a bridge send and get is let through by this host. */
import { AT_FDCWD, O_CLOEXEC, O_WRONLY } from "../../ffi/mod.ts";
import {
  bigNumberOf,
  chainIn,
  getChains,
  getRules,
  HOOK,
  interfaceName,
  type ListedChain,
  type ListedRule,
  META,
  NETLINK_NETFILTER,
  NetlinkSocket,
  readAttributes,
  ruleIn,
  VERDICT,
} from "../netlink/mod.ts";
import { allLeases, bridgeName, DEFAULT_NETWORK, listNetworks } from "../network/mod.ts";
import { type Finding, lack, ok, type Probe, refused, skip, warn } from "./check.ts";
import type { Host } from "./host.ts";
import { opened } from "./trial.ts";

export const IP_FORWARD: Probe = {
  id: "ip-forward",
  what: "forwarding",
  how:
    "Reads net.ipv4.ip_forward; where it is 0, opens it for writing, and asks whether containers " +
    "are on networks already",
  consequence: "Containers on a bridge do not reach beyond the host",
  remedy: "sysctl -w net.ipv4.ip_forward=1",
  look: forwarding,
};

export const FORWARD_POLICY: Probe = {
  id: "forward-policy",
  what: "policy for forwarded packets",
  how:
    "Asks nf_tables for chains at the forward hook whose policy is drop, and for rules in their " +
    "tables that accept all from and to the bridges of networks; iptables-nft, docker, ufw and " +
    "firewalld make such chains, those of iptables-legacy cannot be seen that way",
  consequence: "Packets from and to containers on a bridge are dropped, whatever minictr's own " +
    "rules accept, as after docker was started on the host",
  remedy: "nft insert rule ip filter FORWARD iifname BRIDGE accept, and the same with oifname",
  root: true,
  look: forwardPolicy,
};

function forwarding(host: Host): Finding {
  const file = "/proc/sys/net/ipv4/ip_forward";
  const value = host.text(file);
  if (value === undefined) return skip(`"${file}" cannot be read`);
  if (value === "1") return ok("on");
  if (!host.isRoot) return skip("off; root can turn it on");
  const used = new Set(allLeases(host.roots).map(({ container }) => container)).size;
  if (used > 0) {
    const who = used === 1 ? "a container is on a network" : `${used} containers are on networks`;
    return lack(`off, although ${who}: something turned it off`);
  }
  try {
    using _ = opened("openat", AT_FDCWD, file, O_WRONLY | O_CLOEXEC, 0);
    return ok("off; it is turned on when a network needs it");
  } catch (error) {
    return lack(`off, and it cannot be turned on: ${refused(error).found}`);
  }
}

/** Who makes chains at the forward hook, told by chains of its table, and where its rules are added. */
const OWNERS: readonly { chain: string; remedy(bridge: string, table: string): string }[] = [
  {
    chain: "DOCKER-USER", // docker makes its other chains anew.
    remedy: (bridge, table) => insertions(`${table} DOCKER-USER`, bridge),
  },
  {
    chain: "ufw-user-forward",
    remedy: (bridge) => `ufw route allow in on ${bridge}; ufw route allow out on ${bridge}`,
  },
];

function forwardPolicy(host: Host): Finding {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  const chains = socket.ask(getChains()).map(chainIn);
  const rules = socket.ask(getRules()).map(ruleIn);
  const networks = listNetworks(host.roots);
  const hasV6 = networks.some(({ subnets }) => subnets.some(({ subnet }) => subnet.includes(":")));
  const matters = ({ family }: ListedChain) =>
    ["inet", "ip"].includes(family) || (family === "ip6" && hasV6);
  const hooked = chains.filter((chain) => chain.hook === HOOK.forward && matters(chain));
  const bridges = networks.map(({ bridge }) => bridge);
  if (bridges.length === 0) bridges.push(bridgeName(host.roots, DEFAULT_NETWORK));
  const blocking = hooked.filter(isClosed).map((chain) => ({
    chain,
    closed: bridges.filter((bridge) => !isAccepted(rules, chain, bridge)),
  })).filter(({ closed }) => closed.length > 0);
  const [first] = blocking;
  if (!first) return ok(summary(host, hooked));
  const { chain, closed } = first;
  const also = blocking.slice(1).map(({ chain }) => `, and "${nameOf(chain)}" too`).join("");
  const why = chain.table === "firewalld"
    ? "decides what is forwarded"
    : "drops what no rule accepts";
  return warn(
    `chain "${nameOf(chain)}" ${why}, and none accepts "${closed.join('", "')}"${also}`,
    closed.map((bridge) => remedyFor(chain, chains, bridge)).join("; "),
  );
}

/** firewalld's policy is accept, and its last rule rejects. */
function isClosed({ drops, table }: ListedChain): boolean {
  return drops || table === "firewalld";
}

/** Whether rules of a chain's table accept all that comes in by a bridge, and all that leaves by it. */
function isAccepted(rules: readonly ListedRule[], chain: ListedChain, bridge: string): boolean {
  const own = rules.filter(({ family, table }) => family === chain.family && table === chain.table);
  const sides = [META.iifname, META.oifname];
  return sides.every((side) => own.some((rule) => accepts(rule, side, bridge)));
}

/** Whether a rule asks for nothing but an interface, and accepts; firewalld's goes to a zone's chain. */
function accepts({ table, expressions }: ListedRule, side: number, bridge: string): boolean {
  const has = (name: string, is: (data: Map<number, Uint8Array>) => boolean) =>
    expressions.some((one) => one.name === name && is(one.data));
  const isPlain = expressions.every(({ name }) =>
    ["meta", "cmp", "counter", "immediate"].includes(name)
  );
  const ends = (data: Map<number, Uint8Array>) => {
    const verdict = readAttributes(readAttributes(data.get(2) ?? NOTHING).get(2) ?? NOTHING);
    const code = (bigNumberOf(verdict.get(1)) ?? NaN) | 0;
    return code === VERDICT.accept || (table === "firewalld" && code === VERDICT.goto);
  };
  return isPlain && has("meta", (data) => bigNumberOf(data.get(2)) === side) &&
    has("cmp", (data) => isNamed(bridge, readAttributes(data.get(3) ?? NOTHING).get(1))) &&
    has("immediate", ends);
}

const NOTHING = new Uint8Array();

/** Of `br*` only so many bytes are compared. */
function isNamed(bridge: string, compared: Uint8Array = NOTHING): boolean {
  const name = interfaceName(bridge);
  return compared.length > 0 && compared.every((byte, at) => byte === name[at]);
}

function remedyFor(chain: ListedChain, chains: readonly ListedChain[], bridge: string): string {
  const { family, table } = chain;
  if (table === "firewalld") {
    return `firewall-cmd --permanent --zone=trusted --add-interface=${bridge}; firewall-cmd --reload`;
  }
  const has = (name: string) =>
    chains.some((one) => one.family === family && one.table === table && one.name === name);
  const owner = OWNERS.find(({ chain }) => has(chain));
  return owner?.remedy(bridge, `${family} ${table}`) ?? insertions(nameOf(chain), bridge);
}

function insertions(chain: string, bridge: string): string {
  return ["iifname", "oifname"]
    .map((side) => `nft insert rule ${chain} ${side} ${bridge} accept`).join("; ");
}

function nameOf({ family, table, name }: ListedChain): string {
  return `${family} ${table} ${name}`;
}

function summary(host: Host, hooked: readonly ListedChain[]): string {
  const legacy = host.text("/proc/net/ip_tables_names")?.split("\n").includes("filter") ?? false;
  const seen = hooked.length === 0
    ? "no chain"
    : `${hooked.length} of nf_tables, none is in the way`;
  return legacy ? `${seen}; iptables-legacy has rules: iptables-legacy -S FORWARD` : seen;
}
