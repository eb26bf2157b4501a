import { networkEvent, noteEvents } from "../container/events.ts";
import { pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import { joinNetwork, leaveNetwork } from "../container/membership.ts";
import { type Roots, rootsBelow } from "../container/state.ts";
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
import { parseInterspersed } from "./interspersed.ts";
import {
  NETWORK_CONNECT,
  NETWORK_CREATE,
  NETWORK_DISCONNECT,
  NETWORK_INSPECT,
  NETWORK_LS,
  NETWORK_PRUNE,
  NETWORK_RELOAD,
  NETWORK_RM,
} from "./network_flags.ts";
import { described, networkRow, NETWORKS } from "./network_rows.ts";
import { parseInteger } from "./number.ts";
import { inspected, listed, print } from "./output.ts";
import { UsageError } from "./usage_error.ts";

const LEAST_MTU = 68, MOST_MTU = 65_535;

type Act = (args: string[], roots: Roots) => void | Promise<void>;

const VERBS: Record<string, [Grammar, Act]> = {
  create: [NETWORK_CREATE, create],
  ls: [NETWORK_LS, list],
  list: [NETWORK_LS, list],
  inspect: [NETWORK_INSPECT, inspect],
  rm: [NETWORK_RM, remove],
  connect: [NETWORK_CONNECT, connect],
  disconnect: [NETWORK_DISCONNECT, disconnect],
  prune: [NETWORK_PRUNE, prune],
  reload: [NETWORK_RELOAD, (_, roots) => reloadNetworks(roots)],
};

/** `minictr network create|ls|inspect|rm|connect|disconnect|prune|reload` */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const [verb = "", ...rest] = args;
  const found = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (!found) {
    if (verb !== "--help") throw new UsageError(`"network" has ${Object.keys(VERBS).join(", ")}`);
    const lines = Object.values(VERBS).map(([{ command, operands, summary }]) =>
      `  minictr ${command} ${operands}\n      ${summary}`
    );
    console.log([...new Set(lines)].join("\n"));
    return 0;
  }
  const [grammar, act] = found;
  if (rest.includes("--help")) console.log(helpText(grammar));
  else await act(rest, rootsBelow(root));
  return 0;
}

function create(args: string[], roots: Roots): void {
  const { flags, operands: [name, extra] } = parseCommandLine(NETWORK_CREATE, args);
  if (name === undefined || extra !== undefined) {
    throw wrongUse(NETWORK_CREATE, '"network create" takes one name');
  }
  if ((flags.driver ?? "bridge") !== "bridge") {
    throw new UsageError(`--driver: there is no driver "${flags.driver}", only bridge`);
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
  noteEvents(roots, [networkEvent("create", name)]);
  console.log(name);
}

function mtuOf(option: string): number {
  const [key, value = ""] = cut(option);
  if (key !== "mtu") throw new UsageError(`--opt: there is no option "${key}", only mtu`);
  return parsed("--opt mtu", value, (text) => parseInteger(text, LEAST_MTU, MOST_MTU));
}

async function list(args: string[], roots: Roots): Promise<void> {
  const { flags } = parseInterspersed(NETWORK_LS, args);
  const names = flags.filter.map((text) => {
    const [key, value = ""] = cut(text);
    if (key === "name") return value;
    throw wrongUse(NETWORK_LS, `there is no filter "${key}", only name`);
  });
  const shown = listNetworks(roots).filter(({ name }) =>
    names.length === 0 || names.some((part) => name.includes(part))
  );
  print(await listed(NETWORKS, shown.map(networkRow), flags));
}

async function inspect(args: string[], roots: Roots): Promise<void> {
  const { flags, operands } = parseInterspersed(NETWORK_INSPECT, args);
  if (operands.length === 0) throw wrongUse(NETWORK_INSPECT, '"network inspect" needs a network');
  const all = operands.map((name) => described(roots, known(roots, name).name) ?? {});
  print(await inspected(all, flags.format));
}

function known(roots: Roots, name: string): Network {
  const network = readNetwork(roots, name);
  if (!network) throw new UsageError(`there is no network "${name}"`);
  return network;
}

async function remove(args: string[], roots: Roots): Promise<void> {
  const { operands } = parseCommandLine(NETWORK_RM, args);
  if (operands.length === 0) throw wrongUse(NETWORK_RM, '"network rm" needs a network');
  for (const name of operands) {
    await takeAway(roots, known(roots, name).name);
  }
}

async function prune(args: string[], roots: Roots): Promise<void> {
  parseCommandLine(NETWORK_PRUNE, args);
  const used = new Set(allLeases(roots).map(({ network }) => network));
  for (const { name } of listNetworks(roots)) {
    if (used.has(name) || name === DEFAULT_NETWORK) continue;
    await takeAway(roots, name);
  }
}

async function takeAway(roots: Roots, name: string): Promise<void> {
  await removeNetwork(roots, name);
  noteEvents(roots, [networkEvent("destroy", name)]);
  console.log(name);
}

async function connect(args: string[], roots: Roots): Promise<void> {
  const { flags, operands: [network, name] } = parseCommandLine(NETWORK_CONNECT, args);
  if (network === undefined || name === undefined) {
    throw wrongUse(NETWORK_CONNECT, '"network connect" needs a network and a container');
  }
  const container = pick(knownContainers(roots), name);
  const { ip, ip6, alias } = flags;
  const aliases = [...alias, container.id.slice(0, 12)];
  await joinNetwork(roots, container, {
    name: network,
    ...ip && { ip },
    ...ip6 && { ip6 },
    aliases,
  });
}

async function disconnect(args: string[], roots: Roots): Promise<void> {
  const { operands: [network, name] } = parseCommandLine(NETWORK_DISCONNECT, args);
  if (network === undefined || name === undefined) {
    throw wrongUse(NETWORK_DISCONNECT, '"network disconnect" needs a network and a container');
  }
  await leaveNetwork(roots, pick(knownContainers(roots), name), network);
}
