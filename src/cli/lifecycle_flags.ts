import type { Grammar } from "./grammar.ts";

/** `ps` */
export const PS = {
  command: "ps",
  operands: "",
  summary: "List containers",
  examples: [
    ["minictr ps", "those that run"],
    ["minictr ps -a --format json", "all, one JSON object a line"],
  ],
  groups: [{
    name: "ps",
    title: "Options",
    flags: [
      { name: "all", short: "a", help: "also those that do not run" },
      { name: "quiet", short: "q", help: "ids only" },
      { name: "no-trunc", help: "whole ids and commands" },
      { name: "format", value: "FORMAT", help: "how to print", choices: ["table", "json"] },
      {
        name: "filter",
        short: "f",
        value: "KEY=VALUE",
        many: true,
        help: "only those with name=, id=, status=, label=",
      },
    ],
  }],
} as const satisfies Grammar;

/** `logs` */
export const LOGS = {
  command: "logs",
  operands: "CONTAINER",
  summary: "Print what a container has written",
  examples: [["minictr logs -f --tail 10 web", "the last ten lines, and what follows"]],
  groups: [{
    name: "logs",
    title: "Options",
    flags: [
      { name: "follow", short: "f", help: "go on until the container ends" },
      { name: "tail", short: "n", value: "N", help: "only the last lines", default: "all" },
      { name: "timestamps", short: "t", help: "put the time in front of each line" },
      { name: "since", value: "TIME", help: "from then on: RFC 3339, or a duration as 10m" },
      { name: "until", value: "TIME", help: "up to then" },
    ],
  }],
} as const satisfies Grammar;

/** `stop` */
export const STOP = {
  command: "stop",
  operands: "CONTAINER…",
  summary: "Stop containers",
  examples: [["minictr stop -t 2 web", "SIGTERM, and after two seconds SIGKILL"]],
  groups: [{
    name: "stop",
    title: "Options",
    flags: [
      {
        name: "time",
        short: "t",
        value: "SECONDS",
        help: "wait so long before killing",
        default: "10",
      },
      { name: "signal", short: "s", value: "SIGNAL", help: "signal to send", default: "TERM" },
    ],
  }],
} as const satisfies Grammar;

/** `kill` */
export const KILL = {
  command: "kill",
  operands: "CONTAINER…",
  summary: "Send a signal to containers",
  examples: [["minictr kill -s HUP web", "have it read its configuration again"]],
  groups: [{
    name: "kill",
    title: "Options",
    flags: [{ name: "signal", short: "s", value: "SIGNAL", help: "which", default: "KILL" }],
  }],
} as const satisfies Grammar;

/** `rm` */
export const RM = {
  command: "rm",
  operands: "CONTAINER…",
  summary: "Remove containers",
  examples: [["minictr rm -f web", "kill it if it runs"]],
  groups: [{
    name: "rm",
    title: "Options",
    flags: [
      { name: "force", short: "f", help: "kill those that run" },
      { name: "volumes", short: "v", help: "accepted: there are no anonymous volumes" },
    ],
  }],
} as const satisfies Grammar;

/** `wait`, `start`, `pause`, `unpause` and `inspect`, which have no options. */
export function plain(command: string, summary: string, does: string): Grammar {
  return {
    command,
    operands: "CONTAINER…",
    summary,
    examples: [[`minictr ${command} web`, does]],
    groups: [],
  };
}
