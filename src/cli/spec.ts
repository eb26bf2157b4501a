import { defaultSpec, printSpec } from "../spec/mod.ts";
import { type Grammar, parseCommandLine, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";

/** `spec` */
export const SPEC: Grammar = {
  command: "spec",
  operands: "",
  summary: "Print a default config.json",
  examples: [["minictr spec >config.json", "runc spec writes the file itself"]],
  groups: [],
};

/**
 * `minictr spec`: prints the config.json of a container for which nothing was said.
 *
 * Equivalent to `runc spec`, which writes the file instead.
 */
export async function run(args: string[]): Promise<number> {
  const { operands, help } = parseCommandLine(SPEC, args);
  if (help) {
    console.log(helpText(SPEC));
    return 0;
  }
  if (operands.length > 0) throw wrongUse(SPEC, `unexpected operand "${operands[0]}"`);
  console.log(await printSpec(defaultSpec()));
  return 0;
}
