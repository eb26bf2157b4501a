/** The private tables on the host: what rules.ts says, put into the kernel and kept there. */
import {
  chainUseIn,
  deleteTables,
  getChain,
  getTable,
  NETLINK_NETFILTER,
  NetlinkError,
  NetlinkSocket,
  tableCommentIn,
} from "../netlink/mod.ts";
import type { Tables } from "./batch.ts";
import { fingerprint, RAW_RULES, SIBLING_RULES } from "./fingerprint.ts";
import { allLeases, type Endpoint } from "./lease.ts";
import { listNetworks, type Network, type Roots, tableName } from "./network.ts";

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
export async function ensureRules(
  roots: Roots,
  endpoints: Endpoint[] = allLeases(roots),
  added: readonly Endpoint[] = [],
): Promise<void> {
  const networks = listNetworks(roots);
  if (isThere(roots, networks) && await changed(roots, "add", added)) return;
  await replaceRules(roots, endpoints, networks);
}

/**
 * Takes away what endpoints published, before their leases go: a port may be given away again as soon
 * as they have.
 *
 * @param endpoints all that stay
 */
export async function withdraw(
  roots: Roots,
  gone: readonly Endpoint[],
  endpoints: Endpoint[],
): Promise<void> {
  if (!await changed(roots, "remove", gone)) await replaceRules(roots, endpoints);
}

/**
 * Makes the tables anew, whatever is in the kernel.
 *
 * @throws {Error} when the kernel refuses
 */
export async function replaceRules(
  roots: Roots,
  endpoints: Endpoint[] = allLeases(roots),
  networks: readonly Network[] = listNetworks(roots),
): Promise<void> {
  const { tablesBatch } = await import("./batch.ts");
  const all = tables(roots), comment = commentFor(networks), state = { networks, endpoints };
  try {
    netfilter().send(tablesBatch(all, state, { comment, alone: false }));
  } catch (error) {
    if (!isRefused(error, "EOPNOTSUPP", "EAFNOSUPPORT")) throw explained(error);
    try {
      netfilter().send(tablesBatch(all, state, { comment: comment + ALONE, alone: true }));
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

/** Changes what is published; false where what is in the kernel is not what it was taken for. */
async function changed(
  roots: Roots,
  change: "add" | "remove",
  endpoints: readonly Endpoint[],
): Promise<boolean> {
  if (endpoints.every(({ ports }) => ports.length === 0)) return true;
  const { publishBatch } = await import("./batch.ts");
  const batch = publishBatch(tables(roots), change, endpoints);
  if (batch.length === 0) return true;
  try {
    netfilter().send(batch);
    return true;
  } catch (error) {
    if (isRefused(error, "ENOENT", "EEXIST", "ENOTEMPTY")) return false;
    throw error;
  }
}

function tables(roots: Roots): Tables {
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
