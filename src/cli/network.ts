import { giveBackOne, plugIn, setAside } from "../container/networking.ts";
import { pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import { type Roots, rootsBelow } from "../container/state.ts";
import { running } from "../container/stop.ts";
import {
  allLeases,
  createNetwork,
  DEFAULT_NETWORK,
  listNetworks,
  type Network,
  readNetwork,
  reloadNetworks,
  removeNetwork,
} from "../network/mod.ts";
import { cut, type Grammar, parseCommandLine, parsed, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { NETWORK_CONNECT, NETWORK_CREATE, networkGrammar } from "./network_flags.ts";
import { parseInteger } from "./number.ts";
import { UsageError } from "./usage_error.ts";

const LEAST_MTU = 68, MOST_MTU = 65_535;

const LS = networkGrammar("ls", "", "List networks");
const INSPECT = networkGrammar("inspect", "NETWORK…", "Print all that is known of networks");
const RM = networkGrammar("rm", "NETWORK…", "Remove networks that no container is on");
const DISCONNECT = networkGrammar("disconnect", "NETWORK CONTAINER", "Take a container off");
const PRUNE = networkGrammar("prune", "", "Remove all networks that no container is on");
const RELOAD = networkGrammar("reload", "", "Make bridges and packet filter rules again");

const VERBS: Record<string, [Grammar, (args: string[], roots: Roots) => void]> = {
  create: [NETWORK_CREATE, create],
  ls: [LS, list],
  list: [LS, list],
  inspect: [INSPECT, inspect],
  rm: [RM, remove],
  connect: [NETWORK_CONNECT, connect],
  disconnect: [DISCONNECT, disconnect],
  prune: [PRUNE, prune],
  reload: [RELOAD, (_, roots) => reloadNetworks(roots)],
};

/** `minictr network create|ls|inspect|rm|connect|disconnect|prune|reload` */
export function run(args: string[], root: string | undefined): Promise<number> {
  const [verb = "", ...rest] = args;
  const found = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (!found) {
    if (verb !== "--help") throw new UsageError(`"network" has ${Object.keys(VERBS).join(", ")}`);
    const lines = Object.values(VERBS).map(([{ command, operands, summary }]) =>
      `  minictr ${command} ${operands}\n      ${summary}`
    );
    console.log([...new Set(lines)].join("\n"));
    return Promise.resolve(0);
  }
  const [grammar, act] = found;
  if (rest.includes("--help")) console.log(helpText(grammar));
  else act(rest, rootsBelow(root));
  return Promise.resolve(0);
}

function create(args: string[], roots: Roots): void {
  const { flags, operands: [name, extra] } = parseCommandLine(NETWORK_CREATE, args);
  if (name === undefined || extra !== undefined) {
    throw wrongUse(NETWORK_CREATE, '"network create" takes one name');
  }
  const mtu = flags.opt.map(mtuOf).at(-1);
  createNetwork(roots, {
    name,
    subnets: [...flags.subnet],
    gateways: [...flags.gateway],
    ranges: [...flags["ip-range"]],
    internal: flags.internal,
    ipv6: flags.ipv6,
    ...mtu === undefined ? {} : { mtu },
  });
  console.log(name);
}

function mtuOf(option: string): number {
  const [key, value = ""] = cut(option);
  if (key !== "mtu") throw new UsageError(`--opt: there is no option "${key}", only mtu`);
  return parsed("--opt mtu", value, (text) => parseInteger(text, LEAST_MTU, MOST_MTU));
}

function list(args: string[], roots: Roots): void {
  parseCommandLine(LS, args);
  const rows = listNetworks(roots).map(({ name, subnets, internal }) => [
    name,
    internal ? "internal" : "bridge",
    subnets.map(({ subnet }) => subnet).join(", "),
  ]);
  const lines = [["NAME", "KIND", "SUBNETS"], ...rows];
  const width = (at: number) => Math.max(...lines.map((line) => line[at]?.length ?? 0)) + 3;
  for (const [name = "", kind = "", subnets = ""] of lines) {
    console.log(`${name.padEnd(width(0))}${kind.padEnd(width(1))}${subnets}`);
  }
}

function inspect(args: string[], roots: Roots): void {
  const { operands } = parseCommandLine(INSPECT, args);
  if (operands.length === 0) throw wrongUse(INSPECT, '"network inspect" needs a network');
  const leases = allLeases(roots);
  const all = operands.map((name) => {
    const network = known(roots, name);
    return { ...network, containers: leases.filter((lease) => lease.network === network.name) };
  });
  console.log(JSON.stringify(all, null, 2));
}

function known(roots: Roots, name: string): Network {
  const network = readNetwork(roots, name);
  if (!network) throw new UsageError(`there is no network "${name}"`);
  return network;
}

function remove(args: string[], roots: Roots): void {
  const { operands } = parseCommandLine(RM, args);
  if (operands.length === 0) throw wrongUse(RM, '"network rm" needs a network');
  for (const name of operands) {
    removeNetwork(roots, known(roots, name).name);
    console.log(name);
  }
}

function prune(args: string[], roots: Roots): void {
  parseCommandLine(PRUNE, args);
  const used = new Set(allLeases(roots).map(({ network }) => network));
  for (const { name } of listNetworks(roots)) {
    if (used.has(name) || name === DEFAULT_NETWORK) continue;
    removeNetwork(roots, name);
    console.log(name);
  }
}

function connect(args: string[], roots: Roots): void {
  const { flags, operands: [network, name] } = parseCommandLine(NETWORK_CONNECT, args);
  if (network === undefined || name === undefined) {
    throw wrongUse(NETWORK_CONNECT, '"network connect" needs a network and a container');
  }
  const container = pick(knownContainers(roots), name);
  const { pid } = running(container);
  const { ip, ip6, alias } = flags;
  const wish = { name: network, ...ip && { ip }, ...ip6 && { ip6 }, aliases: alias };
  const prepared = setAside(roots, {
    container: container.id,
    name: container.name,
    networks: [wish],
  });
  try {
    plugIn(prepared, pid);
  } catch (error) {
    giveBackOne(roots, container.id, network);
    throw error;
  }
}

function disconnect(args: string[], roots: Roots): void {
  const { operands: [network, name] } = parseCommandLine(DISCONNECT, args);
  if (network === undefined || name === undefined) {
    throw wrongUse(DISCONNECT, '"network disconnect" needs a network and a container');
  }
  const { id } = pick(knownContainers(roots), name);
  if (!giveBackOne(roots, id, network)) {
    throw new UsageError(`container "${name}" is not on network "${network}"`);
  }
}
