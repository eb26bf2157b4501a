/**
 * Leases: which container has which address and which ports, one file for each network, written
 * under one lock.
 *
 * A lease is void after a reboot, and when its container's directory is gone, so that neither a
 * crash nor a forgotten clean-up ever exhausts a subnet.
 */
import { lockWithin, tryLock } from "../../ffi/mod.ts";
import {
  addressAt,
  contains,
  formatAddress,
  parseAddress,
  parseSubnet,
  sizeOf,
} from "./address.ts";
import {
  namesIn,
  type Network,
  type NetworkSubnet,
  readJson,
  removeIfThere,
  type Roots,
  writeJson,
} from "./network.ts";
import type { Published } from "./port_choice.ts";

/** A container's place on a network. */
export interface Endpoint {
  /** The container's id. */
  container: string;
  /** The container's name. */
  name: string;
  network: string;
  /** Inside: `eth0`. */
  interface: string;
  /** The host's end of the pair. */
  host: string;
  /** `0e:6d:0a:58:00:02`. */
  mac: string;
  /** Each with its prefix: `10.88.0.2/16`. */
  addresses: string[];
  /** Other names that its siblings know it by. */
  aliases: string[];
  ports: Published[];
  /** Of the process that took the lease, which keeps it until the container's directory is there. */
  pid: number;
  /** When that process was started, as {@linkcode startOf} has it: its id may be given away again. */
  started: string;
}

interface Leases {
  boot: string;
  endpoints: Endpoint[];
}

const LOCK_TIMEOUT_MS = 20_000;

/**
 * As long as it is held, no other minictr of this root changes networks; flock(2).
 *
 * @throws {Error} when another does not let go for 20 seconds
 */
export function lockNetworks(roots: Roots): Disposable {
  const directory = `${roots.run}/networks`;
  const attempt = () => tryLock(`${directory}/lock`, "new file");
  let lock = lockWithin(LOCK_TIMEOUT_MS, attempt);
  if (lock === null) {
    Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
    lock = lockWithin(LOCK_TIMEOUT_MS, attempt);
  }
  if (!lock) throw new Error(`cannot lock "${directory}": another minictr has held it for 20 s`);
  return lock;
}

/** The endpoints on a network, those of containers that are gone left out. */
export function readLeases(roots: Roots, network: string): Endpoint[] {
  const leases = readJson(leaseFile(roots, network), isLeases);
  if (!leases || leases.boot !== bootId()) return [];
  const there = new Set(namesIn(`${roots.run}/containers`));
  return leases.endpoints.filter(({ container, pid, started }) =>
    there.has(container) || there.has(`.new.${container}`) ||
    startOf(pid) === started
  );
}

/** The endpoints on all networks. */
export function allLeases(roots: Roots): Endpoint[] {
  return namesIn(`${roots.run}/networks`)
    .filter((name) => name !== "lock")
    .flatMap((name) => readLeases(roots, name));
}

/** Writes who is on a network; under the lock. */
export function writeLeases(roots: Roots, network: string, endpoints: Endpoint[]): void {
  const leases = { boot: bootId(), endpoints } satisfies Leases;
  try {
    writeJson(leaseFile(roots, network), leases);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // The first of this network.
    const directory = `${roots.run}/networks/${network}`;
    Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeJson(leaseFile(roots, network), leases);
  }
}

/** Forgets who was on a network. */
export function forgetLeases(roots: Roots, network: string): void {
  removeIfThere(`${roots.run}/networks/${network}`);
}

/**
 * An address for a new endpoint: the wanted one, or the one after the last that was given away, so
 * that an address rests as long as possible before another container gets it.
 *
 * @throws {Error} when it is taken or outside, or none is free
 */
export function chooseAddress(
  network: Network,
  { subnet, gateway, range }: NetworkSubnet,
  { wanted, endpoints }: { wanted?: string | undefined; endpoints: readonly Endpoint[] },
): string {
  const whole = parseSubnet(subnet);
  const holders = new Map(
    endpoints.flatMap(({ name, addresses }) =>
      addresses.map((address) => [address.slice(0, address.indexOf("/")), name] as const)
    ),
  );
  holders.set(gateway, "the bridge");
  if (wanted !== undefined) {
    const bytes = parseAddress(wanted);
    const cannot = `cannot give address "${wanted}" on network "${network.name}"`;
    if (!bytes || !contains(whole, bytes)) throw new Error(`${cannot}: its subnet is ${subnet}`);
    const address = formatAddress(bytes);
    const holder = holders.get(address);
    if (holder !== undefined) throw new Error(`${cannot}: ${quoted(holder)} has it`);
    if (isEdge(whole, address)) throw new Error(`${cannot}: it is the subnet's first or last`);
    return `${address}/${whole.prefix}`;
  }
  const pool = range === undefined ? whole : parseSubnet(range);
  const size = sizeOf(pool);
  const last = endpoints.at(-1)?.addresses.map((address) => address.split("/")[0] ?? "");
  const start = placeIn(pool, last) + 1;
  for (let step = 0; step < Math.min(size, holders.size + 4); step++) {
    const address = formatAddress(addressAt(pool, (start + step) % size));
    if (!holders.has(address) && !isEdge(whole, address)) return `${address}/${whole.prefix}`;
  }
  throw new Error(
    `no address is free on network "${network.name}": ${endpoints.length} containers are on ` +
      `${range ?? subnet}`,
  );
}

/** Where one of some addresses is in a subnet; -1 if none is. */
function placeIn(pool: { address: Uint8Array; prefix: number }, addresses: string[] = []): number {
  const low = (bytes: Uint8Array) =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4);
  for (const text of addresses) {
    const bytes = parseAddress(text);
    if (!bytes || bytes.length !== pool.address.length) continue;
    const subnet = { address: new Uint8Array(pool.address), prefix: pool.prefix };
    if (contains(subnet, bytes)) return low(bytes) - low(pool.address);
  }
  return -1;
}

/** The network's own address and, of IPv4, the broadcast address. */
function isEdge(subnet: { address: Uint8Array; prefix: number }, address: string): boolean {
  const own = { address: new Uint8Array(subnet.address), prefix: subnet.prefix };
  if (own.address.length * 8 - own.prefix < 2) return false; // RFC 3021: both of two can be used.
  const last = own.address.length === 4 ? addressAt(own, sizeOf(own) - 1) : undefined;
  return address === formatAddress(own.address) || (last && address === formatAddress(last)) ||
    false;
}

function quoted(holder: string): string {
  return holder === "the bridge" ? holder : `container "${holder}"`;
}

let boot: string | undefined;

/** One's own for each boot; random(4). */
function bootId(): string {
  return boot ??= Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
}

/**
 * When a process was started, in clock ticks since boot; undefined for one that is not there or has
 * ended, though nobody has waited for it yet. proc_pid_stat(5)
 */
export function startOf(pid: number): string | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" "); // From the third on.
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[22 - 3];
  } catch {
    return undefined;
  }
}

function leaseFile(roots: Roots, network: string): string {
  return `${roots.run}/networks/${network}/leases.json`;
}

function isLeases(value: unknown): value is Leases {
  return typeof value === "object" && value !== null && "boot" in value &&
    typeof value.boot === "string" && "endpoints" in value && Array.isArray(value.endpoints);
}
