import type { RunOptions } from "../container/mod.ts";
import { explain } from "../plan/explain.ts";
import type { Step } from "../plan/mod.ts";
import type { Program } from "../stage/mod.ts";
import { timesIn } from "../stage/mod.ts";

/** One call of a traced start. */
interface TracedCall {
  call: string;
  /** What it returned: a result, or a negative error number. */
  result: string;
  microseconds: number;
}

interface TracedStep {
  side: "minictr" | "container";
  label: string;
  microseconds: number;
  calls: TracedCall[];
}

/** `run --trace`: prints every step with its result and time, on standard error, when it is done. */
export function traceTo(json: boolean): NonNullable<RunOptions["trace"]> {
  return ({ host, stage }, memory) => {
    const steps = [
      ...traced(host, host.bytes, "minictr"),
      ...traced(stage, memory, "container"),
    ];
    const text = json ? JSON.stringify(steps, null, 2) : textOf(steps);
    const bytes = new TextEncoder().encode(`${text}\n`);
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  };
}

function traced(program: Program, memory: Uint8Array, side: TracedStep["side"]): TracedStep[] {
  const explained = explain(program.steps, side);
  const made = new Map<number, TracedStep>();
  for (const { step, call, result, microseconds } of timesIn(program, memory)) {
    const source: Step | undefined = program.steps[step];
    const name = source?.calls[call]?.name;
    if (!source || !name) continue;
    let entry = made.get(step);
    if (!entry) {
      entry = { side, label: source.label, microseconds: 0, calls: [] };
      made.set(step, entry);
    }
    entry.microseconds += microseconds;
    const text = explained[step]?.calls.find((shown) => shown.index === call)?.text;
    if (text) entry.calls.push({ call: text, result: String(result), microseconds });
  }
  return [...made.values()];
}

function textOf(steps: TracedStep[]): string {
  const lines = steps.flatMap(({ side, label, microseconds, calls }) => [
    `${amount(microseconds)} ${side.padEnd(9)} ${label}`,
    ...calls.map(({ call, result, microseconds }) =>
      `${" ".repeat(20)}${amount(microseconds)} ${call} -> ${result}`
    ),
  ]);
  for (const side of ["minictr", "container"] as const) {
    const own = steps.filter((step) => step.side === side);
    const sum = own.reduce((total, { microseconds }) => total + microseconds, 0);
    lines.push(`${amount(sum)} ${side.padEnd(9)} in all, ${own.length} steps`);
  }
  return lines.join("\n");
}

function amount(microseconds: number): string {
  return `${microseconds.toFixed(1).padStart(9)} us`;
}
