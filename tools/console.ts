/**
 * The sessions in the documents: fenced blocks of `console`, with what is printed, and of `sh`.
 */

/** A command, and what the document says that it prints; "…" stands for anything. */
export interface Exchange {
  command: string;
  /** With a newline at its end, or empty. */
  output: string;
}

/** The `console` blocks of a document, each a list of exchanges. */
export function sessions(markdown: string): Exchange[][] {
  return blocks(markdown, "console").map((block) => {
    const exchanges: Exchange[] = [];
    for (const line of block.split("\n").slice(0, -1)) {
      if (line.startsWith("$ ")) exchanges.push({ command: line.slice(2), output: "" });
      else {
        const last = exchanges.at(-1);
        if (!last) throw new Error(`a session begins with "${line}", not with a command`);
        last.output += `${line}\n`;
      }
    }
    return exchanges;
  });
}

/** The command lines of all `sh` blocks of a document. */
export function scripts(markdown: string): string[] {
  return blocks(markdown, "sh").flatMap((block) => block.split("\n"))
    .filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

/** Whether a text is as a document says: the same, but for what "…" stands for. */
export function isAs(text: string, said: string): boolean {
  const pattern = said.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join("[^]*")}$`).test(text);
}

function blocks(markdown: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm");
  return Array.from(markdown.matchAll(fence), ([, block = ""]) => block);
}
