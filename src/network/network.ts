/** Networks: their definitions on disk, and the names that minictr gives on the host. */

/** Where networks are kept; what container/ calls Roots. */
export interface Roots {
  /** What a reboot may lose: leases. */
  run: string;
  /** What lasts: definitions. */
  data: string;
}

/** One subnet of a network: CIDR and addresses as text. */
export interface NetworkSubnet {
  subnet: string;
  /** The bridge's address, which is the containers' way out. */
  gateway: string;
  /** Where addresses are taken from; absent: the whole subnet. */
  range?: string;
}

/** A network as it is defined: a bridge, and the addresses on it. */
export interface Network {
  version: 1;
  name: string;
  /** The bridge's interface. */
  bridge: string;
  /** One of IPv4, of IPv6, or one of each. */
  subnets: NetworkSubnet[];
  /** Whether nothing goes in or out but to the host. */
  internal: boolean;
  /** Bytes; absent: that of the host's default route. */
  mtu?: number;
  /** ISO 8601. */
  created: string;
}

/** The network of containers that ask for none. */
export const DEFAULT_NETWORK = "bridge";

/** What the host's ends of veth pairs begin with: no other engine's do. */
export const VETH_PREFIX = "vethm";

const SYSTEM_RUN = "/run/minictr";
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
const MODES = ["none", "host", "default", "private"];

/** The definition of a network; undefined where there is none of that name. */
export function readNetwork(roots: Roots, name: string): Network | undefined {
  if (!NAME.test(name)) return undefined;
  return readJson(definition(roots, name), isNetwork);
}

/** The definitions of all networks, by name. */
export function listNetworks(roots: Roots): Network[] {
  return namesIn(`${roots.data}/networks`)
    .filter((file) => file.endsWith(".json"))
    .map((file) => readNetwork(roots, file.slice(0, -".json".length)))
    .filter((network) => network !== undefined)
    .sort((one, other) => one.name < other.name ? -1 : 1);
}

/** Writes a definition by rename: a reader sees the old one or the new one. */
export function writeNetwork(roots: Roots, network: Network): void {
  Deno.mkdirSync(`${roots.data}/networks`, { recursive: true, mode: 0o700 });
  writeJson(definition(roots, network.name), network);
}

/** Forgets a definition; it need not be there. */
export function forgetNetwork(roots: Roots, name: string): void {
  removeIfThere(definition(roots, name));
}

/** @throws {Error} for a name that no network can have */
export function checkNetworkName(name: string): void {
  if (!NAME.test(name) || MODES.includes(name)) {
    throw new Error(
      `"${name}" cannot be a network's name: letters, digits, "_", "." and "-" can, and not ` +
        MODES.map((mode) => `"${mode}"`).join(", "),
    );
  }
}

/** Whether containers on a network find one another by name: on all but the default one, as in docker. */
export function hasNames(network: string): boolean {
  return network !== DEFAULT_NETWORK;
}

/** The interface of a network's bridge: 15 bytes at most, one's own for each root and network. */
export function bridgeName(roots: Roots, network: string): string {
  if (network !== DEFAULT_NETWORK) return `mctr${hash(`${roots.run}\n${network}`).slice(0, 10)}`;
  return isSystem(roots) ? "minictr0" : `mctr${hash(roots.run).slice(0, 6)}`;
}

/** The packet filter's table: one's own for each root. */
export function tableName(roots: Roots): string {
  return isSystem(roots) ? "minictr" : `minictr_${hash(roots.run).slice(0, 6)}`;
}

/** The host's end of a container's veth pair. */
export function vethName(roots: Roots, container: string, network: string): string {
  return `${VETH_PREFIX}${hash(`${roots.run}\n${container}\n${network}`).slice(0, 10)}`;
}

/** Sixteen hexadecimal digits that tell texts apart, as FNV-1a does; against no adversary. */
export function hash(text: string): string {
  let one = 0x811c9dc5, other = 0x9dc5811c;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul(other ^ unit, 0x85ebca6b);
  }
  const hex = (number: number) => ((number ^ number >>> 15) >>> 0).toString(16).padStart(8, "0");
  return hex(one) + hex(other);
}

/** What a JSON file holds; undefined where there is none, or not a whole one. */
export function readJson<T>(path: string, is: (value: unknown) => value is T): T | undefined {
  try {
    const value: unknown = JSON.parse(Deno.readTextFileSync(path));
    return is(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a JSON file by rename. */
export function writeJson(path: string, value: unknown): void {
  Deno.writeTextFileSync(`${path}.new`, JSON.stringify(value), { mode: 0o600 });
  Deno.renameSync(`${path}.new`, path);
}

/** The names in a directory; none where it is not there. */
export function namesIn(directory: string): string[] {
  try {
    return Array.from(Deno.readDirSync(directory), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Removes a file or directory, with all in it; it need not be there. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function definition(roots: Roots, name: string): string {
  return `${roots.data}/networks/${name}.json`;
}

function isSystem(roots: Roots): boolean {
  return roots.run === SYSTEM_RUN;
}

function isNetwork(value: unknown): value is Network {
  return typeof value === "object" && value !== null && "version" in value &&
    value.version === 1 && "name" in value && typeof value.name === "string" &&
    "bridge" in value && typeof value.bridge === "string" && "subnets" in value &&
    Array.isArray(value.subnets) && "internal" in value && typeof value.internal === "boolean";
}
