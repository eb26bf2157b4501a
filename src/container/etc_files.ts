import { DEFAULT_NETWORK, type Network } from "../network/network.ts";
import { hostsFile, isStub, resolvConf, UPLINK_RESOLV, withSiblings } from "../network/files.ts";
import type { Endpoint } from "../network/lease.ts";
import type { Prepared } from "../network/mod.ts";
import { type Roots, stateDirectory } from "./state.ts";

/** What /etc/hostname, /etc/hosts and /etc/resolv.conf of a container are made from. */
export interface EtcFiles {
  hostname: string;
  /** Which of them are made: those where nothing else is mounted. */
  made: ("hostname" | "hosts" | "resolv.conf")[];
  addHosts: readonly string[];
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOptions: readonly string[];
}

/**
 * Writes the files into a container's state directory, from where they are mounted.
 *
 * @param siblings the endpoints of others, by which the container knows them
 * @returns what the user should know
 */
export function writeEtcFiles(
  directory: string,
  wanted: EtcFiles,
  prepared: Prepared | undefined,
  siblings: readonly Endpoint[],
): string | undefined {
  const attachments = prepared?.attachments ?? [];
  const { text, notice } = resolv(wanted);
  const contents = {
    "hostname": () => `${wanted.hostname}\n`,
    "hosts": () =>
      hostsFile({
        hostname: wanted.hostname,
        addHosts: wanted.addHosts,
        networks: attachments.map(({ network }) => network),
        endpoints: attachments.map(({ endpoint }) => endpoint),
        siblings,
      }),
    "resolv.conf": () => text,
  };
  for (const name of wanted.made) Deno.writeTextFileSync(`${directory}/${name}`, contents[name]());
  return notice;
}

function resolv({ dns, dnsSearch, dnsOptions }: EtcFiles): { text: string; notice?: string } {
  let hostText = readText("/etc/resolv.conf");
  if (isStub(hostText)) hostText = readText(UPLINK_RESOLV) || hostText;
  return resolvConf(hostText, { servers: dns, search: dnsSearch, options: dnsOptions });
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** The endpoints of others on the same networks; on the default one, names are not known. */
export function siblingsOf(own: readonly Endpoint[], all: readonly Endpoint[]): Endpoint[] {
  const networks = new Set(own.map(({ network }) => network));
  networks.delete(DEFAULT_NETWORK);
  const [first] = own;
  return all.filter((one) => networks.has(one.network) && one.container !== first?.container);
}

/**
 * Tells the containers on some networks who is there now: their /etc/hosts are rewritten in place,
 * since they are mounted.
 */
export function refreshHosts(
  roots: Roots,
  networks: readonly Network["name"][],
  all: readonly Endpoint[],
): void {
  const named = networks.filter((name) => name !== DEFAULT_NETWORK);
  const members = new Set(
    all.filter(({ network }) => named.includes(network)).map(({ container }) => container),
  );
  for (const id of members) {
    const path = `${stateDirectory(roots, id)}/hosts`;
    const text = readText(path);
    if (text === "") continue;
    const own = all.filter(({ container }) => container === id);
    const fresh = withSiblings(text, siblingsOf(own, all));
    if (fresh !== text) rewrite(path, fresh);
  }
}

/** In place, and never empty for a reader: the new text first, then what is too much goes. */
function rewrite(path: string, text: string): void {
  const bytes = new TextEncoder().encode(text);
  using file = Deno.openSync(path, { write: true });
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  file.truncateSync(bytes.length);
}
