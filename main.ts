/**
 * minictr: finds the command and runs it. The only file that prints an error or exits.
 *
 * @module
 */
import { UsageError } from "./src/cli/usage_error.ts";

/** The roots of everything that is kept, and the words after the global options. */
interface Invocation {
  root?: string;
  words: string[];
}

/** The engine itself failed; docker's number. */
const ENGINE_FAILED = 125;

/** Each command is a module of its own, loaded when it is called. */
const COMMANDS: Record<string, (args: string[], root: string | undefined) => Promise<number>> = {
  run: async (args, root) => {
    const [{ run }, { rootsBelow }] = await Promise.all([
      import("./src/cli/run.ts"),
      import("./src/container/mod.ts"),
    ]);
    return await run(args, rootsBelow(root));
  },
  rootfs: async (args, root) => {
    const { run } = await import("./src/cli/rootfs.ts");
    const { rootsBelow } = await import("./src/container/mod.ts");
    return await run(args, rootsBelow(root).data);
  },
  spec: async (args) => await (await import("./src/cli/spec.ts")).run(args),
  doctor: async (args) => await (await import("./src/cli/doctor.ts")).run(args),
};

const USAGE = `Usage: minictr [--root DIR] COMMAND [OPTION…]

Commands:
  run       run a command in a new container
  rootfs    build, list and remove root filesystems
  spec      print a default config.json
  doctor    try what this host can do

\`minictr COMMAND --help\` tells more.`;

function invocation(args: string[]): Invocation {
  const words = [...args];
  let root = Deno.env.get("MINICTR_ROOT");
  while (words[0]?.startsWith("--root")) {
    const [word = ""] = words.splice(0, 1);
    root = word.startsWith("--root=") ? word.slice("--root=".length) : words.shift();
    if (!root) throw new UsageError("--root needs a directory");
  }
  if (root !== undefined && !root.startsWith("/")) root = `${Deno.cwd()}/${root}`;
  return root === undefined ? { words } : { root, words };
}

async function main(args: string[]): Promise<number> {
  const { root, words } = invocation(args);
  const [word, ...rest] = words;
  if (word === undefined || word === "--help" || word === "help") {
    console.log(USAGE);
    return word === undefined ? ENGINE_FAILED : 0;
  }
  const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (!command) {
    throw new UsageError(`there is no command "${word}"; \`minictr --help\` lists them`);
  }
  return await command(rest, root);
}

/** One line an error; of several that came together, one line each. */
function report(error: unknown): number {
  const errors = error instanceof AggregateError ? [error, ...error.errors] : [error];
  for (const one of errors) {
    const message = one instanceof Error ? one.message : String(one);
    console.error(`minictr: ${message.replaceAll("\n", " ")}`);
  }
  const { exitCode } = error as { exitCode?: unknown };
  return typeof exitCode === "number" ? exitCode : ENGINE_FAILED;
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  Deno.exit(report(error));
}
