/**
 * One table of the benchmark: what does the same thing, measured in turns, as Markdown.
 */
import type { Bench } from "./contenders.ts";
import { type Contender, measure, type Measured, median, ratio, whyNot } from "./pairs.ts";

/** Something that several programs can do. A new one is a file, and a line in `tables.ts`. */
export interface Comparison {
  /** As it is asked for on the command line. */
  name: string;
  /** What is done, above the table. */
  title: string;
  /** The first is what the others are compared with, unless it does not work here. */
  contenders(bench: Bench): readonly Contender[];
  /** Makes what all of them need; what it throws is the reason why the table is left out. */
  prepare?(bench: Bench): void;
  /** Takes away what `prepare` has made, or a part of it. */
  clear?(bench: Bench): void;
  /** Not slower than so many rounds allow: for what takes seconds. */
  mostRounds?: number;
  /** What each contender is, where its name does not say it. */
  meaning?: Readonly<Record<string, string>>;
}

/** Measures a comparison and returns its table, with the reasons of those that are left out. */
export function tableOf(comparison: Comparison, bench: Bench, rounds: number): string {
  const { title, mostRounds = Infinity, meaning = {} } = comparison;
  const heading = `### ${title}\n`;
  try {
    comparison.prepare?.(bench);
    const reasons: string[] = [];
    const able = comparison.contenders(bench).filter((contender) => {
      const reason = whyNot(contender);
      if (reason !== undefined) reasons.push(`- ${contender.name} is left out: ${reason}`);
      return reason === undefined;
    });
    const measured = measure(able, Math.min(rounds, mostRounds));
    return [heading, markdown(measured, meaning), "", ...reasons, ""].join("\n");
  } catch (error) {
    return `${heading}\nLeft out: ${error instanceof Error ? error.message : error}\n`;
  } finally {
    comparison.clear?.(bench);
  }
}

/** A table of medians, least times, and ratios to the first row's. */
export function markdown(
  measured: readonly Measured[],
  meaning: Readonly<Record<string, string>> = {},
): string {
  const [first] = measured;
  if (!first) return "Nobody can do this here.";
  const explains = measured.some(({ name }) => meaning[name] !== undefined);
  const row = (cells: string[]) => `| ${(explains ? cells : cells.slice(0, -1)).join(" | ")} |`;
  const rows = measured.map((one) =>
    row([
      one.name,
      median(one.times).toFixed(1),
      Math.min(...one.times).toFixed(1),
      ratio(one, first).toFixed(2),
      meaning[one.name] ?? "",
    ])
  );
  const head = row(["", "median, ms", "least, ms", `of ${first.name}'s`, "what"]);
  return [head, row(["---", "---:", "---:", "---:", "---"]), ...rows].join("\n");
}

/** Runs a command that must succeed; a container that it leaves behind keeps none of our pipes. */
export function done([command = "", ...args]: string[], env: Record<string, string> = {}): void {
  const { success } = new Deno.Command(command, {
    args,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).outputSync();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
}

/** Runs a command whose failure is no matter. */
export function tried([command = "", ...args]: string[], env: Record<string, string> = {}): void {
  try {
    new Deno.Command(command, { args, env, stdin: "null", stdout: "null", stderr: "null" })
      .outputSync();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
