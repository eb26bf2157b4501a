/** Before a container starts: all that can fail without it. */
import { type Link, NETLINK_ROUTE, NetlinkSocket } from "../netlink/mod.ts";
import { parseAddress } from "./address.ts";
import { findBridge, hostRoutes, makeBridge } from "./bridge.ts";
import { ensureRules } from "./firewall.ts";
import {
  allLeases,
  chooseAddress,
  type Endpoint,
  lockNetworks,
  startOf,
  writeLeases,
} from "./lease.ts";
import {
  DEFAULT_NETWORK,
  hasNames,
  type Network,
  readNetwork,
  type Roots,
  vethName,
} from "./network.ts";
import type { Holder, PortRequest, Published } from "./port_choice.ts";
import { enableForwarding, setSysctl } from "./sysctl.ts";

/** A network that a container is to be on. */
export interface NetworkWish {
  name: string;
  /** IPv4; absent: a free one. */
  ip?: string;
  /** IPv6; absent: a free one. */
  ip6?: string;
  /** `02:42:ac:11:00:02`; absent: made from the address. */
  mac?: string;
  aliases?: readonly string[];
}

/** What a container is to have. */
export interface NetworkRequest {
  /** The container's id. */
  container: string;
  /** The container's name. */
  name: string;
  /** The first is eth0, and has the way out and the published ports. */
  networks: readonly NetworkWish[];
  publish?: readonly PortRequest[];
}

/** A container's place on a network, as it has been set aside. */
export interface Attachment {
  network: Network;
  endpoint: Endpoint;
  /** Index of the bridge's interface. */
  bridge: number;
  /** Bytes. */
  mtu?: number;
  /** Gateways that the container's default routes lead to, at most one of each family. */
  gateways: string[];
}

/** What {@linkcode connect} needs. */
export interface Prepared {
  roots: Roots;
  attachments: Attachment[];
  /** Who else is on the networks that have names: what /etc/hosts lists. */
  siblings: Endpoint[];
}

/**
 * Sets aside a container's addresses and ports, and makes what its networks lack: bridge,
 * forwarding, rules. Undone by `disconnect`.
 *
 * @throws {Error} for an unknown network, an address or port that is taken, or a kernel that refuses;
 * nothing is set aside then
 */
export async function prepareNetwork(roots: Roots, request: NetworkRequest): Promise<Prepared> {
  using _ = lockNetworks(roots);
  const before = allLeases(roots);
  const attachments = await choosePlaces(roots, request, before);
  const endpoints = attachments.map(({ endpoint }) => endpoint);
  const write = (all: Endpoint[]) => {
    for (const { network: { name } } of attachments) {
      writeLeases(roots, name, all.filter(({ network }) => network === name));
    }
  };
  try {
    const after = [...before, ...endpoints];
    write(after);
    openWays(attachments);
    await ensureRules(roots, after, endpoints);
  } catch (error) {
    write(before);
    throw error;
  }
  const named = endpoints.map(({ network }) => network).filter(hasNames);
  return {
    roots,
    attachments,
    siblings: before.filter(({ network }) => named.includes(network)),
  };
}

/** Addresses and ports on each network, with its bridge. */
async function choosePlaces(
  roots: Roots,
  request: NetworkRequest,
  before: readonly Endpoint[],
): Promise<Attachment[]> {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const own = before.filter(({ container }) => container === request.container);
  const interfaces = freeInterfaces(own);
  let ports: Published[] = [];
  if (request.publish?.length) {
    const { choosePorts } = await import("./port_choice.ts");
    ports = choosePorts(request.publish, holdersOf(before, request.container));
  }
  // All that may be refused comes before the first bridge is made.
  const places: { network: Network; link: Link | undefined; endpoint: Endpoint }[] = [];
  for (const wish of request.networks) {
    const on = before.filter(({ network }) => network === wish.name);
    const { network, link } = await networkFor(roots, socket, wish.name, on.length > 0);
    const place = { request, wish, name: interfaces.next().value, endpoints: on };
    const endpoint = endpointFor(roots, network, place);
    if (ports.length > 0 && !network.internal) {
      endpoint.ports = ports;
      ports = [];
    }
    places.push({ network, link, endpoint });
  }
  if (ports.length > 0) throw new Error("cannot publish a port on internal networks alone");
  const attachments = places.map(({ network, link, endpoint }): Attachment => {
    const { index: bridge, mtu } = link?.isUp ? link : makeBridge(socket, network, link);
    return { network, endpoint, bridge, gateways: [], ...mtu !== undefined && { mtu } };
  });
  findWaysOut(attachments, own.map(({ network }) => readNetwork(roots, network)));
  return attachments;
}

