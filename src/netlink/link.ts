/** Links: `ip link`; rtnetlink(7), include/uapi/linux/if_link.h. */
import { AF_INET6, IFF_UP } from "../../ffi/mod.ts";
import { type Attributes, findAttribute, serialiseAttributes } from "./attribute.ts";
import {
  IFLA_ADDRESS,
  IFLA_AF_SPEC,
  IFLA_BRPORT_MODE,
  IFLA_EXT_MASK,
  IFLA_IFNAME,
  IFLA_INET6_ADDR_GEN_MODE,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_INFO_SLAVE_DATA,
  IFLA_INFO_SLAVE_KIND,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_NET_NS_FD,
  IN6_ADDR_GEN_MODE_NONE,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  RTEXT_FILTER_SKIP_STATS,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_NEWLINK,
  VETH_INFO_PEER,
} from "./constants.ts";
import type { Message, Request } from "./message.ts";
import { type Bytes, nulString, numberOf, plainString, textOf, u32, u8 } from "./value.ts";

/** Bytes of `ifr_name`, the NUL included; IFNAMSIZ. */
const IFNAMSIZ = 16;
/** Bytes of a `struct ifinfomsg`. */
const IFINFOMSG_SIZE = 16;

const WITHOUT_STATISTICS: Attributes = { [IFLA_EXT_MASK]: u32(RTEXT_FILTER_SKIP_STATS) };

/** What a link may be given when it is made. */
export interface LinkOptions {
  /** Six bytes. */
  mac?: Uint8Array;
  /** Bytes. */
  mtu?: number;
  /** Index of the bridge that it is a port of. */
  master?: number;
  /** A descriptor of the network namespace that it is made in. */
  namespace?: number;
  /** Whether it is set up at once. */
  isUp?: boolean;
}

/** A link as the kernel has it. */
export interface Link {
  index: number;
  name: string;
  /** Whether it was set up; not whether a carrier is there. */
  isUp: boolean;
  /** `bridge`, `veth`, …; absent for a device without one. */
  kind?: string;
  /** Six bytes for Ethernet. */
  mac?: Uint8Array;
  /** Bytes. */
  mtu?: number;
  /** Index of its bridge. */
  master?: number;
}

/** Equivalent to `ip link add $name type bridge`. */
export function newBridge(name: string, options: LinkOptions = {}): Request {
  const body = link(upIf(options), {
    ...common(name, options),
    [IFLA_LINKINFO]: { [IFLA_INFO_KIND]: plainString("bridge") },
  });
  return {
    what: `add bridge "${name}"`,
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body,
  };
}

/** Equivalent to `ip link add $name type veth peer name $peer.name netns $peer.namespace`. */
export function newVeth(
  name: string,
  peer: LinkOptions & { name: string },
  options: LinkOptions = {},
): Request {
  const body = link(upIf(options), {
    ...common(name, options),
    [IFLA_LINKINFO]: {
      [IFLA_INFO_KIND]: plainString("veth"),
      [IFLA_INFO_DATA]: { [VETH_INFO_PEER]: link(upIf(peer), common(peer.name, peer)) },
    },
  });
  return {
    what: `add veth pair "${name}" and "${peer.name}"`,
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body,
  };
}

/** Equivalent to `ip link set $link up`. */
export function setUp(link: string | number): Request {
  return set(link, "up", {}, { flags: IFF_UP, change: IFF_UP });
}

/** Equivalent to `ip link set $link down`. */
export function setDown(link: string | number): Request {
  return set(link, "down", {}, { flags: 0, change: IFF_UP });
}

/** Equivalent to `ip link set $link master $bridge`. */
export function setMaster(link: string | number, bridge: number): Request {
  return set(link, `master ${bridge}`, { [IFLA_MASTER]: u32(bridge) });
}

/** Equivalent to `ip link set $link mtu $mtu`; bytes. */
export function setMtu(link: string | number, mtu: number): Request {
  return set(link, `mtu ${mtu}`, { [IFLA_MTU]: u32(mtu) });
}

/** Equivalent to `ip link set $link address $mac`. */
export function setMac(link: string | number, mac: Uint8Array): Request {
  return set(link, "address", { [IFLA_ADDRESS]: mac });
}

/** Equivalent to `ip link set $index name $name`; the link must be down. */
export function setName(index: number, name: string): Request {
  return set(index, `name "${name}"`, { [IFLA_IFNAME]: nameBytes(name) });
}

/** Equivalent to `ip link set $link netns $namespace`, a descriptor. */
export function setNamespace(link: string | number, namespace: number): Request {
  return set(link, "netns", { [IFLA_NET_NS_FD]: u32(namespace) });
}

/** Equivalent to `ip link set $link addrgenmode none`: no fe80:: address of its own. */
export function setNoLinkLocal(link: string | number): Request {
  return set(link, "addrgenmode none", {
    [IFLA_AF_SPEC]: { [AF_INET6]: { [IFLA_INET6_ADDR_GEN_MODE]: u8(IN6_ADDR_GEN_MODE_NONE) } },
  });
}

