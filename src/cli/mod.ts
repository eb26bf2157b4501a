/**
 * The commands of minictr: thin, one file each, loaded when they are called.
 *
 * A command parses its words by a table of flags (`grammar.ts`), calls what does the work, and
 * prints. Nothing but main.ts knows this folder.
 *
 * @module
 */

/** One command. */
export interface Command {
  /** As in a list of commands: a fragment; empty for what is not for people. */
  summary: string;
  /**
   * @param args the words behind its name
   * @param root what the global `--root` said
   * @returns the exit status
   */
  run(args: string[], root: string | undefined): Promise<number>;
}

/** By name. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    summary: "run a command in a new container",
    run: async (args, root) => await (await import("./run.ts")).run(args, root),
  },
  create: {
    summary: "create a container without starting it",
    run: async (args, root) => await (await import("./create.ts")).run(args, root),
  },
  exec: {
    summary: "run a further command in a running container",
    run: async (args, root) => await (await import("./exec.ts")).run(args, root),
  },
  attach: {
    summary: "show what a running container writes, and type into it",
    run: async (args, root) => await (await import("./attach.ts")).run(args, root),
  },
  ps: {
    summary: "list containers",
    run: async (args, root) => await (await import("./ps.ts")).run(args, root),
  },
  logs: {
    summary: "print what a container has written",
    run: async (args, root) => await (await import("./logs.ts")).run(args, root),
  },
  inspect: {
    summary: "print all that is known of containers and other things",
    run: async (args, root) => await (await import("./inspect.ts")).run(args, root),
  },
  start: {
    summary: "start containers that were created, or have ended",
    run: async (args, root) => await (await import("./start.ts")).run(args, root),
  },
  restart: {
    summary: "stop containers and start them again",
    run: async (args, root) => await (await import("./restart.ts")).run(args, root),
  },
  rename: {
    summary: "give a container another name",
    run: async (args, root) => await (await import("./rename.ts")).run(args, root),
  },
  update: {
    summary: "change the limits and the restart policy of containers",
    run: async (args, root) => await (await import("./update.ts")).run(args, root),
  },
  stop: {
    summary: "stop containers",
    run: async (args, root) => await (await import("./lifecycle.ts")).stop(args, root),
  },
  kill: {
    summary: "send a signal to containers",
    run: async (args, root) => await (await import("./lifecycle.ts")).kill(args, root),
  },
  pause: {
    summary: "freeze containers",
    run: async (args, root) => await (await import("./lifecycle.ts")).pause(args, root),
  },
  unpause: {
    summary: "let frozen containers go on",
    run: async (args, root) => await (await import("./lifecycle.ts")).unpause(args, root),
  },
  wait: {
    summary: "wait for the end of containers",
    run: async (args, root) => await (await import("./lifecycle.ts")).wait(args, root),
  },
  rm: {
    summary: "remove containers",
    run: async (args, root) => await (await import("./remove.ts")).run(args, root),
  },
  healthcheck: {
    summary: "run the health check of a container now",
    run: async (args, root) => await (await import("./healthcheck.ts")).run(args, root),
  },
  generate: {
    summary: "print a systemd unit that starts containers at boot",
    run: async (args, root) => await (await import("./generate.ts")).run(args, root),
  },
  events: {
    summary: "print what happens to containers",
    run: async (args, root) => await (await import("./events.ts")).run(args, root),
  },
  why: {
    summary: "say why a container ended, or does not run",
    run: async (args, root) => await (await import("./why.ts")).run(args, root),
  },
  container: {
    summary: "the same commands by docker's longer names, and container prune",
    run: async (args, root) => await (await import("./container.ts")).run(args, root),
  },
  cp: {
    summary: "copy files between a container and the host",
    run: async (args, root) => await (await import("./cp.ts")).run(args, root),
  },
  diff: {
    summary: "print what a container has changed in its files",
    run: async (args, root) => await (await import("./diff.ts")).run(args, root),
  },
  export: {
    summary: "write a container's files as a tar archive",
    run: async (args, root) => await (await import("./export.ts")).run(args, root),
  },
  top: {
    summary: "print the processes of a container",
    run: async (args, root) => await (await import("./top.ts")).run(args, root),
  },
  stats: {
    summary: "print what containers use",
    run: async (args, root) => await (await import("./stats.ts")).run(args, root),
  },
  network: {
    summary: "create, list, connect and remove networks",
    run: async (args, root) => await (await import("./network_command.ts")).run(args, root),
  },
  volume: {
    summary: "create, list and remove volumes",
    run: async (args, root) => await (await import("./volume_command.ts")).run(args, root),
  },
  port: {
    summary: "print the published ports of a container",
    run: async (args, root) => await (await import("./port_command.ts")).run(args, root),
  },
  rootfs: {
    summary: "build, list and remove root filesystems",
    run: async (args, root) => await (await import("./rootfs.ts")).run(args, root),
  },
  spec: {
    summary: "print a default config.json",
    run: async (args) => await (await import("./spec.ts")).run(args),
  },
  doctor: {
    summary: "try what this host can do",
    run: async (args, root) => await (await import("./doctor.ts")).run(args, root),
  },
  info: {
    summary: "print what is kept here, and what the host is",
    run: async (args, root) => await (await import("./info.ts")).run(args, root),
  },
  version: {
    summary: "print the versions of minictr and of what it runs on",
    run: async (args) => await (await import("./version.ts")).run(args),
  },
  list: {
    summary: "",
    run: async (args, root) => await (await import("./ps.ts")).run(args, root),
  },
  destroy: {
    summary: "",
    run: async (args, root) => await (await import("./remove.ts")).run(args, root),
  },
  completion: {
    summary: "print a script for completion on bash, zsh or fish",
    run: async (args) => await (await import("./completion.ts")).run(args),
  },
  __complete: {
    summary: "",
    run: async (args, root) => await (await import("./complete.ts")).run(args, root),
  },
  ended: {
    summary: "",
    run: async (args, root) => await (await import("./ended.ts")).run(args, root),
  },
};

export { UsageError } from "./usage_error.ts";
