/** The private table on the host: what rules.ts says, put into the kernel and kept there. */
import {
  chainUseIn,
  deleteTable,
  getChain,
  getTable,
  NETLINK_NETFILTER,
  NetlinkError,
  NetlinkSocket,
  replaceTable,
  tableCommentIn,
} from "../netlink/mod.ts";
import { RAW_RULES } from "./guard.ts";
import { allLeases, type Endpoint } from "./lease.ts";
import { listNetworks, type Roots, tableName } from "./network.ts";
import { fingerprint, rulesFor } from "./rules.ts";

/**
 * Sees to it that the table follows from what is on disk; under the network lock. A table that was
 * flushed or removed, as by a firewall's reload, is made again; one that is right is left alone.
 *
 * @param endpoints where they have been read already
 * @returns whether it was replaced
 * @throws {Error} when the kernel refuses
 */
export function ensureRules(roots: Roots, endpoints: Endpoint[] = allLeases(roots)): boolean {
  const networks = listNetworks(roots);
  const name = tableName(roots);
  const comment = `minictr ${fingerprint(networks, endpoints)}`;
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  const table = socket.find(getTable(name));
  if (table && tableCommentIn(table) === comment) {
    const chain = socket.find(getChain(name, "raw"));
    if (chain && chainUseIn(chain) === RAW_RULES) return false;
  }
  try {
    socket.send(replaceTable(name, comment, rulesFor(networks, endpoints)));
    return true;
  } catch (cause) {
    if (!(cause instanceof NetlinkError)) throw cause;
    throw new Error(
      `${cause.message}; published ports and networks need nf_tables (\`modprobe nf_tables\`)`,
      { cause },
    );
  }
}

/** Takes the table away; it need not be there. */
export function removeRules(roots: Roots): void {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  socket.send(deleteTable(tableName(roots)));
}
