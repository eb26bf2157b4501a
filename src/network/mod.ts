/**
 * Networks of containers: bridges, addresses, and ports published on the host.
 *
 * `prepare.ts` comes before a container starts and does all that may be refused; `connect.ts` gives
 * it its interfaces, and takes everything back. `network.ts` and `lease.ts` are what is on disk:
 * definitions, and who has which address; both are changed under one lock. `rules.ts` derives the
 * packet filter's private table from them, `firewall.ts` keeps the kernel's as it says.
 *
 * Nothing here starts a process, or knows how one is started.
 *
 * @see veth(4), rtnetlink(7), nft(8)
 * @module
 */
export { connect, disconnect, reloadNetworks } from "./connect.ts";
export {
  createNetwork,
  type NetworkOptions,
  networkWithSubnet,
  removeNetwork,
} from "./creation.ts";
export {
  hostsFile,
  type HostsOptions,
  isStub,
  resolvConf,
  type ResolvOptions,
  UPLINK_RESOLV,
  withSiblings,
} from "./files.ts";
export { ensureRules, removeRules, replaceRules } from "./firewall.ts";
export { allLeases, type Endpoint, lockNetworks, readLeases } from "./lease.ts";
export {
  bridgeName,
  DEFAULT_NETWORK,
  listNetworks,
  type Network,
  type NetworkSubnet,
  readNetwork,
  tableName,
} from "./network.ts";
export { type PortRequest, type Published, reachable } from "./port_choice.ts";
export {
  type Attachment,
  type NetworkRequest,
  type NetworkWish,
  type Prepared,
  prepareNetwork,
} from "./prepare.ts";
export { rulesFor } from "./rules.ts";
