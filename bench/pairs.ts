/**
 * Measures whole processes against each other, in turns, so that what else the machine does meets
 * all of them alike.
 */

/** A command to be measured. */
export interface Contender {
  name: string;
  words: string[];
  env?: Record<string, string>;
}

/** What one contender took, in milliseconds, one number for each round. */
export interface Measured {
  name: string;
  times: number[];
}

/** The middle of some numbers; the mean of the two in the middle of an even count. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return (low + high) / 2;
}

/** The median over all rounds of a time divided by another's of the same round. */
export function ratio(of: Measured, to: Measured): number {
  return median(of.times.map((time, round) => time / (to.times[round] ?? NaN)));
}

/**
 * Runs each contender once per round, always in the same order, after three rounds that do not count.
 *
 * @throws {Error} when a command fails
 */
export function measure(contenders: readonly Contender[], rounds: number): Measured[] {
  const measured = contenders.map(({ name }) => ({ name, times: [] as number[] }));
  for (let round = -3; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const time = timeOf(contender);
      if (round >= 0) measured[index]?.times.push(time);
    }
  }
  return measured;
}

/** Milliseconds from before the process is made until it has been waited for. */
function timeOf({ name, words: [command = "", ...args], env = {} }: Contender): number {
  const child = new Deno.Command(command, {
    args,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  const start = performance.now();
  const { success, code } = child.outputSync();
  const time = performance.now() - start;
  if (!success) {
    throw new Error(`"${name}" failed with status ${code}: ${command} ${args.join(" ")}`);
  }
  return time;
}

/** Whether a contender works here: it is run once, and what it said is the reason if it fails. */
export function whyNot(
  { words: [command = "", ...args], env = {} }: Contender,
): string | undefined {
  try {
    const { success, stderr } = new Deno.Command(command, {
      args,
      env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).outputSync();
    if (success) return undefined;
    const lines = new TextDecoder().decode(stderr).trim().split("\n");
    return (lines.at(-1) ?? "it failed").slice(0, 120);
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "not installed" : String(error);
  }
}
