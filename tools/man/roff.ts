/**
 * Pages for man(1), in the macros of man(7).
 */
import type { Flag, Grammar } from "../../src/cli/grammar.ts";
import { VERSION } from "../../src/cli/version.ts";
import { fragment } from "./markdown.ts";

/** "minictr-network-create.1" */
export function pageName({ command }: Grammar): string {
  return `minictr-${command.replaceAll(" ", "-")}.1`;
}

/** The page of one command. */
export function manPage(grammar: Grammar): string {
  const { command, operands, summary, groups, examples } = grammar;
  const title = `minictr-${command.replaceAll(" ", "-")}`;
  const shown = groups.map(({ title, flags }) => ({
    title,
    flags: flags.filter(({ aliasOf }) => aliasOf === undefined),
  })).filter(({ flags }) => flags.length > 0);
  return lines(
    head(title),
    [".SH NAME", `${text(title)} \\- ${text(fragment(summary))}`],
    [".SH SYNOPSIS", `.B ${text(`minictr ${command}`)}`],
    shown.length > 0 ? ["[\\fIoption\\fR ...]"] : [],
    operands === "" ? [] : [text(operands)],
    [".SH DESCRIPTION", `${text(summary)}.`],
    shown.length > 0 ? [".SH OPTIONS"] : [],
    shown.flatMap(({ title, flags }) => [
      ...(shown.length > 1 ? [`.SS ${text(title)}`] : []),
      ...flags.flatMap(option),
    ]),
    [".SH EXAMPLES"],
    examples.flatMap(([line, does]) => [".TP", `.B ${text(line)}`, text(does)]),
    EXIT_STATUS,
    [".SH SEE ALSO", ".BR minictr (1)"],
  );
}

/** minictr(1). */
export function mainPage(all: readonly Grammar[]): string {
  return lines(
    head("minictr"),
    [
      ".SH NAME",
      "minictr \\- container engine and OCI runtime in one executable, without a daemon",
    ],
    [
      ".SH SYNOPSIS",
      ".B minictr",
      "[\\fB\\-\\-root\\fR \\fIDIR\\fR] \\fICOMMAND\\fR [\\fIoption\\fR ...]",
    ],
    [".SH COMMANDS"],
    all.flatMap((grammar) => [
      ".TP",
      `.BR ${text(pageName(grammar).replace(/\.1$/, ""))} (1)`,
      text(fragment(grammar.summary)),
    ]),
    [".SH OPTIONS"],
    [".TP", "\\fB\\-\\-root\\fR \\fIDIR\\fR", "keep everything below this directory"],
    [".TP", "\\fB\\-v\\fR, \\fB\\-\\-version\\fR", "print the versions"],
    ENVIRONMENT,
    FILES,
    EXIT_STATUS,
    [".SH SEE ALSO", ".BR namespaces (7),", ".BR cgroups (7),", ".BR capabilities (7)"],
  );
}

const EXIT_STATUS = [
  ".SH EXIT STATUS",
  ".TP",
  ".B 125",
  "minictr itself failed, or the command line is wrong",
  ".TP",
  ".B 126",
  "the command in the container cannot be executed",
  ".TP",
  ".B 127",
  "it was not found",
  ".TP",
  ".B 128 + n",
  "signal n has ended it",
  ".PP",
  "Otherwise the status of the command in the container, or 0.",
];

const ENVIRONMENT = [
  ".SH ENVIRONMENT",
  ".TP",
  ".B MINICTR_ROOT",
  "as \\fB\\-\\-root\\fR",
  ".TP",
  ".B MINICTR_PROGRAMS",
  "where the portable executable unpacks itself, instead of /var/lib/minictr/programs",
];

const FILES = [
  ".SH FILES",
  ".TP",
  ".I /var/lib/minictr",
  "root filesystems, containers, logs: what lasts",
  ".TP",
  ".I /run/minictr",
  "what runs: a reboot takes it away",
];

function option({ name, short, value, help, default: preset, choices }: Flag): string[] {
  const letter = short === undefined ? "" : `\\fB\\-${short}\\fR, `;
  const operand = value === undefined ? "" : ` \\fI${text(value)}\\fR`;
  const notes = [
    ...(choices ? [choices.join("|")] : []),
    ...(preset === undefined ? [] : [`default: ${preset}`]),
  ];
  const what = `${help}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`;
  return [".TP", `${letter}\\fB\\-\\-${text(name)}\\fR${operand}`, text(what)];
}

function head(title: string): string[] {
  return [`.TH ${title.toUpperCase()} 1 "" "minictr ${VERSION}" "minictr"`];
}

/** A text that roff takes literally: no escapes, no requests, dashes that can be copied. */
export function text(words: string): string {
  const plain = words.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...")
    .replaceAll("–", "\\(en").replaceAll("×", "\\(mu").replaceAll("µ", "\\(mc");
  return /^[.']/.test(plain) ? `\\&${plain}` : plain;
}

function lines(...parts: readonly string[][]): string {
  return `${parts.flat().join("\n")}\n`;
}
