/** Making and removing networks. */
import {
  deleteLink,
  NETLINK_ROUTE,
  NetlinkError,
  NetlinkSocket,
  type Route,
} from "../netlink/mod.ts";
import {
  addressAt,
  contains,
  formatAddress,
  formatSubnet,
  overlap,
  parseAddress,
  parseSubnet,
  sizeOf,
  type Subnet,
} from "./address.ts";
import { hostRoutes } from "./bridge.ts";
import { ensureRules } from "./firewall.ts";
import { forgetLeases, lockNetworks, readLeases } from "./lease.ts";
import {
  bridgeName,
  checkNetworkName,
  DEFAULT_NETWORK,
  forgetNetwork,
  listNetworks,
  type Network,
  type NetworkSubnet,
  readNetwork,
  type Roots,
  writeNetwork,
} from "./network.ts";

/** What a new network is to be. */
export interface NetworkOptions {
  name: string;
  /** CIDR: at most one of each family; absent: one that is free. */
  subnets?: string[];
  /** The bridge's addresses; absent: the first of each subnet. */
  gateways?: string[];
  /** CIDR: where addresses are taken from. */
  ranges?: string[];
  internal?: boolean;
  /** Whether there is to be a subnet of IPv6, if none is given. */
  ipv6?: boolean;
  /** Bytes. */
  mtu?: number;
}

/** Those of the default network: a /16 each, none that docker or podman takes by default while these
 * are free, then a /24. */
const DEFAULT_CANDIDATES = [
  ...Array.from({ length: 38 }, (_, at) => `10.${90 + at}.0.0/16`),
  ...Array.from({ length: 15 }, (_, at) => `172.${17 + at}.0.0/16`),
  ...Array.from({ length: 128 }, (_, at) => `192.168.${128 + at}.0/24`),
];

/**
 * Defines a network. Its bridge is made when a container first needs it.
 *
 * @throws {Error} for a name that is taken, or a subnet that overlaps another or a route of the host
 */
export function createNetwork(roots: Roots, options: NetworkOptions): Network {
  checkNetworkName(options.name);
  using _ = lockNetworks(roots);
  if (readNetwork(roots, options.name) || options.name === DEFAULT_NETWORK) {
    throw new Error(`cannot create network "${options.name}": there is one of that name`);
  }
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const taken = takenSubnets(roots, hostRoutes(socket));
  const given = (options.subnets ?? []).map(parseSubnet);
  for (const subnet of given) {
    refuseSpecial(subnet);
    refuseTaken(subnet, taken);
  }
  const isV6 = ({ address }: Subnet) => address.length === 16;
  refuseMisfits(given, options);
  if (given.length === 0) given.push(freeSubnet(userCandidates(), taken));
  if (options.ipv6 && !given.some(isV6)) given.push(uniqueLocal());
  if (given.filter(isV6).length > 1 || given.filter((subnet) => !isV6(subnet)).length > 1) {
    throw new Error(`cannot create network "${options.name}": one subnet of a family is enough`);
  }
  const network: Network = {
    version: 1,
    name: options.name,
    bridge: bridgeName(roots, options.name),
    subnets: given.map((subnet) => withGateway(subnet, options)),
    internal: options.internal ?? false,
    ...options.mtu !== undefined && { mtu: options.mtu },
    created: new Date().toISOString(),
  };
  writeNetwork(roots, network);
  return network;
}

/**
 * The network that has a subnet, defined where none has: what `run --subnet` asks for.
 *
 * @param subnet CIDR
 * @throws {Error} as `createNetwork` does
 */
export function networkWithSubnet(roots: Roots, subnet: string): Network {
  const wanted = formatSubnet(parseSubnet(subnet));
  const found = listNetworks(roots).find(({ subnets }) =>
    subnets.some(({ subnet }) => subnet === wanted)
  );
  const name = `subnet-${wanted.replace(/[:/]/g, "-")}`;
  return found ?? createNetwork(roots, { name, subnets: [wanted] });
}

/**
 * The default network, defined on a subnet that no route of the host leads to; under the lock.
 *
 * @param socket of rtnetlink, on the host
 */
export function defineDefault(roots: Roots, socket: NetlinkSocket): Network {
  const others = listNetworks(roots).filter(({ name }) => name !== DEFAULT_NETWORK);
  const taken = takenSubnets(roots, hostRoutes(socket), others);
  const subnet = freeSubnet(DEFAULT_CANDIDATES, taken);
  const network: Network = {
    version: 1,
    name: DEFAULT_NETWORK,
    bridge: bridgeName(roots, DEFAULT_NETWORK),
    subnets: [withGateway(subnet, {})],
    internal: false,
    created: new Date().toISOString(),
  };
  writeNetwork(roots, network);
  return network;
}

/** Whether a route of the host leads to a subnet of a network. */
export function collides({ subnets }: Network, routes: readonly Route[]): boolean {
  const taken = subnetsOf(routes);
  return subnets.some(({ subnet }) =>
    taken.some((one) => one.address.length > 0 && overlap(one, parseSubnet(subnet)))
  );
}

/**
 * Removes a network, its bridge and its rules.
 *
 * @throws {Error} when there is none, or containers are on it
 */
