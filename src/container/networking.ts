/**
 * A container's networks, in the steps of its life: what is set aside before it starts, what is made
 * when its network namespace is there, and what is given back at its end.
 */
import { connect, disconnect } from "../network/connect.ts";
import { type NetworkRequest, type Prepared, prepareNetwork } from "../network/prepare.ts";
import { type Happening, networkEvent, noteEvents } from "./events.ts";
import type { Roots } from "./state.ts";
import { SUBNET_PREFIX } from "./subnet_prefix.ts";

export type { NetworkRequest, Prepared };

/** Before the start: addresses and ports, or an error that says what is in the way. */
export async function setAside(roots: Roots, request: NetworkRequest): Promise<Prepared> {
  const networks = [...request.networks];
  for (const [index, wish] of networks.entries()) {
    if (!wish.name.startsWith(SUBNET_PREFIX)) continue;
    const { networkWithSubnet } = await import("../network/creation.ts");
    const { name } = networkWithSubnet(roots, wish.name.slice(SUBNET_PREFIX.length));
    networks[index] = { ...wish, name };
  }
  return await prepareNetwork(roots, { ...request, networks });
}

/**
 * When the first process is there: its interfaces; its siblings learn its name.
 *
 * @returns what is to be noted
 */
export function plugIn(prepared: Prepared, pid: number): Happening[] {
  return connect(prepared, { pid }).map(({ network, container }) =>
    networkEvent("connect", network, container)
  );
}

/**
 * At the end: all that was set aside.
 *
 * @param ran whether it had got as far as its networks
 */
export async function giveBack(roots: Roots, id: string, ran: boolean): Promise<void> {
  const left = await disconnect(roots, id);
  if (ran) noteEvents(roots, left.map(({ network }) => networkEvent("disconnect", network, id)));
}

/** Takes a running container off one network; returns whether it was on it. */
export async function giveBackOne(roots: Roots, id: string, network: string): Promise<boolean> {
  return (await disconnect(roots, id, network)).length > 0;
}

/** What the published ports are reached at, a line each, for the user. */
export async function reachableLines(
  { attachments }: Prepared,
  name: string,
): Promise<string[]> {
  if (attachments.every(({ endpoint }) => endpoint.ports.length === 0)) return [];
  const { reachable } = await import("../network/port_choice.ts");
  return attachments.flatMap(({ endpoint }) => endpoint.ports.map((port) => reachable(name, port)));
}
