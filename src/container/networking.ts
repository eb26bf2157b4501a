/**
 * A container's networks, in the steps of its life: what is set aside before it starts, what is made
 * when its network namespace is there, and what is given back at its end.
 */
import {
  allLeases,
  connect,
  createNetwork,
  disconnect,
  type Endpoint,
  listNetworks,
  type NetworkRequest,
  type Prepared,
  prepareNetwork,
  type Published,
} from "../network/mod.ts";
import { refreshHosts, siblingsOf } from "./etc_files.ts";
import type { Roots } from "./state.ts";

export type { Endpoint, NetworkRequest, Prepared };

/** Before the start: addresses and ports, or an error that says what is in the way. */
export function setAside(
  roots: Roots,
  request: NetworkRequest,
): { prepared: Prepared; siblings: Endpoint[] } {
  const networks = request.networks.map((wish) => ({
    ...wish,
    name: networkNamed(roots, wish.name),
  }));
  const prepared = prepareNetwork(roots, { ...request, networks });
  const own = prepared.attachments.map(({ endpoint }) => endpoint);
  return { prepared, siblings: siblingsOf(own, allLeases(roots)) };
}

/** The name of a network; of one that is only told by "subnet CIDR", which is made if there is none. */
function networkNamed(roots: Roots, name: string): string {
  if (!name.startsWith("subnet ")) return name;
  const cidr = name.slice("subnet ".length);
  const known = listNetworks(roots).find(({ subnets }) =>
    subnets.some(({ subnet }) => subnet === cidr)
  );
  if (known) return known.name;
  const made = `subnet-${cidr.replaceAll(/[^0-9a-fA-F]/g, "-")}`;
  return createNetwork(roots, { name: made, subnets: [cidr] }).name;
}

/** When the first process is there: its interfaces; then its siblings learn its name. */
export function plugIn(roots: Roots, prepared: Prepared, pid: number): void {
  connect(prepared, { pid });
  refreshHosts(roots, prepared.attachments.map(({ network }) => network.name), allLeases(roots));
}

/** At the end: all that was set aside. */
export function giveBack(roots: Roots, id: string): void {
  const gone = disconnect(roots, id);
  refreshHosts(roots, gone.map(({ network }) => network), allLeases(roots));
}

/** Takes a running container off one network; returns whether it was on it. */
export function giveBackOne(roots: Roots, id: string, network: string): boolean {
  const gone = disconnect(roots, id, network);
  refreshHosts(roots, [network], allLeases(roots));
  return gone.length > 0;
}

/** What a published port is reachable at, in words. */
export function reachable({ attachments }: Prepared): string[] {
  return attachments.flatMap(({ endpoint }) =>
    endpoint.ports.map((port) => {
      const many = port.count > 1 ? `-${port.host + port.count - 1}` : "";
      const inside = port.count > 1
        ? `${port.container}-${port.container + port.count - 1}`
        : `${port.container}`;
      return `${
        whence(port)
      }:${port.host}${many}/${port.protocol} leads to port ${inside} of the container`;
    })
  );
}

function whence({ hostIp }: Published): string {
  if (hostIp === undefined) return "every address of this host";
  return hostIp.startsWith("127.") || hostIp === "::1"
    ? `${hostIp}, from this host alone,`
    : hostIp;
}
