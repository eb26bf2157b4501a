/** A network's bridge on the host. */
import {
  getLink,
  getRoutes,
  type Link,
  linkIn,
  NetlinkError,
  type NetlinkSocket,
  newAddress,
  newBridge,
  type Route,
  routeIn,
  setUp,
} from "../netlink/mod.ts";
import { parseCidr, parseSubnet } from "./address.ts";
import type { Network } from "./network.ts";
import { setSysctl } from "./sysctl.ts";

/** The bridge of a network; undefined while there is none. */
export function findBridge(socket: NetlinkSocket, { name, bridge }: Network): Link | undefined {
  const message = socket.find(getLink(bridge));
  const link = message && linkIn(message);
  if (!link || link.kind === "bridge") return link;
  throw new Error(`network "${name}" needs the name "${bridge}", which a ${link.kind} device has`);
}

/**
 * The bridge of a network, made where it is missing: with a MAC of its own, which does not change
 * with its ports. One that is not up was left half made, and is finished.
 *
 * @param found what `findBridge` found
 * @throws {NetlinkError} when the kernel refuses
 */
export function makeBridge(
  socket: NetlinkSocket,
  network: Network,
  found = findBridge(socket, network),
): Link {
  const link = found ?? newlyMade(socket, network);
  if (!link.isUp) finish(socket, network, link);
  return link;
}

function newlyMade(socket: NetlinkSocket, network: Network): Link {
  const { bridge } = network;
  const mac = crypto.getRandomValues(new Uint8Array(6));
  mac[0] = 0x0e; // Locally administered, of one device.
  const mtu = network.mtu ?? uplinkMtu(socket);
  try {
    socket.send([newBridge(bridge, { mac, ...mtu !== undefined && { mtu } })]);
  } catch (cause) {
    throw explained(cause);
  }
  const link = findBridge(socket, network);
  if (!link) throw new Error(`bridge "${bridge}" is gone again`);
  return link;
}

/** Gives a bridge its addresses, and makes it deaf to router advertisements (CVE-2020-13401). Up
 * comes last: what is up is whole. */
function finish(socket: NetlinkSocket, { bridge, subnets }: Network, { index }: Link): void {
  const hasV6 = subnets.some(({ subnet }) => subnet.includes(":"));
  setSysctl(`ipv6/conf/${bridge}/accept_ra`, "0");
  setSysctl(`ipv6/conf/${bridge}/disable_ipv6`, hasV6 ? "0" : "1");
  socket.send([
    ...subnets.map(({ subnet, gateway }) => {
      const { address } = parseCidr(`${gateway}/0`);
      return newAddress({ address, prefix: parseSubnet(subnet).prefix, index });
    }),
    setUp(index),
  ]);
}

/** The routes of the host's main table. */
export function hostRoutes(socket: NetlinkSocket): Route[] {
  return socket.ask(getRoutes()).map(routeIn).filter((route) => route !== undefined);
}

/** Bytes: as much as the way out takes, so that no packet is too long for it. */
function uplinkMtu(socket: NetlinkSocket): number | undefined {
  const route = hostRoutes(socket).find(({ destination, index }) => !destination && index);
  const message = route?.index === undefined ? undefined : socket.find(getLink(route.index));
  return message && linkIn(message).mtu;
}

function explained(error: unknown): unknown {
  if (!(error instanceof NetlinkError)) return error;
  const advice: Record<string, string> = {
    EPERM: "networks need root with CAP_NET_ADMIN; --network host does not",
    EOPNOTSUPP: "the kernel has no bridges: load the module with `modprobe bridge`",
  };
  const what = advice[error.code];
  return what === undefined ? error : new Error(`${error.message}; ${what}`, { cause: error });
}
