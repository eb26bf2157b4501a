/** By what the packet filter's tables are known again without being read, or made once more; pure. */
import { hash, type Network } from "./network.ts";

/** Goes up whenever the rules that follow from the same state change. */
const VERSION = 3;

/** How many rules chain raw has, which packets from outside pass first. */
export const RAW_RULES = 4;
/** How many rules chain siblings has. */
export const SIBLING_RULES = 3;

/** What tells two sets of rules apart; published ports are elements of maps, which come and go without
 * the rules. */
export function fingerprint(networks: readonly Network[]): string {
  return hash(JSON.stringify([
    VERSION,
    networks.map(({ bridge, subnets, internal }) => [bridge, subnets, internal]),
  ]));
}
