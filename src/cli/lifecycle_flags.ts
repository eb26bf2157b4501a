import type { Grammar } from "./grammar.ts";

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
      { name: "force", short: "f", help: "kill those that run, or wait to be restarted" },
      { name: "volumes", short: "v", help: "and their anonymous volumes" },
    ],
  }],
} as const satisfies Grammar;

/** `pause` */
export const PAUSE = plain("pause", "Freeze all processes of containers", [
  ["minictr pause web", "it takes no more CPU time"],
]);

/** `unpause` */
export const UNPAUSE = plain("unpause", "Let frozen containers go on", [
  ["minictr unpause web", "from where it was"],
]);

/** `wait` */
export const WAIT = plain("wait", "Wait for the end of containers", [
  ["minictr wait web", "prints its exit status"],
]);

/** `why` */
export const WHY = plain("why", "Say why a container ended, or does not run", [
  ["minictr why web", "in a sentence or two, with figures and what to do"],
]);

/** A command of containers that has no options. */
function plain(command: string, summary: string, examples: Grammar["examples"]): Grammar {
  return { command, operands: "CONTAINER…", summary, examples, groups: [] };
}
