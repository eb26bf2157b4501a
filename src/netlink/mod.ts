/**
 * netlink: the links, addresses, routes and packet filter rules of one network namespace.
 *
 * `attribute.ts`, `message.ts` and `value.ts` turn requests into bytes and replies into values, and
 * are pure; `socket.ts` alone talks to the kernel; the others are one file per object of ip(8) and
 * nft(8), and only make and read messages. Nothing here knows what a container is.
 *
 * @see netlink(7), rtnetlink(7), nft(8)
 * @module
 */
export { addressIn, getAddresses, type InterfaceAddress, newAddress } from "./address.ts";
export {
  type Attributes,
  findAttribute,
  parseAttributes,
  PAYLOAD_LIMIT,
  readAttributes,
  serialiseAttributes,
} from "./attribute.ts";
export { NETLINK_NETFILTER, NETLINK_ROUTE } from "./constants.ts";
export {
  deleteLink,
  getLink,
  getLinks,
  type Link,
  linkIn,
  type LinkOptions,
  newBridge,
  newVeth,
  setDown,
  setHairpin,
  setMac,
  setMaster,
  setMtu,
  setName,
  setNamespace,
  setNoLinkLocal,
  setUp,
} from "./link.ts";
export { type Message, NetlinkError, type Request } from "./message.ts";
export { inNamespace, openNamespace } from "./namespace.ts";
export {
  chainIn,
  getChains,
  getRules,
  type ListedChain,
  type ListedRule,
  ruleIn,
} from "./nft_dump.ts";
export {
  type Chain,
  chainUseIn,
  deleteTables,
  getChain,
  getTable,
  HOOK,
  type NewTable,
  replaceTables,
  type Rule,
  type Ruleset,
  tableCommentIn,
} from "./nft.ts";
export * from "./nft_expression.ts";
export { type Table } from "./nft_request.ts";
export {
  changeElements,
  concatenated,
  type DataType,
  type Element,
  type NftSet,
  type SetElements,
  TYPE,
} from "./nft_set.ts";
export { getRoutes, newRoute, type Route, routeIn } from "./route.ts";
export { NetlinkSocket } from "./socket.ts";
export {
  big16,
  bigNumberOf,
  type Bytes,
  interfaceName,
  joined,
  nulString,
  plainString,
  u32,
  u8,
} from "./value.ts";
