/**
 * docs/commands.md: what `--help` prints, all on one page.
 */
import type { Grammar } from "../../src/cli/grammar.ts";
import { helpText } from "../../src/cli/help.ts";

const HEAD = `<!-- deno-fmt-ignore-file -->

# Commands

What \`minictr COMMAND --help\` prints, made by \`deno task man\` from the tables that the command lines
are parsed by. The same pages for man(1) are made into \`dist/man\`.

Global: \`--root DIR\` (or \`MINICTR_ROOT\`) keeps everything below DIR instead of /var/lib/minictr and
/run/minictr; \`--version\`. Exit statuses: 125 minictr itself failed, 126 the command cannot be
executed, 127 it was not found, 128 + n signal n ended it, otherwise its own.
`;

/** The whole page. */
export function commandsPage(all: readonly Grammar[]): string {
  const list = all.map(({ command, summary }) =>
    `- [${command}](#minictr-${command.replaceAll(" ", "-")}): ${fragment(summary)}`
  );
  const sections = all.map((grammar) =>
    `## minictr ${grammar.command}\n\n\`\`\`text\n${helpText(grammar)}\n\`\`\`\n`
  );
  return [HEAD, `${list.join("\n")}\n`, ...sections].join("\n");
}

/** "Run a command" → "run a command"; an abbreviation stays as it is. */
export function fragment(summary: string): string {
  return /^[A-Z][a-z]/.test(summary) ? summary.charAt(0).toLowerCase() + summary.slice(1) : summary;
}