export async function removeNetwork(roots: Roots, name: string): Promise<void> {
  using _ = lockNetworks(roots);
  const network = readNetwork(roots, name);
  if (!network) throw new Error(`there is no network "${name}"`);
  const [endpoint] = readLeases(roots, name);
  if (endpoint) {
    throw new Error(`cannot remove network "${name}": container "${endpoint.name}" is on it`);
  }
  forgetNetwork(roots, name);
  forgetLeases(roots, name);
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    socket.send([deleteLink(network.bridge)]);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === "ENODEV")) throw error;
  }
  await ensureRules(roots);
}

type Taken = { subnet: Subnet; by: string };

function takenSubnets(
  roots: Roots,
  routes: readonly Route[],
  networks: readonly Network[] = listNetworks(roots),
): Taken[] {
  return [
    ...networks.flatMap(({ name, subnets }) =>
      subnets.map(({ subnet }) => ({ subnet: parseSubnet(subnet), by: `network "${name}"` }))
    ),
    ...subnetsOf(routes).map((subnet) => ({
      subnet,
      by: `the host's route to ${formatSubnet(subnet)}`,
    })),
  ];
}

/** Where routes lead; the default one, which leads to all, is left out. */
function subnetsOf(routes: readonly Route[]): Subnet[] {
  return routes.flatMap(({ destination, prefix }) =>
    destination && prefix > 0 ? [{ address: new Uint8Array(destination), prefix }] : []
  );
}

function refuseTaken(subnet: Subnet, taken: readonly Taken[]): void {
  const holder = taken.find((one) => overlap(one.subnet, subnet));
  if (!holder) return;
  throw new Error(`cannot use subnet ${formatSubnet(subnet)}: it overlaps ${holder.by}`);
}

function freeSubnet(candidates: Iterable<string>, taken: readonly Taken[]): Subnet {
  for (const candidate of candidates) {
    const subnet = parseSubnet(candidate);
    if (!taken.some((one) => overlap(one.subnet, subnet))) return subnet;
  }
  throw new Error("no private subnet is free on this host: choose one with --subnet");
}

/** Of a network with no subnet of its own: a /24 above those of the default network, then others. */
function* userCandidates(): Generator<string> {
  for (let second = 128; second < 256; second++) {
    for (let third = 0; third < 256; third++) yield `10.${second}.${third}.0/24`;
  }
  yield* DEFAULT_CANDIDATES.filter((candidate) => !candidate.startsWith("10."));
}

/** A random /64; RFC 4193. */
function uniqueLocal(): Subnet {
  const address = new Uint8Array(16);
  crypto.getRandomValues(address.subarray(1, 8));
  address[0] = 0xfd;
  return { address, prefix: 64 };
}

/** Ranges that no interface routes to, and what they are for; RFC 6890. */
const SPECIAL: readonly (readonly [subnet: string, purpose: string])[] = [
  ["0.0.0.0/8", "this host"],
  ["127.0.0.0/8", "loopback"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "broadcast, and the future"],
  ["::/127", "loopback"],
  ["ff00::/8", "multicast"],
];

function refuseSpecial(subnet: Subnet): void {
  const found = SPECIAL.find(([range]) => overlap(parseSubnet(range), subnet));
  if (!found) return;
  const [range, purpose] = found;
  throw new Error(`cannot use subnet ${formatSubnet(subnet)}: ${range} is for ${purpose}`);
}

/** Each gateway and range that is given has to be of a subnet that is given. */
function refuseMisfits(subnets: readonly Subnet[], { gateways = [], ranges = [] }: NetworkOptions) {
  const given = [
    ...gateways.map((text) => ({
      what: "gateway",
      text,
      address: parseAddress(text),
      prefix: 128,
    })),
    ...ranges.map((text) => ({ what: "range", text, ...parseSubnet(text) })),
  ];
  for (const { what, text, address, prefix } of given) {
    if (!address) throw new Error(`cannot use ${what} "${text}": it is not an address`);
    if (subnets.some((subnet) => contains(subnet, address) && prefix >= subnet.prefix)) continue;
    const all = subnets.map(formatSubnet).join(", ") || "there is none; give one with --subnet";
    throw new Error(`cannot use ${what} "${text}": it is not in the subnet: ${all}`);
  }
}

function withGateway(
  subnet: Subnet,
  { gateways = [], ranges = [] }: Pick<NetworkOptions, "gateways" | "ranges">,
): NetworkSubnet {
  const length = subnet.address.length;
  if (sizeOf(subnet) < 4) {
    throw new Error(`cannot use subnet ${formatSubnet(subnet)}: it has no room for a container`);
  }
  const gateway = gateways.map(parseAddress).find((address) => address?.length === length) ??
    addressAt(subnet, 1);
  if (formatAddress(gateway) === formatAddress(subnet.address)) {
    throw new Error(`cannot use gateway "${formatAddress(gateway)}": it names the subnet itself`);
  }
  const range = ranges.map(parseSubnet).find(({ address }) => address.length === length);
  return {
    subnet: formatSubnet(subnet),
    gateway: formatAddress(gateway),
    ...range && { range: formatSubnet(range) },
  };
}
