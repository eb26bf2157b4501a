/**
 * The grammars of all commands: whatever src/cli exports that is one.
 */
import type { Grammar } from "../../src/cli/grammar.ts";
import { COMMANDS } from "../../src/cli/mod.ts";
import { ROOT } from "../source.ts";

/** In the order of the list of commands, and below a command by name. */
export async function grammars(): Promise<Grammar[]> {
  const found = new Map<string, Grammar>();
  for (const { name, isFile } of Deno.readDirSync(`${ROOT}src/cli`)) {
    if (!isFile || !name.endsWith(".ts") || name.endsWith("_test.ts")) continue;
    const module: Record<string, unknown> = await import(`../../src/cli/${name}`);
    for (const value of Object.values(module)) {
      if (isGrammar(value)) found.set(value.command, value);
    }
  }
  const names = Object.keys(COMMANDS);
  const place = ({ command }: Grammar) => names.indexOf(command.split(" ")[0] ?? "");
  return [...found.values()].sort((a, b) =>
    place(a) - place(b) || (a.command < b.command ? -1 : 1)
  );
}

function isGrammar(value: unknown): value is Grammar {
  return typeof value === "object" && value !== null && "command" in value &&
    "operands" in value && "summary" in value && "groups" in value && "examples" in value;
}
