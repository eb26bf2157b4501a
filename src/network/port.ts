/** Published ports: which are wanted, which are taken and by whom; proc_pid_net(5). */
import { formatAddress, parseAddress } from "./address.ts";

/** A protocol with ports. */
export type Protocol = "tcp" | "udp" | "sctp";

/** What is asked for: `-p`. */
export interface PortRequest {
  /** Absent: all addresses of the host. */
  hostIp?: string;
  /** First and last; absent: a free one is chosen. */
  host?: readonly [number, number];
  /** First and last. */
  container: readonly [number, number];
  protocol: Protocol;
}

/** Ports of the host that lead to ports of a container, one by one. */
export interface Published {
  /** In short form; absent: all addresses of the host. */
  hostIp?: string;
  /** The first. */
  host: number;
  /** The first. */
  container: number;
  /** How many. */
  count: number;
  protocol: Protocol;
}

/** Who has a port already. */
export interface Holder {
  published: Published;
  /** `container "web"`, `nginx (pid 17)`. */
  name: string;
}

/** Above what is given away by itself as a source port, as a rule; RFC 6335. */
const FREE_FIRST = 49_152, FREE_LAST = 65_535;
const TCP_LISTEN = "0A", UDP_UNCONNECTED = "07";

/**
 * Requests with all ports chosen.
 *
 * @param holders those of other containers
 * @throws {Error} for a port that is taken, naming who has it where that can be seen
 */
export function choosePorts(requests: readonly PortRequest[], holders: Holder[]): Published[] {
  if (requests.length === 0) return [];
  const protocols = new Set(requests.map(({ protocol }) => protocol));
  const all = [...holders, ...[...protocols].flatMap(listeners)];
  return requests.map((request) => {
    const published = choosePort(request, all);
    all.push({ published, name: "this container itself" });
    return published;
  });
}

function choosePort(request: PortRequest, holders: Holder[]): Published {
  const { host, container, protocol } = request;
  const count = container[1] - container[0] + 1;
  const made = (port: number): Published => ({
    ...request.hostIp !== undefined && anyAddress(request.hostIp),
    host: port,
    container: container[0],
    count,
    protocol,
  });
  if (host && host[1] - host[0] + 1 === count) {
    const published = made(host[0]);
    refuseTaken(published, holders);
    return published;
  }
  const [first, last] = host ?? [FREE_FIRST, FREE_LAST - count + 1];
  const size = last - first + 1;
  const start = host ? 0 : Math.floor(Math.random() * size);
  for (let step = 0; step < size; step++) {
    const published = made(first + (start + step) % size);
    if (!holders.some((holder) => clash(published, holder.published))) return published;
  }
  throw new Error(
    `cannot publish ${protocol} port ${container[0]}: ${first}-${last} are all taken`,
  );
}

/** An address, or nothing for one that stands for all. */
function anyAddress(text: string): { hostIp?: string } {
  const bytes = parseAddress(text);
  if (!bytes) throw new Error(`cannot publish on "${text}": it is not an address`);
  return bytes.length === 4 && bytes.every((byte) => byte === 0)
    ? {}
    : { hostIp: formatAddress(bytes) };
}

function refuseTaken(wanted: Published, holders: Holder[]): void {
  const holder = holders.find(({ published }) => clash(wanted, published));
  if (!holder) return;
  const port = Math.max(wanted.host, holder.published.host);
  const where = wanted.hostIp === undefined ? "" : ` of ${wanted.hostIp}`;
  const name = holder.name.startsWith("socket:") ? processOf(holder.name) : holder.name;
  throw new Error(`cannot publish ${wanted.protocol} port ${port}${where}: ${name} has it`);
}

function clash(one: Published, other: Published): boolean {
  return one.protocol === other.protocol &&
    one.host < other.host + other.count && other.host < one.host + one.count &&
    sameAddress(one.hostIp, other.hostIp);
}

/** `::` listens to IPv4 too, as a rule. */
function sameAddress(one = "::", other = "::"): boolean {
  return one === other || one === "::" || other === "::";
}

/** The ports that are listened to on this host, each with its socket for a name. */
function listeners(protocol: Protocol): Holder[] {
  if (protocol === "sctp") return []; // /proc/net/sctp/eps is not there until the module is.
  const wanted = protocol === "tcp" ? TCP_LISTEN : UDP_UNCONNECTED;
  return ["", "6"].flatMap((version) =>
    linesOf(`/proc/net/${protocol}${version}`).slice(1).flatMap((line) => {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      const [address = "", port = ""] = local.split(":");
      if (state !== wanted) return [];
      const published = { host: parseInt(port, 16), container: 0, count: 1, protocol };
      const hostIp = kernelAddress(address);
      return [{
        published: hostIp === undefined ? published : { ...published, hostIp },
        name: `socket:[${inode}]`,
      }];
    })
  );
}

/** As /proc/net/tcp writes it, in 32-bit words of the host's order; undefined for all addresses. */
function kernelAddress(hex: string): string | undefined {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) =>
    [6, 4, 2, 0].map((at) => parseInt(word.slice(at, at + 2), 16))
  );
  if (bytes.every((byte) => byte === 0)) return undefined;
  const isMapped = bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff &&
    bytes.slice(0, 10).every((byte) => byte === 0);
  return formatAddress(new Uint8Array(isMapped ? bytes.slice(12) : bytes));
}

/** The process that has a socket, as far as this process may see. */
function processOf(socket: string): string {
  for (const { name: pid } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      for (const { name: fd } of Deno.readDirSync(`/proc/${pid}/fd`)) {
        if (Deno.readLinkSync(`/proc/${pid}/fd/${fd}`) !== socket) continue;
        return `"${Deno.readTextFileSync(`/proc/${pid}/comm`).trim()}" (process ${pid})`;
      }
    } catch { /* It has ended, or is not ours to look at. */ }
  }
  return "a process that cannot be seen from here";
}

function linesOf(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).split("\n").filter((line) => line !== "");
  } catch {
    return [];
  }
}
