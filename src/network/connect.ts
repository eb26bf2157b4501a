/** Once a container's network namespace is there: its interfaces; and their end. */
import {
  deleteLink,
  getLink,
  inNamespace,
  linkIn,
  NETLINK_ROUTE,
  NetlinkError,
  NetlinkSocket,
  newAddress,
  newRoute,
  newVeth,
  openNamespace,
  type Request,
  setHairpin,
  setMaster,
  setNoLinkLocal,
  setUp,
} from "../netlink/mod.ts";
import { parseAddress, parseCidr } from "./address.ts";
import { makeBridge } from "./bridge.ts";
import { withSiblings } from "./files.ts";
import { replaceRules, withdraw } from "./firewall.ts";
import { allLeases, type Endpoint, lockNetworks, readLeases, writeLeases } from "./lease.ts";
import { hasNames, listNetworks, type Roots } from "./network.ts";
import type { Attachment, Prepared } from "./prepare.ts";
import { enableForwarding, getSysctl, setSysctl } from "./sysctl.ts";

/** Bytes: /etc/hosts of a container is the container's to write, and is not read beyond this. */
const HOSTS_LIMIT = 1024 * 1024;

/**
 * Makes a container's interfaces, each a veth pair between its network's bridge and its namespace.
 *
 * @param into a process in the container, or a descriptor of its network namespace
 * @throws {Error} when the kernel refuses; `disconnect` takes away what was made
 */
export function connect(
  { roots, attachments }: Prepared,
  into: { pid: number } | { netns: number },
): Endpoint[] {
  if (attachments.length === 0) return [];
  using opened = "pid" in into ? openNamespace(`/proc/${into.pid}/ns/net`) : undefined;
  const netns = opened?.number ?? ("netns" in into ? into.netns : -1);
  refuseOwn(netns);
  using host = new NetlinkSocket(NETLINK_ROUTE);
  using inside = inNamespace(netns, () => {
    refuseAdvertisements(attachments);
    return new NetlinkSocket(NETLINK_ROUTE);
  });
  const pairs = attachments.flatMap((attachment) => pairOf(attachment, netns));
  try {
    host.send(pairs);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === "EEXIST")) throw error;
    // An earlier container of this id has ended, and the kernel is not yet done with its namespace.
    for (const { endpoint } of attachments) removeLink(endpoint.host);
    host.send(pairs);
  }
  inside.send(addressesOf(inside, attachments));
  const endpoints = attachments.map(({ endpoint }) => endpoint);
  if (endpoints.some(({ network }) => hasNames(network))) {
    using _ = lockNetworks(roots);
    refreshHosts(roots, endpoints);
  }
  return endpoints;
}

/** A container's interfaces in the host's namespace would take the host's own routes away. */
function refuseOwn(netns: number): void {
  const own = Deno.readLinkSync("/proc/thread-self/ns/net");
  if (Deno.readLinkSync(`/proc/thread-self/fd/${netns}`) !== own) return;
  throw new Error("cannot attach a process that is in the host's network namespace");
}

/**
 * Tells containers who is on their networks: rewrites the last part of each one's /etc/hosts, in
 * place, as it is bound into the container.
 *
 * @param changed endpoints that have come or gone
 */
