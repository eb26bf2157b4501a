import { SIGINT, SIGTERM } from "../../ffi/constants.ts";
import { rootsBelow } from "../container/mod.ts";
import { canRun, examine, isUnicodeLocale, reportText } from "../doctor/mod.ts";
import { parseCommandLine, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";

/** `doctor` */
export const DOCTOR = {
  command: "doctor",
  operands: "[--json]",
  summary: "Try what this host can do, and say what each lack means and how to mend it",
  groups: [{
    name: "common",
    title: "Options",
    flags: [
      { name: "json", help: "print the checks as JSON" },
      { name: "quiet", short: "q", help: "print only what is amiss, and the summary" },
    ],
  }],
  examples: [
    ["sudo minictr doctor", "all checks; without root those that can do without"],
    ["sudo minictr doctor --json", "the same for programs"],
  ],
} as const;

/**
 * `minictr doctor`: tries what this host can do.
 *
 * @param root the directory of `--root`, whose filesystem is looked at
 * @returns 0 when containers can be run here, otherwise 1; 128 + n when signal n stopped it
 */
export async function run(
  args: string[],
  root: string | undefined = Deno.env.get("MINICTR_ROOT"),
): Promise<number> {
  const { flags, operands, help } = parseCommandLine(DOCTOR, args);
  if (help) {
    console.log(helpText(DOCTOR));
    return 0;
  }
  if (operands.length > 0) throw wrongUse(DOCTOR, `unexpected operand "${operands[0]}"`);
  let stoppedBy = 0;
  Deno.addSignalListener("SIGINT", () => stoppedBy = SIGINT);
  Deno.addSignalListener("SIGTERM", () => stoppedBy = SIGTERM);
  const checks = await examine(rootsBelow(root || undefined), () => stoppedBy > 0);
  if (stoppedBy > 0) return 128 + stoppedBy;
  const shown = flags.quiet
    ? checks.filter(({ status }) => status === "warn" || status === "fail")
    : checks;
  if (flags.json) console.log(JSON.stringify(shown, null, 2));
  else console.log(reportText(shown, isUnicodeLocale((name) => Deno.env.get(name)), checks));
  return canRun(checks) ? 0 : 1;
}
