/**
 * Who listens to a port of the host: asked by bind(2), which costs microseconds, and only then
 * looked up in /proc/net, for whose lines the kernel walks the table of all connections.
 */
import {
  AF_INET,
  AF_INET6,
  Fd,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import { formatAddress, parseAddress } from "./address.ts";
import type { Protocol, Published } from "./port_choice.ts";

const EADDRINUSE = -98, EADDRNOTAVAIL = -99;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41, IPPROTO_SCTP = 132;
const IPV6_V6ONLY = 26;
const ON = new Uint8Array([1, 0, 0, 0]); // int
/** A longer range is looked up in /proc/net at once. */
const BIND_LIMIT = 256;
const TCP_LISTEN = "0A", UDP_UNCONNECTED = "07";

/**
 * Who has one of some ports on this host, so that they cannot be published.
 *
 * @returns `"nginx" (process 17)`; undefined where all are free
 * @throws {Error} for an address that this host does not have
 */
export function holderOnHost(published: Published): string | undefined {
  const { hostIp, host, count, protocol } = published;
  if (count > BIND_LIMIT) {
    const listener = listeners(protocol).find((one) => hears(one, published));
    return listener && nameOf(listener);
  }
  const addresses = hostIp === undefined
    ? [new Uint8Array(4), new Uint8Array(16)]
    : [parseAddress(hostIp) ?? new Uint8Array(4)];
  for (let port = host; port < host + count; port++) {
    if (addresses.every((address) => isFree(address, port, protocol))) continue;
    const one = { ...published, host: port, count: 1 };
    const listener = listeners(protocol).find((listener) => hears(listener, one));
    return listener ? nameOf(listener) : UNSEEN;
  }
  return undefined;
}

const UNSEEN = "a process that cannot be seen from here";

/** Whether a socket could be bound to a port. Of TCP, what is only waiting to be forgotten is free:
 * SO_REUSEADDR; of UDP that would let two listen. */
function isFree(address: Uint8Array, port: number, protocol: Protocol): boolean {
  const family = address.length === 4 ? AF_INET : AF_INET6;
  const type = (protocol === "udp" ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC;
  const opened = trySyscall("socket", family, type, protocol === "sctp" ? IPPROTO_SCTP : 0);
  if (opened < 0) return true; // The host lacks the protocol, so nobody listens.
  using fd = new Fd(opened);
  if (protocol === "tcp") {
    trySyscall("setsockopt", fd.number, SOL_SOCKET, SO_REUSEADDR, ON, ON.length);
  }
  if (family === AF_INET6) {
    trySyscall("setsockopt", fd.number, IPPROTO_IPV6, IPV6_V6ONLY, ON, ON.length);
  }
  const where = socketAddress(family, address, port);
  const result = trySyscall("bind", fd.number, where, where.length);
  if (result === EADDRINUSE) return false;
  if (result === 0 || (result === EADDRNOTAVAIL && isAny(address))) return true;
  const why = result === EADDRNOTAVAIL ? ", which is no address of this host" : "";
  throw new Error(`cannot publish ${protocol} port ${port} of ${formatAddress(address)}${why}`, {
    cause: new SyscallError("bind", -result),
  });
}

/** `struct sockaddr_in` or `sockaddr_in6`: family, port, [flow,] address[, scope]; ip(7), ipv6(7). */
function socketAddress(family: number, address: Uint8Array, port: number): Uint8Array {
  const bytes = new Uint8Array(family === AF_INET ? 16 : 28);
  bytes[0] = family;
  bytes[2] = port >> 8;
  bytes[3] = port;
  bytes.set(address, family === AF_INET ? 4 : 8);
  return bytes;
}

function isAny(address: Uint8Array): boolean {
  return address.every((byte) => byte === 0);
}

/** A socket that listens. */
interface Listener {
  /** Absent: all addresses. */
  address?: string;
  port: number;
  /** As the links in /proc/PID/fd name it. */
  socket: string;
}

/** `::` hears IPv4 too, as a rule. */
function hears({ address, port }: Listener, { hostIp, host, count }: Published): boolean {
  const isAnywhere = address === undefined || hostIp === undefined || hostIp === "::";
  return port >= host && port < host + count && (isAnywhere || address === hostIp);
}

/** The sockets that listen on this host; proc_pid_net(5). */
function listeners(protocol: Protocol): Listener[] {
  if (protocol === "sctp") return [];
  const wanted = protocol === "tcp" ? TCP_LISTEN : UDP_UNCONNECTED;
  return ["", "6"].flatMap((version) =>
    linesOf(`/proc/net/${protocol}${version}`).slice(1).flatMap((line) => {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state !== wanted) return [];
      const [hex = "", port = ""] = local.split(":");
      const address = kernelAddress(hex);
      const listener = { port: parseInt(port, 16), socket: `socket:[${inode}]` };
      return [address === undefined ? listener : { ...listener, address }];
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
function nameOf({ socket }: Listener): string {
  for (const { name: pid } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      for (const { name: fd } of Deno.readDirSync(`/proc/${pid}/fd`)) {
        if (Deno.readLinkSync(`/proc/${pid}/fd/${fd}`) !== socket) continue;
        return `"${Deno.readTextFileSync(`/proc/${pid}/comm`).trim()}" (process ${pid})`;
      }
    } catch { /* It has ended, or is not ours to look at. */ }
  }
  return UNSEEN;
}

function linesOf(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).split("\n").filter((line) => line !== "");
  } catch {
    return [];
  }
}