/** A network, of the default one a new one where there is none that can be used; and its bridge. */
async function networkFor(
  roots: Roots,
  socket: NetlinkSocket,
  name: string,
  inUse: boolean,
): Promise<{ network: Network; link: Link | undefined }> {
  const network = readNetwork(roots, name);
  if (!network && name !== DEFAULT_NETWORK) {
    throw new Error(
      `there is no network "${name}"; \`minictr network create ${name}\` makes one`,
    );
  }
  const link = network && findBridge(socket, network);
  if (network && link) return { network, link };
  const { collides, defineDefault } = await import("./creation.ts");
  // The host's routes may have changed since.
  if (network && !collides(network, hostRoutes(socket))) return { network, link };
  if (!network || (name === DEFAULT_NETWORK && !inUse)) {
    return { network: defineDefault(roots, socket), link: undefined };
  }
  const where = network.subnets.map(({ subnet }) => subnet).join(", ");
  throw new Error(`cannot make network "${name}": a route of the host leads to ${where}`);
}

function endpointFor(
  roots: Roots,
  network: Network,
  { request, wish, endpoints, ...place }: {
    request: NetworkRequest;
    wish: NetworkWish;
    /** Of its interface. */
    name: string;
    endpoints: readonly Endpoint[];
  },
): Endpoint {
  const { container, name } = request;
  if (endpoints.some((endpoint) => endpoint.container === container)) {
    throw new Error(`container "${name}" is on network "${network.name}" already`);
  }
  const addresses = network.subnets.map((subnet) => {
    const wanted = subnet.subnet.includes(":") ? wish.ip6 : wish.ip;
    return chooseAddress(network, subnet, { wanted, endpoints });
  });
  refuseUnused(network, wish);
  return {
    container,
    name,
    network: network.name,
    interface: place.name,
    host: vethName(roots, container, network.name),
    mac: wish.mac === undefined ? macFor(addresses[0] ?? "") : checkedMac(wish.mac),
    addresses,
    aliases: [...wish.aliases ?? []],
    ports: [],
    pid: Deno.pid,
    started: startOf(Deno.pid) ?? "",
  };
}

/** The names that a container has no interface of, from eth0. */
function* freeInterfaces(own: readonly Endpoint[]): Generator<string, string> {
  for (let at = 0;; at++) {
    const name = `eth${at}`;
    if (!own.some((endpoint) => endpoint.interface === name)) yield name;
  }
}

/** The default routes go by the first network of each family that is not internal. */
function findWaysOut(attachments: readonly Attachment[], earlier: (Network | undefined)[]): void {
  const families = (network: Network | undefined) =>
    network === undefined || network.internal
      ? []
      : network.subnets.map(({ gateway }) => gateway.includes(":"));
  const found = new Set(earlier.flatMap(families));
  for (const { network, gateways } of attachments) {
    if (network.internal) continue;
    for (const { gateway } of network.subnets) {
      if (found.has(gateway.includes(":"))) continue;
      found.add(gateway.includes(":"));
      gateways.push(gateway);
    }
  }
}

function refuseUnused({ name, subnets }: Network, { ip, ip6 }: NetworkWish): void {
  const has = (v6: boolean) => subnets.some(({ subnet }) => subnet.includes(":") === v6);
  if ((ip !== undefined && !has(false)) || (ip6 !== undefined && !has(true))) {
    throw new Error(`cannot give address "${ip6 ?? ip}": network "${name}" has no such subnet`);
  }
}

/** Made from the last four bytes of the address: who gets an address again has the same MAC. */
function macFor(cidr: string): string {
  const bytes = parseAddress(cidr.slice(0, cidr.indexOf("/"))) ?? new Uint8Array(4);
  return [0x0e, 0x6d, ...bytes.slice(-4)].map((byte) => byte.toString(16).padStart(2, "0"))
    .join(":");
}

function checkedMac(text: string): string {
  const bytes = text.split(":").map((part) =>
    /^[0-9a-fA-F]{2}$/.test(part) ? parseInt(part, 16) : -1
  );
  const [first = -1] = bytes;
  if (bytes.length !== 6 || bytes.includes(-1) || (first & 1) === 1) {
    throw new Error(`"${text}" is not a MAC address of a device; one is 02:42:ac:11:00:02`);
  }
  return text.toLowerCase();
}

function holdersOf(endpoints: readonly Endpoint[], container: string): Holder[] {
  return endpoints.filter((endpoint) => endpoint.container !== container).flatMap(
    ({ name, ports }) => ports.map((published) => ({ published, name: `container "${name}"` })),
  );
}

/** Lets packets pass, and the host's 127.0.0.1 reach published ports, which rules.ts guards. */
function openWays(attachments: readonly Attachment[]): void {
  const open = attachments.filter(({ network }) => !network.internal);
  const has = (v6: boolean) =>
    open.some(({ endpoint }) => endpoint.addresses.some((one) => one.includes(":") === v6));
  enableForwarding({ v4: has(false), v6: has(true) });
  for (const { network, endpoint } of open) {
    if (endpoint.ports.some(reachesLoopback)) {
      setSysctl(`ipv4/conf/${network.bridge}/route_localnet`, "1");
    }
  }
}

function reachesLoopback({ hostIp }: Published): boolean {
  return hostIp === undefined || hostIp === "::" || hostIp.startsWith("127.");
}
