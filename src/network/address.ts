/** Addresses and subnets: text, bytes, and what lies in what; RFC 4632, RFC 4291. Pure. */
import type { Bytes } from "../netlink/mod.ts";

/** A range of addresses: 4 or 16 bytes, those behind the prefix 0. */
export interface Subnet {
  address: Bytes;
  /** Bits. */
  prefix: number;
}

/** An address as bytes, 4 or 16; undefined for what is none. */
export function parseAddress(text: string): Bytes | undefined {
  return text.includes(":") ? parseV6(text) : parseV4(text);
}

/** An address as text; IPv6 shortened as in RFC 5952. */
export function formatAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) {
    groups.push((((address[at] ?? 0) << 8) | (address[at + 1] ?? 0)).toString(16));
  }
  return canonicalV6(groups.join(":")) ?? groups.join(":");
}

/**
 * `ADDRESS/BITS`.
 *
 * @throws {Error} for what is none, or has bits behind its prefix
 */
export function parseSubnet(text: string): Subnet {
  const { address, prefix } = parseCidr(text);
  const start = masked(address, prefix);
  if (formatAddress(start) !== formatAddress(address)) {
    throw new Error(
      `"${text}" is not a subnet: did you mean "${formatAddress(start)}/${prefix}"?`,
    );
  }
  return { address: start, prefix };
}

/**
 * `ADDRESS/BITS` of an interface.
 *
 * @throws {Error} for what is none
 */
export function parseCidr(text: string): Subnet {
  const [, written = "", bits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(written);
  const prefix = Number(bits);
  if (!address || prefix > address.length * 8) {
    throw new Error(`"${text}" is not a subnet; one is written as 10.1.2.0/24`);
  }
  return { address, prefix };
}

/** A subnet as text: `10.88.0.0/16`. */
export function formatSubnet({ address, prefix }: Subnet): string {
  return `${formatAddress(address)}/${prefix}`;
}

/** Whether an address is in a subnet. */
export function contains(subnet: Subnet, address: Uint8Array): boolean {
  if (address.length !== subnet.address.length) return false;
  const start = masked(address, subnet.prefix);
  return start.every((byte, index) => byte === subnet.address[index]);
}

/** Whether two subnets share an address. */
export function overlap(one: Subnet, other: Subnet): boolean {
  return one.prefix <= other.prefix ? contains(one, other.address) : contains(other, one.address);
}

/** How many addresses a subnet has, as far as a number goes: at most 2^32. */
export function sizeOf({ address, prefix }: Subnet): number {
  return 2 ** Math.min(32, address.length * 8 - prefix);
}

/** The address at a place in a subnet, 0 being its first. */
export function addressAt({ address }: Subnet, place: number): Bytes {
  const bytes = new Uint8Array(address);
  const view = new DataView(bytes.buffer);
  const at = bytes.length - 4;
  view.setUint32(at, view.getUint32(at) + place);
  return bytes;
}

/** The bits of a prefix as bytes: 255.255.0.0. */
export function maskOf({ address, prefix }: Subnet): Bytes {
  return masked(new Uint8Array(address.length).fill(0xff), prefix);
}

function masked(address: Uint8Array, prefix: number): Bytes {
  return new Uint8Array(address).map((byte, index) => {
    const bits = Math.max(0, Math.min(8, prefix - index * 8));
    return byte & (0xff00 >> bits);
  });
}

function parseV4(text: string): Bytes | undefined {
  const parts = text.split(".");
  const right = (part: string) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255;
  return parts.length === 4 && parts.every(right) ? new Uint8Array(parts.map(Number)) : undefined;
}

function parseV6(text: string): Bytes | undefined {
  const canonical = canonicalV6(text);
  if (canonical === undefined) return undefined;
  const [head = "", tail] = canonical.split("::");
  const groups = (side: string | undefined) => side ? side.split(":") : [];
  const before = groups(head), after = groups(tail);
  const zeros = Array<string>(8 - before.length - after.length).fill("0");
  const numbers = [...before, ...zeros, ...after].map((group) => parseInt(group, 16));
  return new Uint8Array(numbers.flatMap((number) => [number >> 8, number & 0xff]));
}

/** As RFC 5952 writes it: the URL standard's parser knows every form. */
function canonicalV6(text: string): string | undefined {
  if (!/^[0-9a-fA-F:.]+$/.test(text)) return undefined;
  try {
    return new URL(`http://[${text}]/`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
}
