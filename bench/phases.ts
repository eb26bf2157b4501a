/**
 * Where the time of one start goes.
 */
import { bundle } from "../tools/build/bundle.ts";
import { HOT_V8_FLAGS } from "../tools/build/programs.ts";
import { type Bench, denoRun } from "./contenders.ts";
import { median } from "./pairs.ts";

/** The floor of every start, as a whole process. */
export const BARE = "a bare Deno, from its start to its end";

/** Median milliseconds of a bare Deno, and of each phase of a start in the order of time. */
export async function phases(bench: Bench, rounds: number): Promise<Map<string, number>> {
  const all = new Map<string, number[]>();
  const note = (name: string, ms: number) => {
    const times = all.get(name);
    if (times) times.push(ms);
    else all.set(name, [ms]);
  };
  const cold = `${bench.scratch}/cold_start.js`;
  await bundle(`${bench.project}bench/cold_start.ts`, cold);
  for (let round = -2; round < rounds; round++) {
    const times = { [BARE]: bareDeno(bench), ...coldStart(bench, cold), ...traced(bench) };
    if (round < 0) continue;
    for (const [name, ms] of Object.entries(times)) note(name, ms);
  }
  return new Map(Array.from(all, ([name, times]) => [name, median(times)]));
}

function bareDeno({ scratch }: Bench): number {
  const [command = "", ...words] = denoRun(`${scratch}/nothing.js`);
  const start = performance.now();
  output(command, words, {}, "stdout");
  return performance.now() - start;
}

/** As the executable starts Deno: everything compiled at once, and kept. */
function coldStart({ scratch, bundle }: Bench, file: string): Record<string, number> {
  const [command = "", ...words] = denoRun(file);
  const env = {
    DENO_DIR: `${scratch}/deno`,
    DENO_V8_FLAGS: HOT_V8_FLAGS,
  };
  const made = performance.timeOrigin + performance.now();
  const args = [...words, bundle, `${made}`];
  return JSON.parse(output(command, args, env, "stdout"));
}

/** What `--trace` says of one start, which its clock calls slow down a little. */
function traced({ scratch, bundle, project }: Bench): Record<string, number> {
  const env = { MINICTR_PROGRAMS: `${scratch}/programs` };
  const args = ["run", "--trace", "--json", "--bundle", bundle];
  const steps: { side: string; microseconds: number }[] = JSON.parse(
    output(`${project}dist/minictr`, args, env, "stderr"),
  );
  const sum = (side: string) =>
    steps.reduce((ms, step) => step.side === side ? ms + step.microseconds / 1000 : ms, 0);
  return {
    "system calls of minictr (cgroups, sources, clone)": sum("minictr"),
    "system calls of the stage, until the command is executed": sum("container"),
  };
}

/** The largest memory minictr has had while a container waits, in KiB; proc_pid_status(5): VmHWM. */
export async function peakMemoryKib({ scratch, rootfs, project }: Bench): Promise<number> {
  const child = new Deno.Command(`${project}dist/minictr`, {
    args: ["run", "--network", "none", "--rootfs", rootfs, "sh", "-c", "echo up; sleep 1"],
    env: { MINICTR_PROGRAMS: `${scratch}/programs` },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
  await reader.cancel();
  await child.status;
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? NaN);
}

/** Which of these limits, with no swap beside them, a container of /bin/true starts in. */
export function memoryLimits({ scratch, rootfs, project }: Bench, limits: string[]): string[] {
  return limits.filter((limit) => {
    const memory = ["--memory", limit, "--memory-swap", limit];
    return new Deno.Command(`${project}dist/minictr`, {
      args: ["run", "--network", "none", ...memory, "--rootfs", rootfs, "/bin/true"],
      env: { MINICTR_PROGRAMS: `${scratch}/programs` },
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
  });
}

function output(
  command: string,
  args: string[],
  env: Record<string, string>,
  stream: "stdout" | "stderr",
): string {
  const result = new Deno.Command(command, { args, env, stdout: "piped", stderr: "piped" })
    .outputSync();
  const text = new TextDecoder().decode(result[stream]);
  if (!result.success) throw new Error(`${command} failed: ${text}`);
  return text;
}