/** Equivalent to `ip link set $port type bridge_slave hairpin on`. */
export function setHairpin(port: string | number): Request {
  return set(port, "hairpin on", {
    [IFLA_LINKINFO]: {
      [IFLA_INFO_SLAVE_KIND]: plainString("bridge"),
      [IFLA_INFO_SLAVE_DATA]: { [IFLA_BRPORT_MODE]: u8(1) },
    },
  });
}

/** Equivalent to `ip link del $link`. */
export function deleteLink(name: string | number): Request {
  return {
    what: `delete link "${name}"`,
    type: RTM_DELLINK,
    flags: 0,
    body: named(name, {}, {}),
  };
}

/** Equivalent to `ip link show $link`. */
export function getLink(name: string | number): Request {
  return {
    what: `find link "${name}"`,
    type: RTM_GETLINK,
    flags: 0,
    body: named(name, {}, WITHOUT_STATISTICS),
  };
}

/** Equivalent to `ip link show`. */
export function getLinks(): Request {
  return {
    what: "list links",
    type: RTM_GETLINK,
    flags: NLM_F_DUMP,
    body: link({}, WITHOUT_STATISTICS),
  };
}

/** The link that a message tells of. */
export function linkIn({ body }: Message): Link {
  const attribute = (type: number) => findAttribute(body, type, IFINFOMSG_SIZE);
  const about = attribute(IFLA_LINKINFO);
  const kind = about && findAttribute(about, IFLA_INFO_KIND);
  const mac = attribute(IFLA_ADDRESS);
  const mtu = numberOf(attribute(IFLA_MTU));
  const master = numberOf(attribute(IFLA_MASTER));
  return {
    index: numberOf(body.subarray(4, 8)) ?? 0,
    name: textOf(attribute(IFLA_IFNAME) ?? new Uint8Array()),
    isUp: ((body[8] ?? 0) & IFF_UP) !== 0,
    ...kind && { kind: textOf(kind) },
    ...mac && { mac },
    ...mtu !== undefined && { mtu },
    ...master !== undefined && { master },
  };
}

function set(
  name: string | number,
  what: string,
  attributes: Attributes,
  header: LinkHeader = {},
): Request {
  return {
    what: `set link "${name}" ${what}`,
    type: RTM_NEWLINK,
    flags: 0,
    body: named(name, header, attributes),
  };
}

/** A message about a link that is there, by index or name. */
function named(name: string | number, header: LinkHeader, attributes: Attributes): Bytes {
  return typeof name === "number"
    ? link({ ...header, index: name }, attributes)
    : link(header, { [IFLA_IFNAME]: nameBytes(name), ...attributes });
}

function common(name: string, { mac, mtu, master, namespace }: LinkOptions): Attributes {
  return {
    [IFLA_IFNAME]: nameBytes(name),
    [IFLA_ADDRESS]: mac,
    [IFLA_MTU]: mtu === undefined ? undefined : u32(mtu),
    [IFLA_MASTER]: master === undefined ? undefined : u32(master),
    [IFLA_NET_NS_FD]: namespace === undefined ? undefined : u32(namespace),
  };
}

function upIf({ isUp = false }: LinkOptions): LinkHeader {
  return isUp ? { flags: IFF_UP, change: IFF_UP } : {};
}

/** @throws {Error} for a name that the kernel would cut or refuse */
function nameBytes(name: string): Bytes {
  const bytes = nulString(name);
  const isLong = bytes.length < 2 || bytes.length > IFNAMSIZ;
  if (isLong || bytes.some(isForbidden) || name === "." || name === "..") {
    throw new Error(
      `cannot name a link "${name}": it takes 1 to ${IFNAMSIZ - 1} bytes without "/", ":" or space`,
    );
  }
  return bytes;
}

/** `/`, `:` or white space, as dev_valid_name() of the kernel has it. */
function isForbidden(byte: number): boolean {
  return byte === 0x2f || byte === 0x3a || byte === 0x20 || (byte >= 9 && byte <= 13);
}

/** Members of a `struct ifinfomsg`; absent: 0. */
interface LinkHeader {
  index?: number;
  flags?: number;
  change?: number;
}

/**
 * ```c
 * struct ifinfomsg {
 *   unsigned char ifi_family, __ifi_pad; unsigned short ifi_type;
 *   int ifi_index; unsigned ifi_flags, ifi_change;
 * };
 * ```
 */
function link({ index = 0, flags = 0, change = 0 }: LinkHeader, attributes: Attributes): Bytes {
  const header = new Uint8Array(IFINFOMSG_SIZE); // Of AF_UNSPEC, which is 0.
  header.set(u32(index), 4);
  if (change !== 0) {
    header.set(u32(flags), 8);
    header.set(u32(change), 12);
  }
  return serialiseAttributes(attributes, header);
}
