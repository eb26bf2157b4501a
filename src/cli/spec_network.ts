import type { LinuxNamespaceType } from "../spec/mod.ts";
import { parsed } from "./grammar.ts";
import type { RunSpec, Wish } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";

/** A namespace's name in /proc/PID/ns where it is not that of config.json; namespaces(7). */
const PROC_NAMES: Partial<Record<LinuxNamespaceType, string>> = { network: "net", mount: "mnt" };

/** `--network`, `--publish` and the like: the namespace here, the rest as written for later. */
export async function applyNetwork(made: RunSpec, wish: Wish): Promise<void> {
  const { flags } = wish.line;
  if (flags.publish.length + flags.expose.length > 0) {
    const { parseExposedPort, parsePublishedPort } = await import("./port.ts");
    for (const port of flags.publish) parsed("--publish", port, parsePublishedPort);
    for (const port of flags.expose) parsed("--expose", port, parseExposedPort);
  }
  for (const pair of flags["add-host"]) parsed("--add-host", pair, checkHost);
  for (const address of flags.dns) parsed("--dns", address, checkAddress);
  const { engine } = made;
  engine.network = flags.network;
  engine.networkAliases = flags["network-alias"];
  if (flags.subnet !== undefined) engine.subnet = flags.subnet;
  engine.publish = flags.publish;
  engine.publishAll = flags["publish-all"];
  engine.expose = flags.expose;
  engine.addHosts = flags["add-host"];
  engine.dns = flags.dns;
  engine.dnsSearch = flags["dns-search"];
  engine.dnsOptions = flags["dns-option"];
  if (flags.ip !== undefined) engine.ip = flags.ip;
  if (flags.ip6 !== undefined) engine.ip6 = flags.ip6;
  if (flags["mac-address"] !== undefined) engine.macAddress = flags["mac-address"];
  applyNetworkMode(made, wish);
}

function checkHost(pair: string): void {
  const at = pair.search(/[:=]/);
  if (at < 1) throw new UsageError(`"${pair}" is not NAME:IP`);
  const address = pair.slice(at + 1);
  if (address !== "host-gateway") checkAddress(address);
}

/** As far as a resolver would read it: the whole grammar of IPv6 is not on the way of every run. */
function checkAddress(text: string): void {
  const isV4 = /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split(".").every((one) => +one < 256);
  // RFC 4007: the address of a link has its interface behind "%".
  if (isV4 || /^(?=.*:.*:)[\da-fA-F:.]+(%\w+)?$/.test(text)) return;
  throw new UsageError(`"${text}" is not an IP address`);
}

/** What can only be said of a place on a network; `--dns` and `--add-host` write files in any case. */
const FOR_NETWORKS = ["ip", "ip6", "mac-address", "network-alias", "subnet"] as const;

function applyNetworkMode(made: RunSpec, wish: Wish): void {
  const { flags } = wish.line;
  if (flags.network.some((name) => /^(:|$)/.test(name))) {
    throw new UsageError(
      "--network: a name is missing: none, host, container:NAME, ns:PATH or a network's",
    );
  }
  const modes = flags.network.filter((mode) => /^(none|host|container:.*|ns:.*)$/.test(mode));
  const [mode] = modes;
  if (mode === undefined) return;
  if (flags.network.length > 1) {
    throw new UsageError(`--network ${mode} excludes other networks`);
  }
  const idle = FOR_NETWORKS.find((flag) => flags[flag] !== undefined && flags[flag].length > 0);
  if (idle !== undefined) {
    throw new UsageError(
      `--${idle} needs a network, and there is none to join with --network ${mode}`,
    );
  }
  if (mode !== "none") {
    setNamespace({ made, wish }, { type: "network", flag: "--network", mode });
  }
  if (mode.startsWith("container:") && (flags.publish.length > 0 || flags["publish-all"])) {
    throw new UsageError(`--publish and --network ${mode} exclude each other`);
  }
  if (mode === "host" && (flags.publish.length > 0 || flags["publish-all"])) {
    made.warnings.push("--publish does nothing: with --network host each port is the host's");
  }
  // The host's network knows the container by the host's name.
  const named = flags.hostname !== undefined || made.spec.hostname === undefined;
  if (mode === "host" && !named) made.spec.hostname = wish.context.hostname;
}

/**
 * Gives a namespace a mode: "host" shares the host's, "private" makes a new one,
 * "container:NAME" and "ns:PATH" join one.
 *
 * @throws {UsageError} for another mode, or a container that is not running
 */
export function setNamespace(
  { made, wish: { context } }: { made: RunSpec; wish: Wish },
  { type, flag, mode }: { type: LinuxNamespaceType; flag: string; mode: string },
): void {
  const { linux } = made.spec;
  const others = linux.namespaces.filter((namespace) => namespace.type !== type);
  if (mode === "host") {
    linux.namespaces = others;
  } else if (mode === "private") {
    linux.namespaces = [...others, { type }];
  } else if (mode.startsWith("container:")) {
    const name = mode.slice("container:".length);
    const other = context.container(name);
    if (!other) throw new UsageError(`${flag}: no running container "${name}"`);
    made.engine.joins.push(other.id);
    const path = `/proc/${other.pid}/ns/${PROC_NAMES[type] ?? type}`;
    linux.namespaces = [...others, { type, path }];
  } else if (mode.startsWith("ns:/")) {
    linux.namespaces = [...others, { type, path: mode.slice("ns:".length) }];
  } else {
    throw new UsageError(`${flag}: is host, private, container:NAME or ns:PATH, not "${mode}"`);
  }
}
