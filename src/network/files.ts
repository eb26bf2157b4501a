/** /etc/hosts and /etc/resolv.conf of a container; hosts(5), resolv.conf(5). Pure. */
import type { Endpoint } from "./lease.ts";
import type { Network } from "./network.ts";

/** What /etc/hosts of a container tells. */
export interface HostsOptions {
  hostname: string;
  /** `--add-host`: `NAME:ADDRESS` or `NAME=ADDRESS`; the address may be `host-gateway`. */
  addHosts?: readonly string[];
  networks?: readonly Network[];
  /** The container's own. */
  endpoints?: readonly Endpoint[];
  /** Others on the same networks. */
  siblings?: readonly Endpoint[];
}

/** What `--dns`, `--dns-search` and `--dns-option` say; absent or empty: as on the host. */
export interface ResolvOptions {
  servers?: readonly string[];
  /** `.` alone: none. */
  search?: readonly string[];
  options?: readonly string[];
}

/** What resolv.conf(5) of a systemd-resolved host points to; its own servers are in UPLINK_RESOLV. */
const STUB = /^127\.0\.0\.5[34]$/;
/** Where systemd-resolved writes the servers that it asks itself. */
export const UPLINK_RESOLV = "/run/systemd/resolve/resolv.conf";
/** Above it are lines of the container's own, below it those of its siblings, which change. */
const MARK = "# containers on the same networks";

/**
 * The text of /etc/hosts: loopback, the container's own names, `--add-host`, and its siblings.
 *
 * @throws {Error} for `host-gateway` without a network
 */
export function hostsFile(options: HostsOptions): string {
  const { hostname, addHosts = [], endpoints = [], networks = [] } = options;
  const gateway = networks[0]?.subnets[0]?.gateway;
  const own = endpoints.flatMap(({ addresses, name, aliases }) =>
    addresses.map((cidr) => `${plain(cidr)}\t${unique([hostname, name, ...aliases]).join(" ")}`)
  );
  const lines = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    ...own.length > 0 ? own : [`127.0.1.1\t${hostname}`],
    ...addHosts.map((pair) => {
      const at = pair.search(/[:=]/);
      const [name, address] = [pair.slice(0, at), pair.slice(at + 1)];
      if (address !== "host-gateway") return `${address}\t${name}`;
      if (gateway === undefined) throw new Error(`"${pair}" needs a network with a gateway`);
      return `${gateway}\t${name}`;
    }),
    ...gateway === undefined ? [] : [`${gateway}\thost.containers.internal host.docker.internal`],
  ];
  return withSiblings(`${lines.join("\n")}\n`, options.siblings ?? []);
}

/** A text of /etc/hosts with other siblings, all else as it was. */
export function withSiblings(text: string, siblings: readonly Endpoint[]): string {
  const at = text.indexOf(`${MARK}\n`);
  const own = at === -1 ? text : text.slice(0, at);
  if (siblings.length === 0) return own;
  const lines = siblings.flatMap(({ addresses, name, aliases }) =>
    addresses.map((cidr) => `${plain(cidr)}\t${unique([name, ...aliases]).join(" ")}`)
  );
  return `${own}${MARK}\n${lines.join("\n")}\n`;
}

/** Whether a host's resolv.conf names only the stub, so that {@linkcode UPLINK_RESOLV} is to be read. */
export function isStub(hostText: string): boolean {
  const servers = serversIn(hostText);
  return servers.length > 0 && servers.every((server) => STUB.test(server));
}

/**
 * The text of /etc/resolv.conf. Servers on the host's loopback are left out, as the container's
 * loopback is another one; where none remains, there is none, and `notice` says so.
 *
 * @param hostText of the host's file, or of {@linkcode UPLINK_RESOLV} where that {@linkcode isStub}
 */
export function resolvConf(
  hostText: string,
  { servers = [], search = [], options = [] }: ResolvOptions = {},
): { text: string; notice?: string } {
  const onHost = serversIn(hostText);
  const used = servers.length > 0 ? servers : onHost.filter((server) => !isLoopback(server));
  const searched = search.length > 0 ? search.filter((name) => name !== ".") : wordsOf(hostText);
  const opted = options.length > 0 ? options : wordsOf(hostText, "options");
  const text = [
    ...used.map((server) => `nameserver ${server}\n`),
    ...searched.length > 0 ? [`search ${searched.join(" ")}\n`] : [],
    ...opted.length > 0 ? [`options ${opted.join(" ")}\n`] : [],
  ].join("");
  return used.length > 0 || onHost.length === 0 ? { text } : {
    text,
    notice: `no name server for the container: the host's only ones are on its loopback ` +
      `(${onHost.join(", ")}); give one with --dns`,
  };
}

function serversIn(text: string): string[] {
  return linesOf(text, "nameserver").map(([server = ""]) => server).filter((one) => one !== "");
}

/** The last line of a keyword is the one that counts; `domain` is an older `search`. */
function wordsOf(text: string, keyword = "search"): string[] {
  const lines = linesOf(text, keyword);
  if (lines.length === 0 && keyword === "search") return linesOf(text, "domain").at(-1) ?? [];
  return lines.at(-1) ?? [];
}

function linesOf(text: string, keyword: string): string[][] {
  return text.split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([word]) => word === keyword)
    .map(([, ...words]) => words);
}

function isLoopback(server: string): boolean {
  return server.startsWith("127.") || server === "::1";
}

function plain(cidr: string): string {
  return cidr.slice(0, cidr.indexOf("/"));
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
