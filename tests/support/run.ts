/**
 * The name and directory of one run of the suite. Everything that a test makes (files, mounts,
 * control groups, processes, containers) carries this name, which holds the process id and start
 * time of the run: what a killed run left is recognised and removed by the next one.
 */

/** Below TMPDIR, made when first asked for; MINICTR_TEST_RUN is the runner's, which gives the tests
 * a TMPDIR inside of it. */
export const RUN_DIRECTORY = Deno.env.get("MINICTR_TEST_RUN") ??
  `${temporaryDirectory()}/${nameFor(Deno.pid)}`;

/** `minictr-test-PID-STARTTIME` of the runner, or of this process where there is no runner. */
export const RUN_NAME = RUN_DIRECTORY.slice(RUN_DIRECTORY.lastIndexOf("/") + 1);

/** In the virtual machine every process start costs some twenty times as much. */
export const IN_VM = Deno.env.get("MINICTR_VM") === "1";

/** The checkout. */
export const PROJECT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** The run's name for the process `pid`: its start time (clock ticks since boot, proc(5)) tells it
 * from an earlier process with the same number. */
export function nameFor(pid: number): string {
  return `minictr-test-${pid}-${startTime(pid) ?? 0}`;
}

/** Whether the process that a run is named after is still there. */
export function isAlive(runName: string): boolean {
  const [pid, started] = runName.replace("minictr-test-", "").split("-").map(Number);
  return pid !== undefined && startTime(pid) === started;
}

/** A new directory of the run, named RUN_NAME-XXXX: unique beyond the directory too. */
export function makeDirectory(): string {
  Deno.mkdirSync(RUN_DIRECTORY, { recursive: true, mode: 0o755 });
  const directory = Deno.makeTempDirSync({ dir: RUN_DIRECTORY, prefix: `${RUN_NAME}-` });
  Deno.chmodSync(directory, 0o755); // Other users' containers have their roots in it.
  return directory;
}

/** Directories of earlier runs whose process is gone. */
export function deadRuns(): string[] {
  return [...Deno.readDirSync(temporaryDirectory())]
    .map((entry) => entry.name)
    .filter((name) => /^minictr-test-\d+-\d+$/.test(name) && !isAlive(name))
    .map((name) => `${temporaryDirectory()}/${name}`);
}

function temporaryDirectory(): string {
  return Deno.env.get("TMPDIR") ?? "/tmp";
}

function startTime(pid: number): number | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // Field 22; the second, the command's name, may hold blanks and brackets.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  } catch {
    return undefined;
  }
}
