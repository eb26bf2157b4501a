/** What a person reads of the checks; pure. */
import type { Check, Status } from "./check.ts";

/** How each status is marked. */
type Marks = Record<Status, string>;

const MARKS: Marks = { ok: "✔", warn: "!", fail: "✘", skip: "-" };
const PLAIN_MARKS: Marks = { ok: "+", warn: "!", fail: "x", skip: "-" };

/** Whether containers run here: whether no check failed. */
export function canRun(checks: readonly Check[]): boolean {
  return checks.every(({ status }) => status !== "fail");
}

/**
 * The checks under their headings, one line each; where something is amiss, below it what that means
 * and what to do; at the end one line that sums up.
 *
 * @param unicode whether the terminal shows more than ASCII
 * @param all what is summed up, where only some are shown
 */
export function reportText(
  checks: readonly Check[],
  unicode: boolean,
  all: readonly Check[] = checks,
): string {
  const marks = unicode ? MARKS : PLAIN_MARKS;
  const lines: string[] = [];
  let heading = "";
  for (const check of checks) {
    if (check.group !== heading) lines.push(...lines.length > 0 ? [""] : [], check.group);
    heading = check.group;
    lines.push(...checkLines(check, marks));
  }
  const text = [...lines, ...lines.length > 0 ? [""] : [], summary(all)].map(printable).join("\n");
  return unicode ? text : text.replace(/[^\n -~]/g, "?");
}

function checkLines({ status, what, found, consequence, remedy }: Check, marks: Marks): string[] {
  const line = `  ${marks[status]} ${what}: ${found}`;
  if (status === "ok" || status === "skip") return [line];
  return [line, `      ${consequence}.`, `      Remedy: ${remedy}`];
}

/** "41 ok, 2 warnings, 1 failure, 3 not tried: minictr cannot run containers here" */
export function summary(checks: readonly Check[]): string {
  const count = (wanted: Status, one: string, many: string) => {
    const number = checks.filter(({ status }) => status === wanted).length;
    return number === 0 ? [] : [`${number} ${number === 1 ? one : many}`];
  };
  const counts = [
    ...count("ok", "ok", "ok"),
    ...count("warn", "warning", "warnings"),
    ...count("fail", "failure", "failures"),
    ...count("skip", "not tried", "not tried"),
  ];
  return `${counts.join(", ")}: minictr ${canRun(checks) ? "can" : "cannot"} run containers here`;
}

/** Whether a locale's characters go beyond ASCII; locale(7), setlocale(3). */
export function isUnicodeLocale(env: (name: string) => string | undefined): boolean {
  const locale = env("LC_ALL") || env("LC_CTYPE") || env("LANG") || "";
  return /utf-?8/i.test(locale);
}

/** What was found may hold names from outside: nothing in it may steer the terminal. */
function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}]/gu, " ");
}
