import { rootsBelow } from "../container/mod.ts";
import { type Grammar, nearest, parseCommandLine, wrongUse } from "./grammar.ts";
import { COMMANDS } from "./mod.ts";

/** docker's group: `container ls` is `ps`, and the others are the commands of these names. */
const OTHER_NAMES: Readonly<Record<string, string>> = { ls: "ps", list: "ps", remove: "rm" };
/** What `container` is put in front of. */
export const VERBS: readonly string[] =
  ("attach cp create diff exec export inspect kill logs pause port ps rename restart rm run " +
    "start stats stop top unpause update wait why").split(" ");

/** `container` */
export const CONTAINER: Grammar = {
  command: "container",
  operands: "COMMAND …",
  summary: "The commands that are about containers, by docker's longer names",
  examples: [
    ["minictr container ls -a", "as minictr ps -a"],
    ["minictr container prune -f", "remove those that do not run"],
  ],
  groups: [],
};

/** `minictr container COMMAND` */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const [verb = "--help", ...rest] = args;
  if (verb === "--help" || verb === "-h") {
    console.log((await import("./help.ts")).helpText(CONTAINER));
    return args.length === 0 ? 125 : 0;
  }
  if (verb === "prune") return await prune(rest, root);
  const name = OTHER_NAMES[verb] ?? verb;
  const command = VERBS.includes(name) ? COMMANDS[name] : undefined;
  if (command) return await command.run(rest, root);
  const meant = nearest(verb, [...VERBS, ...Object.keys(OTHER_NAMES), "prune"]);
  const hint = meant === undefined ? "" : `: did you mean "${meant}"?`;
  throw wrongUse(CONTAINER, `"container" has no command "${verb}"${hint}`);
}

/** `container prune` */
export const PRUNE = {
  command: "container prune",
  operands: "",
  summary: "Remove all containers that do not run",
  examples: [["minictr container prune -f", "without a question"]],
  groups: [{
    name: "prune",
    title: "Options",
    flags: [
      { name: "force", short: "f", help: "do not ask" },
      {
        name: "filter",
        value: "KEY=VALUE",
        many: true,
        help: "only those with label=, or older than until=",
      },
    ],
  }],
} as const satisfies Grammar;

async function prune(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseCommandLine(PRUNE, args);
  if (help) {
    console.log((await import("./help.ts")).helpText(PRUNE));
    return 0;
  }
  if (operands.length > 0) throw wrongUse(PRUNE, '"container prune" takes no operand');
  const { pruneFilters, prunable, removeAll } = await import("./prune.ts");
  const filters = pruneFilters(flags.filter);
  const question = "This removes all containers that do not run. Go on? [y/N]";
  if (!flags.force && !/^y(es)?$/i.test(prompt(question) ?? "")) return 0;
  const roots = rootsBelow(root);
  const { removed, bytes } = await removeAll(roots, prunable(roots, filters));
  if (removed.length > 0) console.log(["Deleted Containers:", ...removed, ""].join("\n"));
  const { formatBytes } = await import("./progress.ts");
  console.log(`Total reclaimed space: ${formatBytes(bytes)}`);
  return 0;
}
