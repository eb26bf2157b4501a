/**
 * Writes the manual from the tables that command lines are parsed by:
 *
 *     deno run -A tools/man.ts [--to DIRECTORY]
 *
 * docs/commands.md, and one page a command for man(1) in dist/man/man1.
 */
import { grammars } from "./man/grammars.ts";
import { commandsPage } from "./man/markdown.ts";
import { mainPage, manPage, pageName } from "./man/roff.ts";
import { ROOT } from "./source.ts";

/** The page that is kept with the source; a test fails where it is not the one made here. */
export const COMMANDS_PAGE = `${ROOT}docs/commands.md`;

async function main(args: readonly string[]): Promise<void> {
  const to = args[0] === "--to" && args[1] !== undefined ? args[1] : `${ROOT}dist/man`;
  const all = await grammars();
  await Deno.writeTextFile(COMMANDS_PAGE, commandsPage(all));
  await Deno.mkdir(`${to}/man1`, { recursive: true });
  await Deno.writeTextFile(`${to}/man1/minictr.1`, mainPage(all));
  for (const grammar of all) {
    await Deno.writeTextFile(`${to}/man1/${pageName(grammar)}`, manPage(grammar));
  }
  console.log(`${all.length + 1} pages in ${to.replace(ROOT, "")}; see man -M ${to} minictr`);
}

if (import.meta.main) await main(Deno.args);
