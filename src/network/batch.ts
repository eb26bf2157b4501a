/** What is sent to the packet filter; pure. Loaded where rules are missing or ports are published. */
import { changeElements, replaceTables, type Request, type Table } from "../netlink/mod.ts";
import type { Endpoint } from "./lease.ts";
import type { Network } from "./network.ts";
import { publishedElements } from "./publish.ts";
import { rulesFor } from "./rules.ts";
import { siblings } from "./siblings.ts";

/** The private tables on the host. */
export interface Tables {
  inet: Table;
  bridge: Table;
}

/**
 * Makes the tables anew, whatever they were before.
 *
 * @param comment of each; where the kernel has no tables of the family bridge, `alone` is that of the
 * only one
 */
export function tablesBatch(
  { inet, bridge }: Tables,
  state: { networks: readonly Network[]; endpoints: readonly Endpoint[] },
  { comment, alone }: { comment: string; alone: boolean },
): Request[] {
  const { networks, endpoints } = state;
  const one = { ...inet, comment, ...rulesFor(networks, endpoints) };
  return alone
    ? replaceTables(one)
    : replaceTables(one, { ...bridge, comment, ...siblings(networks) });
}

/** Publishes what endpoints have, or no longer publishes it; nothing where they have nothing. */
export function publishBatch(
  { inet }: Tables,
  change: "add" | "remove",
  endpoints: readonly Endpoint[],
): Request[] {
  const elements = publishedElements(endpoints);
  return elements.length === 0 ? [] : changeElements(inet, { [change]: elements });
}
