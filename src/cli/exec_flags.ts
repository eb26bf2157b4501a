import type { Grammar } from "./grammar.ts";

/** The command line of `exec`: docker's, and runc's where docker has no flag. */
export const EXEC = {
  command: "exec",
  operands: "CONTAINER COMMAND [ARG…]",
  summary: "Run a further command in a running container",
  examples: [
    ["minictr exec -it web sh", "a shell beside what runs there"],
    ["minictr exec -u www-data -w /srv web ls -l", "as another user, elsewhere"],
    ["minictr exec -d -e LEVEL=3 web logger start", "in the background"],
    ["minictr exec --explain web true", "only say what would be done"],
  ],
  groups: [
    {
      name: "mode",
      title: "How it runs",
      flags: [
        { name: "detach", short: "d", help: "run in the background" },
        { name: "interactive", short: "i", help: "keep standard input open" },
        { name: "tty", short: "t", help: "give the command a terminal" },
        {
          name: "detach-keys",
          value: "KEYS",
          help: "keys that leave it running, as ctrl-p,ctrl-q",
        },
        { name: "pidfile", value: "FILE", help: "write the process id to a file" },
      ],
    },
    {
      name: "process",
      title: "Process (as the container's own, where nothing is said)",
      flags: [
        {
          name: "env",
          short: "e",
          value: "NAME[=VALUE]",
          many: true,
          help: "set a variable, or import it",
        },
        { name: "env-file", value: "FILE", many: true, help: "read variables from a file" },
        { name: "workdir", short: "w", value: "DIR", help: "working directory" },
        { name: "user", short: "u", value: "USER[:GROUP]", help: "names or numbers" },
      ],
    },
    {
      name: "security",
      title: "Security",
      flags: [
        { name: "cap-add", value: "CAP", many: true, help: "add a capability, or ALL" },
        { name: "cap-drop", value: "CAP", many: true, help: "drop a capability, or ALL" },
        { name: "privileged", help: "all capabilities" },
      ],
    },
    {
      name: "show",
      title: "Only show, or show more",
      flags: [
        { name: "explain", help: "print each step and do nothing" },
        { name: "trace", help: "print each step with its result and time" },
        { name: "json", help: "print these as JSON" },
      ],
    },
  ],
} as const satisfies Grammar;
