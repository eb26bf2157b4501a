import type { Grammar } from "./grammar.ts";

/** `network create` */
export const NETWORK_CREATE = {
  command: "network create",
  operands: "NAME",
  summary: "Create a network",
  examples: [["minictr network create --subnet 192.168.1.0/24 lab", "with addresses of one's own"]],
  groups: [{
    name: "network",
    title: "Options",
    flags: [
      { name: "driver", short: "d", value: "DRIVER", help: "only bridge", default: "bridge" },
      { name: "subnet", value: "CIDR", many: true, help: "subnet, one of IPv4 and one of IPv6" },
      { name: "gateway", value: "IP", many: true, help: "the bridge's address in each" },
      { name: "ip-range", value: "CIDR", many: true, help: "where addresses are taken from" },
      { name: "internal", help: "no way to the outside" },
      { name: "ipv6", help: "also a subnet of IPv6" },
      { name: "opt", short: "o", value: "KEY=VALUE", many: true, help: "mtu=BYTES" },
    ],
  }],
} as const satisfies Grammar;

/** `network connect` */
export const NETWORK_CONNECT = {
  command: "network connect",
  operands: "NETWORK CONTAINER",
  summary: "Connect a container to a further network, also over stop and start",
  examples: [["minictr network connect --alias db lab web", "under one more name"]],
  groups: [{
    name: "network",
    title: "Options",
    flags: [
      { name: "ip", value: "IP", help: "IPv4 address" },
      { name: "ip6", value: "IP", help: "IPv6 address" },
      { name: "alias", value: "NAME", many: true, help: "further name on the network" },
    ],
  }],
} as const satisfies Grammar;

/** `network ls` */
export const NETWORK_LS = {
  command: "network ls",
  operands: "",
  summary: "List networks",
  examples: [["minictr network ls --format '{{.Name}} {{.Subnets}}'", "what a template picks"]],
  groups: [{
    name: "network",
    title: "Options",
    flags: [
      { name: "filter", short: "f", value: "KEY=VALUE", many: true, help: "only those with name=" },
      { name: "format", value: "FORMAT", help: "table, json, or a template of Go" },
      { name: "quiet", short: "q", help: "names only" },
    ],
  }],
} as const satisfies Grammar;

/** `network inspect` */
export const NETWORK_INSPECT = {
  command: "network inspect",
  operands: "NETWORK…",
  summary: "Print all that is known of networks",
  examples: [
    [
      "minictr network inspect -f '{{range .Containers}}{{println .Name}}{{end}}' lab",
      "who is on it",
    ],
  ],
  groups: [{
    name: "network",
    title: "Options",
    flags: [{ name: "format", short: "f", value: "FORMAT", help: "json, or a template of Go" }],
  }],
} as const satisfies Grammar;

/** `network rm` */
export const NETWORK_RM = plain("rm", "NETWORK…", "Remove networks that no container is on", [
  ["minictr network rm lab", "its bridge and rules go with it"],
]);

/** `network disconnect` */
export const NETWORK_DISCONNECT = plain(
  "disconnect",
  "NETWORK CONTAINER",
  "Take a container off a network",
  [["minictr network disconnect lab web", "its other networks stay"]],
);

/** `network prune` */
export const NETWORK_PRUNE = plain("prune", "", "Remove all networks that no container is on", [
  ["minictr network prune", "but for the default one"],
]);

/** `network reload` */
export const NETWORK_RELOAD = plain("reload", "", "Make bridges and packet filter rules again", [
  ["minictr network reload", "after a firewall has thrown its rules away"],
]);

/** A command of `network` that has no options. */
function plain(
  verb: string,
  operands: string,
  summary: string,
  examples: Grammar["examples"],
): Grammar {
  return { command: `network ${verb}`, operands, summary, examples, groups: [] };
}
