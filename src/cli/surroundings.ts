import type { EtcFiles } from "../container/etc_files.ts";
import { SUBNET_PREFIX } from "../container/subnet_prefix.ts";
import type { NetworkRequest, NetworkWish } from "../network/mod.ts";
import type { Spec } from "../spec/mod.ts";
import { isNew, type RunSpec } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";

/**
 * What /etc/hostname, /etc/hosts and /etc/resolv.conf are made from; their mounts are added to the
 * spec, unless something else is mounted there.
 *
 * @param directory the container's state directory, in which they are made
 */
export function etcFiles(spec: Spec, { engine }: RunSpec, directory: string): EtcFiles {
  const mounts = spec.mounts ??= [];
  const taken = new Set(mounts.map(({ destination }) => destination));
  const made = (["hostname", "hosts", "resolv.conf"] as const)
    .filter((name) => !taken.has(`/etc/${name}`) && !taken.has("/etc"));
  for (const name of made) {
    mounts.push({
      destination: `/etc/${name}`,
      type: "bind",
      source: `${directory}/${name}`,
      options: ["rbind", "rprivate"],
    });
  }
  const { addHosts, dns, dnsSearch, dnsOptions } = engine;
  return { hostname: spec.hostname ?? "localhost", made, addHosts, dns, dnsSearch, dnsOptions };
}

const DEFAULT_NETWORK = "bridge";
const WITHOUT = /^(none|host|container:.*|ns:.*)$/;

/** The networks that the flags ask for; undefined where there is nothing to connect. */
export async function networkRequest(
  made: RunSpec,
  id: string,
  name: string,
): Promise<NetworkRequest | undefined> {
  const { engine, spec } = made;
  const [first] = engine.network;
  if (!isNew(spec.linux, "network") || (first !== undefined && WITHOUT.test(first))) {
    const published = engine.publish.length > 0 || engine.publishAll;
    if (published && first === "none") {
      throw new UsageError("--publish needs a network: --network none has none");
    }
    return undefined;
  }
  const named = engine.subnet === undefined
    ? engine.network
    : [`${SUBNET_PREFIX}${engine.subnet}`, ...engine.network];
  const wishes = (named.length === 0 ? [DEFAULT_NETWORK] : named).map(wish);
  const [main] = wishes;
  if (main) {
    if (engine.ip !== undefined) main.ip ??= engine.ip;
    if (engine.ip6 !== undefined) main.ip6 ??= engine.ip6;
    if (engine.macAddress !== undefined) main.mac ??= engine.macAddress;
    main.aliases = [...main.aliases ?? [], ...engine.networkAliases, id.slice(0, 12)];
  }
  return { container: id, name, networks: wishes, publish: await ports(made) };
}

async function ports({ engine }: RunSpec) {
  if (engine.publish.length + engine.expose.length === 0) return [];
  const { parseExposedPort, parsePublishedPort } = await import("./port.ts");
  return [
    ...engine.publish.map(parsePublishedPort),
    ...engine.publishAll ? engine.expose.map(parseExposedPort) : [],
  ];
}

/** `NAME[:ip=…,ip6=…,mac=…,alias=…]` */
function wish(text: string): NetworkWish & { aliases?: string[] } {
  if (text.startsWith(SUBNET_PREFIX)) return { name: text };
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  const wanted: NetworkWish & { aliases?: string[] } = { name };
  for (const option of colon < 0 ? [] : text.slice(colon + 1).split(",")) {
    const [key = "", value = ""] = option.split(/=(.*)/s);
    if (key === "ip" || key === "ip6" || key === "mac") wanted[key] = value;
    else if (key === "alias") (wanted.aliases ??= []).push(value);
    else throw new UsageError(`--network: "${key}" is none of ip, ip6, mac and alias`);
  }
  return wanted;
}
