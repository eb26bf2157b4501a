import { type Known, knownContainers, statusOf } from "../container/list.ts";
import { type Roots, rootsBelow } from "../container/mod.ts";
import { type Kind, type Wanted, wantedAt } from "./complete_words.ts";
import type { Grammar } from "./grammar.ts";
import { COMMANDS } from "./mod.ts";
import { print } from "./output.ts";

/** The modules that hold the grammars of each command. */
export const GRAMMARS: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  run: () => import("./run_flags.ts"),
  create: () => import("./create.ts"),
  exec: () => import("./exec_flags.ts"),
  attach: () => import("./attach.ts"),
  ps: () => import("./ps_flags.ts"),
  inspect: () => import("./inspect.ts"),
  start: () => import("./start.ts"),
  restart: () => import("./restart.ts"),
  rename: () => import("./rename.ts"),
  update: () => import("./update.ts"),
  events: () => import("./events.ts"),
  healthcheck: () => import("./healthcheck.ts"),
  generate: () => import("./generate.ts"),
  container: () => import("./container.ts"),
  cp: () => import("./cp.ts"),
  diff: () => import("./diff.ts"),
  export: () => import("./export.ts"),
  top: () => import("./top.ts"),
  stats: () => import("./stats.ts"),
  network: () => import("./network_flags.ts"),
  volume: () => import("./volume_flags.ts"),
  port: () => import("./port_command.ts"),
  rootfs: () => import("./rootfs_flags.ts"),
  spec: () => import("./spec.ts"),
  doctor: () => import("./doctor.ts"),
  info: () => import("./info.ts"),
  version: () => import("./version.ts"),
  completion: () => import("./completion.ts"),
};
/** The others: logs, stop, kill, rm, … */
const LIFECYCLE = () => import("./lifecycle_flags.ts");

/** Tells the shell's function to offer files besides; no candidate begins so. */
const FILES = ":files";

/**
 * `minictr __complete WORD…`: what the last word may become, one candidate a line, with what it
 * means behind a tab. What a shell calls, not people; it never fails.
 */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { words, root: given } = withoutRoot(args, root);
  const current = words.at(-1) ?? "";
  const wanted = await wantedBy(words);
  const roots = rootsBelow(given);
  const found: (readonly [string, string])[] = [...wanted.words];
  let files = false;
  for (const kind of wanted.kinds) {
    if (kind === "files") files = true;
    else found.push(...await candidates(kind, roots, words[0] ?? ""));
  }
  const lines = found.map(([word, means]) => [wanted.prefix + word, means] as const)
    .filter(([word]) => word.startsWith(current));
  print(lines.map(([word, means]) => `${word}\t${means}\n`).join("") + (files ? `${FILES}\n` : ""));
  return 0;
}

/** The global option stands in front of the command, if at all. */
function withoutRoot(args: string[], root: string | undefined) {
  if (args[0] === "--root" && args.length > 2) return { words: args.slice(2), root: args[1] };
  const [, inWord] = /^--root=(.*)$/.exec(args[0] ?? "") ?? [];
  return inWord !== undefined && args.length > 1
    ? { words: args.slice(1), root: inWord }
    : { words: args, root };
}

async function wantedBy(words: readonly string[]): Promise<Wanted> {
  const [name = "", ...rest] = words;
  if (rest.length === 0) {
    const shown = Object.entries(COMMANDS).filter(([, { summary }]) => summary !== "");
    return { prefix: "", kinds: [], words: shown.map(([word, { summary }]) => [word, summary]) };
  }
  const all = await grammarsOf(name);
  const own = all.find(({ command }) => command === name);
  if (own && name !== "container") return wantedAt(own, rest);
  const verbs = all.filter(({ command }) => command.startsWith(`${name} `));
  const [verb = "", ...behind] = rest;
  if (behind.length > 0) {
    const found = verbs.find(({ command }) => command === `${name} ${verb}`);
    if (found) return wantedAt(found, behind);
    if (name === "container") return await wantedBy([verb === "ls" ? "ps" : verb, ...behind]);
  }
  const longer = name === "container" ? (await import("./container.ts")).VERBS : [];
  return {
    prefix: "",
    kinds: [],
    words: behind.length > 0 ? [] : [
      ...verbs.map(({ command, summary }) => [command.slice(name.length + 1), summary] as const),
      ...longer.map((word) => [word, COMMANDS[word]?.summary ?? ""] as const),
    ],
  };
}

/** The grammars of a command and of those below it. */
export async function grammarsOf(name: string): Promise<Grammar[]> {
  const module = await (GRAMMARS[name] ?? LIFECYCLE)();
  return Object.values(module).filter(isGrammar)
    .filter(({ command }) => command === name || command.startsWith(`${name} `));
}

function isGrammar(value: unknown): value is Grammar {
  return typeof value === "object" && value !== null && "command" in value &&
    "operands" in value && "groups" in value;
}

async function candidates(
  kind: Kind,
  roots: Roots,
  command: string,
): Promise<(readonly [string, string])[]> {
  switch (kind) {
    case "containers":
    case "containers with a path": {
      const end = kind === "containers" ? "" : ":";
      return knownContainers(roots).filter((known) => fits(roots, known, command))
        .map(({ name, definition }) => [name + end, definition?.image ?? "container"]);
    }
    case "networks": {
      const { listNetworks } = await import("../network/mod.ts");
      return listNetworks(roots).map(({ name }) => [name, "network"]);
    }
    case "volumes": {
      const { listVolumes } = await import("../volume/mod.ts");
      return listVolumes(roots.data).map(({ name }) => [name, "volume"]);
    }
    case "root filesystems": {
      const { listRootfs } = await import("../image/mod.ts");
      return listRootfs(roots.data).map(({ name, source }) => [name, source]);
    }
    case "signals": {
      const { SIGNALS } = await import("./signal.ts");
      return SIGNALS.map((name) => [name, "signal"]);
    }
    case "capabilities": {
      const { CAPABILITY_NAMES } = await import("../plan/credentials.ts");
      return CAPABILITY_NAMES.map((name) => [name, "capability"]);
    }
    case "files":
      return [];
  }
}

/** What a container must be doing for a command to make sense; any other takes all. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  start: ["created", "exited", "dead"],
  unpause: ["paused"],
  ...Object.fromEntries(
    ["stop", "kill", "pause", "exec", "attach", "top", "port"].map((name) => [
      name,
      ["running", "paused", "restarting"],
    ]),
  ),
};

function fits(roots: Roots, known: Known, command: string): boolean {
  const wanted = NEEDS[command];
  return wanted === undefined || wanted.includes(statusOf(roots, known));
}
