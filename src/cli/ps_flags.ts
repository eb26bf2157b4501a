import type { Grammar } from "./grammar.ts";

/** `ps` */
export const PS = {
  command: "ps",
  operands: "",
  summary: "List containers",
  examples: [
    ["minictr ps", "those that run"],
    ["minictr ps -a --filter status=exited --filter label=tier=front", "some that do not"],
    [
      "minictr ps --format 'table {{.Names}}\\t{{.Status}}\\t{{.Ports}}'",
      "columns of one's choice",
    ],
    ["minictr ps -a --format json", "one JSON object a line"],
  ],
  groups: [{
    name: "ps",
    title: "Options",
    flags: [
      { name: "all", short: "a", help: "also those that do not run" },
      {
        name: "filter",
        short: "f",
        value: "KEY=VALUE",
        many: true,
        help: "only those with id=, name=, label=, status=, exited=, ancestor=, before=, since=, " +
          "volume=, network=, health=, publish=",
      },
      { name: "format", value: "FORMAT", help: "table, json, or a template of Go" },
      { name: "last", short: "n", value: "N", help: "the newest of all, so many" },
      { name: "latest", short: "l", help: "the newest of all" },
      { name: "no-trunc", help: "whole ids and commands" },
      { name: "quiet", short: "q", help: "ids only" },
      { name: "size", short: "s", help: "bytes that each has written" },
    ],
  }],
} as const satisfies Grammar;