function refreshHosts(roots: Roots, changed: readonly Endpoint[]): void {
  const networks = new Set(changed.map(({ network }) => network).filter(hasNames));
  if (networks.size === 0) return;
  const named = allLeases(roots).filter(({ network }) => hasNames(network));
  const affected = named.filter(({ network }) => networks.has(network));
  for (const container of new Set([...affected, ...changed].map(({ container }) => container))) {
    const path = `${roots.run}/containers/${container}/hosts`;
    const own = named.filter((one) => one.container === container).map(({ network }) => network);
    const siblings = named.filter((one) =>
      one.container !== container && own.includes(one.network)
    );
    try {
      if (Deno.statSync(path).size > HOSTS_LIMIT) continue; // The container has filled its own.
      const before = Deno.readTextFileSync(path);
      const after = withSiblings(before, siblings);
      if (after !== before) rewrite(path, after);
    } catch (error) { // The user has one of their own, or the container has just gone.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** In place, and never empty for who reads it meanwhile: what is too much goes last. */
function rewrite(path: string, text: string): void {
  const bytes = new TextEncoder().encode(text);
  using file = Deno.openSync(path, { write: true });
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  file.truncateSync(bytes.length);
}

/**
 * Before any interface is there: what is born without a subnet of IPv6 has no address of it, and
 * nothing listens to router advertisements (CVE-2024-32473, CVE-2020-13401).
 */
function refuseAdvertisements(attachments: readonly Attachment[]): void {
  setSysctl("ipv6/conf/default/accept_ra", "0");
  const hasV6 = attachments.some(({ endpoint }) => endpoint.addresses.some(isV6));
  setSysctl("ipv6/conf/default/disable_ipv6", hasV6 ? "0" : "1");
}

/** The pair: the container's end is born inside, the host's end as a port of the bridge. */
function pairOf({ endpoint, bridge, mtu }: Attachment, netns: number): Request[] {
  const size = mtu === undefined ? {} : { mtu };
  const mac = new Uint8Array(endpoint.mac.split(":").map((byte) => parseInt(byte, 16)));
  const peer = { name: endpoint.interface, mac, namespace: netns, ...size };
  return [
    newVeth(endpoint.host, peer, { master: bridge, ...size }),
    ...hasV6Here() ? [setNoLinkLocal(endpoint.host)] : [],
    // Where bridged packets pass the packet filter too, a container's way to its own published
    // port ends at the port of the bridge that it came in by.
    ...getSysctl("bridge/bridge-nf-call-iptables") === "1" ? [setHairpin(endpoint.host)] : [],
    setUp(endpoint.host),
  ];
}

/** Up, addresses, and default routes. */
function addressesOf(inside: NetlinkSocket, attachments: readonly Attachment[]): Request[] {
  const requests: Request[] = [];
  for (const { endpoint, gateways } of attachments) {
    const index = inside.indexOf(endpoint.interface);
    requests.push(setUp(index));
    for (const text of endpoint.addresses) requests.push(newAddress({ ...parseCidr(text), index }));
    for (const text of gateways) {
      const gateway = parseAddress(text);
      if (gateway) requests.push(newRoute({ prefix: 0, gateway, index }));
    }
  }
  return requests;
}

/**
 * Gives back a container's addresses and ports; what is not there is no error. Its interfaces end
 * with its network namespace, but where one network is named, its interface is taken away.
 *
 * @returns the endpoints that there were
 * @throws {AggregateError} for all that failed, once all has been tried
 */
export async function disconnect(
  roots: Roots,
  container: string,
  network?: string,
): Promise<Endpoint[]> {
  using _ = lockNetworks(roots);
  const { attempt, end } = attempts();
  const all = allLeases(roots);
  const isGone = (endpoint: Endpoint) =>
    endpoint.container === container && (network === undefined || endpoint.network === network);
  const gone = all.filter(isGone);
  await attempt(() => withdraw(roots, gone, all.filter((endpoint) => !isGone(endpoint))));
  for (const { network: name, host } of gone) {
    const isOther = (one: Endpoint) => one.network === name && one.container !== container;
    await attempt(() => writeLeases(roots, name, all.filter(isOther)));
    if (network !== undefined) await attempt(() => removeLink(host));
  }
  await attempt(() => refreshHosts(roots, gone));
  end(`cannot disconnect container "${container}"`);
  return gone;
}

/**
 * Makes again what is missing on the host: bridges with containers on them, their ports, the rules.
 * Equivalent to what `podman network reload` does.
 *
 * @throws {AggregateError} for all that failed, once all has been tried
 */
export async function reloadNetworks(roots: Roots): Promise<void> {
  using _ = lockNetworks(roots);
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const { attempt, end } = attempts();
  for (const network of listNetworks(roots)) {
    const endpoints = readLeases(roots, network.name);
    if (endpoints.length === 0) continue;
    await attempt(async () => {
      const bridge = makeBridge(socket, network);
      for (const { host } of endpoints) {
        const message = socket.find(getLink(host));
        if (!message || linkIn(message).master === bridge.index) continue;
        await attempt(() => socket.send([setMaster(host, bridge.index), setUp(host)]));
      }
    });
  }
  await attempt(() => replaceRules(roots));
  const open = listNetworks(roots).filter(({ name, internal }) =>
    !internal && readLeases(roots, name).length > 0
  );
  const has = (sign: string) =>
    open.some(({ subnets }) => subnets.some(({ subnet }) => subnet.includes(sign)));
  await attempt(() => enableForwarding({ v4: has("."), v6: has(":") }));
  end("cannot reload networks");
}

/** `attempt` goes on whatever fails; `end` throws an AggregateError of all that did. */
function attempts() {
  const errors: unknown[] = [];
  return {
    async attempt(act: () => void | Promise<void>): Promise<void> {
      try {
        await act();
      } catch (error) {
        errors.push(error);
      }
    },
    end(message: string): void {
      if (errors.length > 0) throw new AggregateError(errors, message);
    },
  };
}

function removeLink(name: string): void {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    socket.send([deleteLink(name)]);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === "ENODEV")) throw error;
  }
}

function hasV6Here(): boolean {
  return getSysctl("ipv6/conf/default/disable_ipv6") !== undefined;
}

function isV6(address: string): boolean {
  return address.includes(":");
}
