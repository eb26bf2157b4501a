/** Published ports: which are wanted, and which the host or another container has. */
import { formatAddress, parseAddress } from "./address.ts";
import { holderOnHost } from "./listener.ts";

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
/** A free port is looked for in so many places at most. */
const TRIES_LIMIT = 2000;

/**
 * Requests with all ports chosen.
 *
 * @param holders those of other containers
 * @param onHost who listens to a port on the host: a name, or undefined
 * @throws {Error} for a port that is taken, naming who has it where that can be seen
 */
export function choosePorts(
  requests: readonly PortRequest[],
  holders: readonly Holder[],
  onHost: (published: Published) => string | undefined = holderOnHost,
): Published[] {
  const all = [...holders];
  return requests.map((request) => {
    const published = choosePort(request, (wanted) => {
      const holder = all.find((holder) => clash(wanted, holder.published));
      return holder ? holder.name : onHost(wanted);
    });
    all.push({ published, name: "this container itself" });
    return published;
  });
}

/** What a user is told after `-p`: where a port is reached, and from where. */
export function reachable(name: string, published: Published): string {
  const { hostIp, host, container, count, protocol } = published;
  const range = (first: number) => count === 1 ? `${first}` : `${first}-${first + count - 1}`;
  const where = hostIp === undefined || hostIp === "::"
    ? "on all addresses of this host, from other machines too"
    : hostIp.startsWith("127.")
    ? `on ${hostIp}, from this host alone`
    : `on ${hostIp}, from all that reach it`;
  return `${protocol} ${range(host)} leads to "${name}" port ${range(container)}: ${where}`;
}

function choosePort(
  { hostIp, host, container, protocol }: PortRequest,
  holderOf: (published: Published) => string | undefined,
): Published {
  const count = container[1] - container[0] + 1;
  const on = hostIp === undefined ? {} : anyAddress(hostIp);
  const made = (first: number): Published => {
    return { ...on, host: first, container: container[0], count, protocol };
  };
  if (host && host[1] - host[0] + 1 === count) {
    const published = made(host[0]);
    const holder = holderOf(published);
    if (holder === undefined) return published;
    throw new Error(`cannot publish ${written(published)}: ${holder} has it`);
  }
  const [first, last] = host ?? [FREE_FIRST, FREE_LAST];
  const places = Math.max(0, last - first + 2 - count);
  const start = host ? 0 : Math.floor(Math.random() * places);
  for (let step = 0; step < Math.min(places, TRIES_LIMIT); step++) {
    const published = made(first + (start + step) % places);
    if (holderOf(published) === undefined) return published;
  }
  throw new Error(
    `cannot publish ${protocol} port ${container[0]}: ${first}-${last} are all taken`,
  );
}

/** `tcp port 8080 of 127.0.0.1`, `udp ports 5000-5010`. */
function written({ hostIp, host, count, protocol }: Published): string {
  const ports = count === 1 ? `port ${host}` : `ports ${host}-${host + count - 1}`;
  return `${protocol} ${ports}${hostIp === undefined ? "" : ` of ${hostIp}`}`;
}

/** An address, or nothing for one that stands for all. */
function anyAddress(text: string): { hostIp?: string } {
  const bytes = parseAddress(text);
  if (!bytes) throw new Error(`cannot publish on "${text}": it is not an address`);
  return bytes.length === 4 && bytes.every((byte) => byte === 0)
    ? {}
    : { hostIp: formatAddress(bytes) };
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
