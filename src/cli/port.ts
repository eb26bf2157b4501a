import { UsageError } from "./usage_error.ts";

/** A published port, or a range of them: `-p`. */
export interface PublishedPort {
  /** As written, without brackets; absent: all addresses. */
  hostIp?: string;
  /** First and last; absent: a free one is chosen. */
  host?: readonly [number, number];
  /** First and last. */
  container: readonly [number, number];
  protocol: "tcp" | "udp" | "sctp";
}

/**
 * A published port: `[[IP:]HOST[-END]:]PORT[-END][/tcp|udp|sctp]`, IPv6 in brackets.
 *
 * As in docker, the two ranges are equally long, unless one container port is to get the first
 * free one of several; `IP::PORT` and HOST 0 leave the choice to the engine.
 *
 * @throws {UsageError} if it is none
 */
export function parsePublishedPort(text: string): PublishedPort {
  const [address, protocol] = protocolOf(text);
  const [, bracketed, plain, rest = ""] =
    /^(?:\[([^\]]*)\]:(?=.*:)|([^:[\]]*):(?=[^:]*:))?([^[\]]*)$/.exec(address) ?? [];
  const parts = rest.split(":");
  const containerText = parts.pop() ?? "";
  const hostText = parts.pop() ?? "";
  const hostIp = bracketed ?? plain;
  if (parts.length > 0 || (hostIp !== undefined && !isAddress(hostIp, bracketed !== undefined))) {
    throw wrong(text, "must be [[IP:]HOST:]PORT[/PROTO], an IPv6 address in brackets");
  }
  const container = range(containerText, text);
  const host = hostText === "" || hostText === "0" ? undefined : range(hostText, text);
  const length = ([first, last]: readonly [number, number]) => last - first;
  if (host && length(host) !== length(container) && length(container) !== 0) {
    throw wrong(text, "has ranges of different lengths");
  }
  return {
    ...hostIp !== undefined && { hostIp },
    ...host && { host },
    container,
    protocol,
  };
}

/**
 * An exposed port: `PORT[-END][/tcp|udp|sctp]`.
 *
 * @throws {UsageError} if it is none
 */
export function parseExposedPort(text: string): PublishedPort {
  const [ports, protocol] = protocolOf(text);
  return { container: range(ports, text), protocol };
}

function protocolOf(text: string): [string, PublishedPort["protocol"]] {
  const at = text.indexOf("/");
  const protocol = at === -1 ? "tcp" : text.slice(at + 1).toLowerCase();
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") {
    throw wrong(text, `must end in /tcp, /udp or /sctp`);
  }
  return [at === -1 ? text : text.slice(0, at), protocol];
}

function range(text: string, whole: string): readonly [number, number] {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const ports = [Number(first), Number(last)] as const;
  if (!(ports[0] >= 1 && ports[0] <= ports[1] && ports[1] <= 65535)) {
    throw wrong(whole, `has "${text}" for a port from 1 to 65535 or a range of them`);
  }
  return ports;
}

function isAddress(text: string, bracketed: boolean): boolean {
  if (bracketed) return URL.canParse(`http://[${text}]/`);
  const parts = text.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

function wrong(text: string, what: string): UsageError {
  return new UsageError(`"${text}" ${what}`);
}
