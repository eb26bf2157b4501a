import { OCI_VERSION } from "../spec/defaults.ts";
import { type Grammar, parseCommandLine, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";

/** The release, as deno.json names it. */
export const VERSION = "0.1.0";

/** `--format`, of commands that print one thing. */
export const TEXT_OR_JSON = {
  name: "format",
  short: "f",
  value: "FORMAT",
  help: "how to print",
  choices: ["text", "json"],
  default: "text",
} as const;

/** `version` */
export const VERSION_GRAMMAR = {
  command: "version",
  operands: "",
  summary: "Print the versions of minictr and of what it runs on",
  examples: [
    ["minictr version", "one line each"],
    ["minictr version --format json", "for programs"],
    ["minictr --version", "the same as version --short"],
  ],
  groups: [{
    name: "version",
    title: "Options",
    flags: [
      TEXT_OR_JSON,
      { name: "short", help: "the lines of `runc --version`, which engines read" },
    ],
  }],
} as const satisfies Grammar;

/** What `minictr version --format json` prints; the names are docker's. */
export interface Versions {
  Version: string;
  OciVersion: string;
  DenoVersion: string;
  V8Version: string;
  KernelVersion: string;
  Os: string;
  /** Go's word, as docker's: "amd64". */
  Arch: string;
}

/** The versions of this program and of what it runs on. */
export function versions(): Versions {
  return {
    Version: VERSION,
    OciVersion: OCI_VERSION,
    DenoVersion: Deno.version.deno,
    V8Version: Deno.version.v8,
    KernelVersion: Deno.osRelease(),
    Os: Deno.build.os,
    Arch: Deno.build.arch === "x86_64" ? "amd64" : "arm64",
  };
}

/** `minictr version`: docker's lines. */
export function run(args: string[]): Promise<number> {
  const { flags, operands, help } = parseCommandLine(VERSION_GRAMMAR, args);
  if (help) console.log(helpText(VERSION_GRAMMAR));
  else if (operands.length > 0) {
    throw wrongUse(VERSION_GRAMMAR, `unexpected operand "${operands[0]}"`);
  } else if (flags.format === "json") console.log(JSON.stringify(versions()));
  else console.log(flags.short ? short(versions()) : text(versions()));
  return Promise.resolve(0);
}

function short({ Version, OciVersion, DenoVersion }: Versions): string {
  return `minictr version ${Version}\nspec: ${OciVersion}\ndeno: ${DenoVersion}`;
}

function text(of: Versions): string {
  const rows = [
    ["Version", of.Version],
    ["OCI runtime spec", of.OciVersion],
    ["Deno", `${of.DenoVersion} (V8 ${of.V8Version})`],
    ["OS/Arch", `${of.Os}/${of.Arch}`],
    ["Kernel", of.KernelVersion],
  ];
  return rows.map(([name, value]) => `${`${name}:`.padEnd(18)}${value}`).join("\n");
}
