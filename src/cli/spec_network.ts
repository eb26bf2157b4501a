import { parsed } from "./grammar.ts";
import { parseExposedPort, parsePublishedPort } from "./port.ts";
import type { RunSpec, Wish } from "./run_spec.ts";
import { setNamespace } from "./spec_namespaces.ts";
import { UsageError } from "./usage_error.ts";

/** `--network`, `--publish` and the like: the namespace here, the rest as written for later. */
export function applyNetwork(made: RunSpec, wish: Wish): void {
  const { flags } = wish.line;
  for (const port of flags.publish) parsed("--publish", port, parsePublishedPort);
  for (const port of flags.expose) parsed("--expose", port, parseExposedPort);
  const { engine } = made;
  engine.network = flags.network;
  engine.networkAliases = flags["network-alias"];
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

function applyNetworkMode(made: RunSpec, wish: Wish): void {
  const { flags } = wish.line;
  const modes = flags.network.filter((mode) => /^(none|host|container:.*|ns:.*)$/.test(mode));
  const [mode] = modes;
  if (mode === undefined) return;
  if (flags.network.length > 1) {
    throw new UsageError(`--network ${mode} excludes other networks`);
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
