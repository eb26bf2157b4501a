import type { Flag, Grammar } from "./grammar.ts";

const FORMAT = {
  name: "format",
  value: "FORMAT",
  help: "json, table, or a template of Go",
} as const satisfies Flag;

/** `volume create` */
export const VOLUME_CREATE = {
  command: "volume create",
  operands: "[NAME]",
  summary: "Create a volume",
  examples: [
    ["minictr volume create --label tier=back db", "prints its name"],
    [
      "minictr volume create -o type=tmpfs -o device=tmpfs -o o=size=100m scratch",
      "in memory, for each container its own",
    ],
    ["minictr volume create -o o=bind -o device=/srv/www www", "a directory of the host's"],
  ],
  groups: [{
    name: "volume",
    title: "Options",
    flags: [
      {
        name: "driver",
        short: "d",
        value: "DRIVER",
        help: "who keeps it",
        default: "local",
        choices: ["local"],
      },
      { name: "label", value: "KEY[=VALUE]", many: true, help: "attach a label" },
      { name: "opt", short: "o", value: "KEY=VALUE", many: true, help: "type=, device=, o=" },
    ],
  }],
} as const satisfies Grammar;

/** `volume ls` */
export const VOLUME_LS = {
  command: "volume ls",
  operands: "",
  summary: "List volumes",
  examples: [["minictr volume ls -q -f dangling=true", "those that no container has"]],
  groups: [{
    name: "volume",
    title: "Options",
    flags: [
      {
        name: "filter",
        short: "f",
        value: "KEY=VALUE",
        many: true,
        help: "only those with name=, label=, dangling=, driver=",
      },
      FORMAT,
      { name: "quiet", short: "q", help: "names only" },
    ],
  }],
} as const satisfies Grammar;

/** `volume inspect` */
export const VOLUME_INSPECT = {
  command: "volume inspect",
  operands: "VOLUME…",
  summary: "Print all that is known of volumes",
  examples: [["minictr volume inspect -f '{{.Mountpoint}}' db", "where its files are"]],
  groups: [{
    name: "volume",
    title: "Options",
    flags: [{ ...FORMAT, short: "f", help: "json, or a template of Go" }],
  }],
} as const satisfies Grammar;

/** `volume rm` */
export const VOLUME_RM = {
  command: "volume rm",
  operands: "VOLUME…",
  summary: "Remove volumes that no container has",
  examples: [["minictr volume rm db", "with all its files"]],
  groups: [{
    name: "volume",
    title: "Options",
    flags: [{ name: "force", short: "f", help: "no failure where there is none of that name" }],
  }],
} as const satisfies Grammar;

/** `volume prune` */
export const VOLUME_PRUNE = {
  command: "volume prune",
  operands: "",
  summary: "Remove all anonymous volumes that no container has",
  examples: [["minictr volume prune -a -f --filter label!=keep", "with names, too, but not those"]],
  groups: [{
    name: "volume",
    title: "Options",
    flags: [
      { name: "all", short: "a", help: "also those that have been given a name" },
      { name: "filter", value: "KEY=VALUE", many: true, help: "only those with label=, label!=" },
      { name: "force", short: "f", help: "do not ask" },
    ],
  }],
} as const satisfies Grammar;
