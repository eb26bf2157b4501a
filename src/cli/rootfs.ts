import { buildRootfs, type Order } from "../../rootfs/mod.ts";
import { rootsBelow } from "../container/mod.ts";
import { storedRootfs } from "../image/builtin.ts";
import { listRootfs, removeRootfs, type RootfsMeta } from "../image/mod.ts";
import { type CommandLine, parseCommandLine, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { parseInterspersed } from "./interspersed.ts";
import { listed, type Listing, print as printText } from "./output.ts";
import { formatBytes, ProgressLine, standardError } from "./progress.ts";
import { ROOTFS_BUILD, ROOTFS_LS, ROOTFS_PACK, ROOTFS_RM } from "./rootfs_flags.ts";
import { UsageError } from "./usage_error.ts";

const RECIPES = ["busybox", "host", "debootstrap", "tar"] as const;

/**
 * `minictr rootfs build|ls|rm|pack`: builds, lists, removes and packs root filesystems.
 *
 * @param args the words after `rootfs`
 * @param root what `--root` said
 * @returns the exit status: 0, or 1 when one of several could not be removed
 */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const dataRoot = rootsBelow(root).data;
  const [verb, ...rest] = args;
  const command = COMMANDS.get(verb ?? "");
  if (command) return await command(rest, dataRoot);
  if (verb === "--help") return print(USAGE);
  const got = verb === undefined ? "needs one" : `does not know "${verb}"`;
  throw new UsageError(`"rootfs" has the commands build, ls, rm and pack; it ${got}`);
}

type Subcommand = (args: string[], defaultRoot: string) => Promise<number> | number;

const COMMANDS = new Map<string, Subcommand>([
  ["build", build],
  ["ls", list],
  ["list", list],
  ["rm", remove],
  ["pack", pack],
]);

const USAGE = [ROOTFS_BUILD, ROOTFS_LS, ROOTFS_RM, ROOTFS_PACK]
  .map(({ command, operands, summary }) => `minictr ${command} ${operands}\n    ${summary}`)
  .join("\n");

async function pack(args: string[], dataRoot: string): Promise<number> {
  const { operands: [name, file, extra], help } = parseCommandLine(ROOTFS_PACK, args);
  if (help) return print(helpText(ROOTFS_PACK));
  if (name === undefined || file === undefined || extra !== undefined) {
    throw wrongUse(ROOTFS_PACK, '"rootfs pack" takes a name and a file');
  }
  const tree = storedRootfs(dataRoot, name);
  if (tree === undefined) throw new UsageError(`there is no root filesystem "${name}"`);
  const { packTree } = await import("../../rootfs/mod.ts");
  const { sizeBytes, sha256 } = await packTree(tree, file);
  return print(`${file}: ${formatBytes(sizeBytes)}, sha256 ${sha256}`);
}

type BuildLine = CommandLine<typeof ROOTFS_BUILD>;

async function build(args: string[], defaultRoot: string): Promise<number> {
  const line = parseInterspersed(ROOTFS_BUILD, args);
  const { operands } = line;
  if (line.help) return print(helpText(ROOTFS_BUILD));
  const [word = "", ...rest] = operands;
  const recipe = RECIPES.find((name) => name === word);
  if (!recipe) {
    throw wrongUse(ROOTFS_BUILD, `a recipe is one of ${RECIPES.join(", ")}, not "${word}"`);
  }
  const order = orderOf(recipe, line, rest);
  const { root: dataRoot = defaultRoot, name = recipe, replace, quiet } = line.flags;
  const progress = new ProgressLine(standardError());
  try {
    const meta = await buildRootfs(
      order,
      { dataRoot, name, replace },
      quiet ? undefined : (shown) => progress.show(shown),
    );
    progress.end();
    return print(quiet ? meta.name : summary(meta));
  } finally {
    progress.end();
  }
}

/** The recipe with its options; those of another recipe are refused, not dropped. */
function orderOf(
  recipe: typeof RECIPES[number],
  line: BuildLine,
  operands: string[],
): Order {
  const foreign = [...line.groups].find((group) => group !== "common" && group !== recipe);
  if (foreign !== undefined) {
    throw wrongUse(ROOTFS_BUILD, `a flag of the recipe ${foreign} is not for ${recipe}`);
  }
  const { flags } = line;
  const [archive, more] = operands;
  const extra = recipe === "tar" ? more : archive;
  if (extra !== undefined) throw wrongUse(ROOTFS_BUILD, `unexpected operand "${extra}"`);
  switch (recipe) {
    case "busybox":
      return { recipe, options: present({ busybox: flags.busybox }) };
    case "host":
      return { recipe, options: { programs: [...flags.program] } };
    case "debootstrap": {
      const { suite, mirror, include } = flags;
      return { recipe, options: { ...present({ suite, mirror }), include: [...include] } };
    }
    case "tar": {
      if (archive === undefined) throw wrongUse(ROOTFS_BUILD, "the recipe tar needs a FILE or URL");
      const { sha256, devices } = flags;
      return { recipe, options: { archive, devices, ...present({ sha256 }) } };
    }
  }
}

async function list(args: string[], defaultRoot: string): Promise<number> {
  const { flags, help } = parseCommandLine(ROOTFS_LS, args);
  if (help) return print(helpText(ROOTFS_LS));
  const all = listRootfs(flags.root ?? defaultRoot);
  if (flags.json) return print(JSON.stringify(all, null, 2));
  const rows = all.map((meta) => ({
    Name: meta.name,
    Recipe: meta.recipe,
    Size: formatBytes(meta.sizeBytes),
    Files: String(meta.files),
    CreatedAt: meta.created.slice(0, 16).replace("T", " "),
    Source: meta.source,
  }));
  printText(await listed(ROOTS, rows, flags));
  return 0;
}

const ROOTS: Listing = {
  headings: {
    Name: "NAME",
    Recipe: "RECIPE",
    Size: "SIZE",
    Files: "FILES",
    CreatedAt: "CREATED (UTC)",
    Source: "SOURCE",
  },
  columns: ["Name", "Recipe", "Size", "Files", "CreatedAt", "Source"],
  quiet: "Name",
};

function remove(args: string[], defaultRoot: string): number {
  const { flags, operands, help } = parseCommandLine(ROOTFS_RM, args);
  if (help) return print(helpText(ROOTFS_RM));
  if (operands.length === 0) throw wrongUse(ROOTFS_RM, "name what to remove");
  const failures: unknown[] = [];
  for (const name of operands) {
    try {
      removeRootfs(flags.root ?? defaultRoot, name);
      print(name);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, failures.map(messageOf).join("; "));
  return 0;
}

function summary({ name, recipe, sizeBytes, files, source }: RootfsMeta): string {
  return `${name}: ${formatBytes(sizeBytes)} in ${files} files (${recipe}: ${source})`;
}

/** The options that were given: an absent one is left out, not undefined. */
function present<T extends Record<string, string | undefined>>(options: T) {
  const given: { [K in keyof T]?: string } = {};
  for (const key in options) {
    const value = options[key];
    if (value !== undefined) given[key] = value;
  }
  return given;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function print(text: string): number {
  console.log(text);
  return 0;
}
