/** The private tables on the host: what rules.ts says, put into the kernel and kept there. */
import {
  chainUseIn,
  changeElements,
  deleteTables,
  getChain,
  getTable,
  NETLINK_NETFILTER,
  NetlinkError,
  NetlinkSocket,
  type NewTable,
  replaceTables,
  type Table,
  tableCommentIn,
} from "../netlink/mod.ts";
import { RAW_RULES } from "./guard.ts";
import { allLeases, type Endpoint } from "./lease.ts";
import { listNetworks, type Network, type Roots, tableName } from "./network.ts";
import { publishedElements } from "./publish.ts";
import { fingerprint, rulesFor } from "./rules.ts";
import { SIBLING_RULES, siblings } from "./siblings.ts";

/** In a table's comment, where the kernel has no tables of the family bridge. */
const ALONE = " alone";

/**
 * Sees to it that the tables follow from what is on disk; under the network lock. One that was
 * flushed or removed, as by a firewall's reload, is made again; of those that are right, only what is
 * published is changed.
 *
 * @param endpoints all that there are, `added` among them
 * @param added endpoints whose ports are not published yet
 * @throws {Error} when the kernel refuses
 */
export function ensureRules(
  roots: Roots,
  endpoints: Endpoint[] = allLeases(roots),
  added: readonly Endpoint[] = [],
): void {
  const networks = listNetworks(roots);
  if (!isThere(roots, networks)) return replaceRules(roots, endpoints, networks);
  const add = publishedElements(added);
  if (add.length === 0 || changed(roots, { add })) return;
  replaceRules(roots, endpoints, networks);
}

/**
 * Takes away what endpoints published, before their leases go: a port may be given away again as soon
 * as they have.
 *
 * @param endpoints all that stay
 */
export function withdraw(roots: Roots, gone: readonly Endpoint[], endpoints: Endpoint[]): void {
  const remove = publishedElements(gone);
  if (remove.length === 0 || changed(roots, { remove })) return;
  replaceRules(roots, endpoints);
}

/**
 * Makes the tables anew, whatever is in the kernel.
 *
 * @throws {Error} when the kernel refuses
 */
export function replaceRules(
  roots: Roots,
  endpoints: Endpoint[] = allLeases(roots),
  networks: readonly Network[] = listNetworks(roots),
): void {
  const { inet, bridge } = tables(roots);
  const comment = commentFor(networks);
  const rules = rulesFor(networks, endpoints);
  const one: NewTable = { ...inet, comment, ...rules };
  try {
    netfilter().send(replaceTables(one, { ...bridge, comment, ...siblings(networks) }));
  } catch (error) {
    if (!isRefused(error, "EOPNOTSUPP", "EAFNOSUPPORT")) throw explained(error);
    try {
      netfilter().send(replaceTables({ ...one, comment: comment + ALONE }));
    } catch (cause) {
      throw explained(cause);
    }
  }
}

/** Takes the tables away; they need not be there. */
export function removeRules(roots: Roots): void {
  const { inet, bridge } = tables(roots);
  try {
    netfilter().send(deleteTables(inet, bridge));
  } catch (error) {
    if (!isRefused(error, "EOPNOTSUPP", "EAFNOSUPPORT")) throw error;
    netfilter().send(deleteTables(inet));
  }
}

/** Whether the tables are there with the rules that follow from some networks. */
function isThere(roots: Roots, networks: readonly Network[]): boolean {
  const { inet, bridge } = tables(roots);
  const one = [getTable(inet), getChain(inet, "raw")];
  const both = netfilter().findAll([...one, getChain(bridge, "siblings")]);
  const [table, raw, guard] = both ?? netfilter().findAll(one) ?? [];
  if (!table || !raw || chainUseIn(raw) !== RAW_RULES) return false;
  const comment = commentFor(networks);
  return guard
    ? chainUseIn(guard) === SIBLING_RULES && tableCommentIn(table) === comment
    : tableCommentIn(table) === comment + ALONE;
}

/** Changes elements; false where what is in the kernel is not what it was taken for. */
function changed(roots: Roots, change: Parameters<typeof changeElements>[1]): boolean {
  try {
    netfilter().send(changeElements(tables(roots).inet, change));
    return true;
  } catch (error) {
    if (isRefused(error, "ENOENT", "EEXIST", "ENOTEMPTY")) return false;
    throw error;
  }
}

function tables(roots: Roots): { inet: Table; bridge: Table } {
  const name = tableName(roots);
  return { inet: { family: "inet", name }, bridge: { family: "bridge", name } };
}

function commentFor(networks: readonly Network[]): string {
  return `minictr ${fingerprint(networks)}`;
}

let socket: NetlinkSocket | undefined;

/** One for the whole process, which is not closed: that would wait until the kernel has freed what
 * was removed, a grace period of RCU, 10 ms and more. */
function netfilter(): NetlinkSocket {
  return socket ??= new NetlinkSocket(NETLINK_NETFILTER);
}

function isRefused(error: unknown, ...codes: string[]): error is NetlinkError {
  return error instanceof NetlinkError && codes.includes(error.code);
}

function explained(error: unknown): unknown {
  if (!isRefused(error, "EOPNOTSUPP", "EAFNOSUPPORT", "ENOENT", "EPROTONOSUPPORT")) return error;
  return new Error(
    `${error.message}; published ports and networks need nf_tables (\`modprobe nf_tables\`)`,
    { cause: error },
  );
}
