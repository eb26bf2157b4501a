/**
 * Runs `minictr doctor --json` in surroundings that a test makes, and reads what it says.
 */
import assert from "assert";
import { type Ended, minictrCommand } from "./program.ts";
import type { Scratch } from "./scratch.ts";

/** One check, as `doctor --json` prints it. */
export interface Check {
  readonly id: string;
  readonly status: "ok" | "warn" | "fail" | "skip";
  readonly found: string;
  readonly consequence: string;
  readonly remedy: string;
}

/** The checks by their ids, and how the program ended. */
export interface Answer extends Ended {
  readonly checks: ReadonlyMap<string, Check>;
}

let plain: Promise<Answer> | undefined;

/** What doctor says of this machine; it is run once for all tests of a file. */
export function doctorHere(t: Scratch): Promise<Answer> {
  return plain ??= doctorIn(t, ["env"]);
}

/** Runs doctor behind some words (`unshare --net`), from a shell script in which "$@" is it. */
export async function doctorIn(
  t: Scratch,
  words: readonly string[],
  script = 'exec "$@"',
): Promise<Answer> {
  const command = [...minictrCommand(), "doctor", "--json"];
  await using program = t.start([...words, "sh", "-c", script, "sh", ...command], {
    env: { MINICTR_ROOT: t.root },
  });
  const ended = await program.ended;
  assert.ok(ended.out.startsWith("["), ended.err);
  const list: Check[] = JSON.parse(ended.out);
  return { ...ended, checks: new Map(list.map((check) => [check.id, check])) };
}
