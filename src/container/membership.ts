import { listNetworks, type NetworkWish, readNetwork } from "../network/mod.ts";
import { dataDirectory } from "./definition.ts";
import { networkEvent, noteEvents } from "./events.ts";
import { ContainerError } from "./find.ts";
import type { Known } from "./list.ts";
import { isRunning } from "./live.ts";
import { giveBackOne, type NetworkRequest, plugIn, setAside } from "./networking.ts";
import type { Roots } from "./state.ts";
import { SUBNET_PREFIX } from "./subnet_prefix.ts";

/**
 * Puts a container on a further network: at once if it runs, and at each start from now on.
 *
 * @throws {ContainerError} for one that has no network of its own, or is on that one already
 * @throws {Error} as prepareNetwork; the container is as it was then
 */
export async function joinNetwork(
  roots: Roots,
  known: Known,
  wish: NetworkWish,
): Promise<void> {
  const { id, name, definition, state } = known;
  if (!hasOwnNetwork(known)) {
    throw new ContainerError(
      `cannot connect container "${name}": it was made with --network none, host, container:NAME ` +
        "or ns:PATH",
    );
  }
  const before = definition && membership(roots, id, definition.network);
  if (before?.some((one) => one.name === wish.name)) {
    throw new ContainerError(`container "${name}" is on network "${wish.name}" already`);
  }
  if (state && isRunning(state)) await plugInto(roots, known, state.pid, wish);
  else if (!readNetwork(roots, wish.name)) {
    throw new ContainerError(`there is no network "${wish.name}"`);
  }
  if (before) writeMembership(roots, id, [...before, wish]);
}

/**
 * Takes a container off a network: at once if it runs, and at each start from now on.
 *
 * @throws {ContainerError} if it is not on it
 */
export async function leaveNetwork(
  roots: Roots,
  known: Known,
  network: string,
): Promise<void> {
  const { id, name, definition } = known;
  const before = definition && membership(roots, id, definition.network);
  const left = await giveBackOne(roots, id, network);
  const after = before?.filter((wish) => wish.name !== network);
  if (!left && after?.length === before?.length) {
    throw new ContainerError(`container "${name}" is not on network "${network}"`);
  }
  if (after) writeMembership(roots, id, after);
  if (left) noteEvents(roots, [networkEvent("disconnect", network, id)]);
}

/** What a container is to be given at a start: what it was made with, on the networks it is on by now. */
export function requestNow(
  roots: Roots,
  request: NetworkRequest | undefined,
): NetworkRequest | undefined {
  if (request === undefined) return undefined;
  const networks = membership(roots, request.container, request);
  if (networks.length > 0) return { ...request, networks };
  return { ...request, networks, publish: [] };
}

function hasOwnNetwork({ definition, state }: Known): boolean {
  return definition ? definition.network !== undefined : state?.networked === true;
}

async function plugInto(
  roots: Roots,
  { id, name }: Known,
  pid: number,
  wish: NetworkWish,
): Promise<void> {
  const prepared = await setAside(roots, { container: id, name, networks: [wish] });
  try {
    noteEvents(roots, plugIn(prepared, pid));
  } catch (error) {
    await giveBackOne(roots, id, wish.name);
    throw error;
  }
}

/** The networks that a container is on, as `connect` and `disconnect` have left them. */
function membership(roots: Roots, id: string, request?: NetworkRequest): readonly NetworkWish[] {
  try {
    const wishes: unknown = JSON.parse(Deno.readTextFileSync(membershipFile(roots, id)));
    if (isWishes(wishes)) return wishes;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof SyntaxError)) throw error;
  }
  return (request?.networks ?? []).map((wish) => ({ ...wish, name: nameOf(roots, wish) }));
}

/** Of a network that was asked for by its subnet. */
function nameOf(roots: Roots, { name }: NetworkWish): string {
  if (!name.startsWith(SUBNET_PREFIX)) return name;
  const wanted = name.slice(SUBNET_PREFIX.length);
  const has = ({ subnet }: { subnet: string }) => subnet === wanted;
  return listNetworks(roots).find(({ subnets }) => subnets.some(has))?.name ?? name;
}

/** A file of its own, by rename: the definition has other writers. */
function writeMembership(roots: Roots, id: string, wishes: readonly NetworkWish[]): void {
  const path = membershipFile(roots, id);
  Deno.writeTextFileSync(`${path}.new`, JSON.stringify(wishes), { mode: 0o600 });
  Deno.renameSync(`${path}.new`, path);
}

function membershipFile(roots: Roots, id: string): string {
  return `${dataDirectory(roots, id)}/networks.json`;
}

function isWishes(value: unknown): value is NetworkWish[] {
  const isWish = (one: unknown) =>
    typeof one === "object" && one !== null && "name" in one && typeof one.name === "string";
  return Array.isArray(value) && value.every(isWish);
}
