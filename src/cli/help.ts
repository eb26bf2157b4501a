import type { Flag, Grammar } from "./grammar.ts";

const COLUMN = 30;

/** What `minictr COMMAND --help` prints: the flags by heading, then examples. */
export function helpText({ command, operands, summary, groups, examples }: Grammar): string {
  const lines = [`Usage: minictr ${command} ${operands}`, "", `${summary}.`];
  for (const { title, flags } of groups) {
    lines.push("", `${title}:`, ...flags.filter(({ aliasOf }) => !aliasOf).map(flagLine));
  }
  lines.push("", "Examples:", ...examples.map(([line, does]) => `  ${line}\n      ${does}`));
  return lines.join("\n");
}

function flagLine({ name, short, value, help, default: preset, choices }: Flag): string {
  const letter = short === undefined ? "    " : `-${short}, `;
  const spelled = `  ${letter}--${name}${value === undefined ? "" : ` ${value}`}`;
  const notes = [
    ...choices ? [choices.join("|")] : [],
    ...preset === undefined ? [] : [`default: ${preset}`],
  ];
  const text = `${help}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`;
  return spelled.length >= COLUMN
    ? `${spelled}\n${" ".repeat(COLUMN + 1)}${text}`
    : `${spelled.padEnd(COLUMN)} ${text}`;
}
