/**
 * minictr: finds the command and runs it. The only file that prints an error or exits.
 *
 * @module
 */
import { COMMANDS, UsageError } from "./src/cli/mod.ts";

/** The engine itself failed; docker's number. */
const ENGINE_FAILED = 125;

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  Deno.exit(await report(error));
}

async function main(args: string[]): Promise<number> {
  const { root, words } = globalOptions(args);
  const [name, ...rest] = spelledOut(words);
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    console.log(usage());
    return name === undefined ? ENGINE_FAILED : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    throw new UsageError(`there is no command "${name}"; \`minictr --help\` lists them`);
  }
  return await command.run(rest, root);
}

/** `--root DIR` in front of the command, or MINICTR_ROOT: where everything is kept. */
function globalOptions(args: string[]): { root: string | undefined; words: string[] } {
  const words = [...args];
  let root = Deno.env.get("MINICTR_ROOT");
  while (words[0] === "--root" || words[0]?.startsWith("--root=")) {
    const word = words.shift() ?? "";
    root = word.startsWith("--root=") ? word.slice("--root=".length) : words.shift();
    if (!root) throw new UsageError("--root needs a directory");
  }
  if (root !== undefined && !root.startsWith("/")) root = `${Deno.cwd()}/${root}`;
  return { root, words };
}

/** What has a short form: `--version`, and `help COMMAND`. */
function spelledOut(words: string[]): string[] {
  const [first, ...rest] = words;
  if (first === "--version" || first === "-v") return ["version", "--short"];
  return first === "help" && rest.length > 0 ? [...rest, "--help"] : words;
}

function usage(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).filter(([, { summary }]) => summary !== "")
    .map(([name, { summary }]) => `  ${name.padEnd(width)}   ${summary}`);
  return [
    "Usage: minictr [--root DIR] [--version] COMMAND [OPTION…]",
    "",
    "Commands:",
    ...lines,
    "",
    "`minictr COMMAND --help` tells more.",
  ].join("\n");
}

/** One line an error, and one for each of several that came together; returns the exit status. */
async function report(error: unknown): Promise<number> {
  const { told } = await import("./src/cli/told.ts");
  const { lines, exitCode } = told(error, ENGINE_FAILED);
  for (const line of lines) console.error(`minictr: ${line}`);
  return exitCode;
}
