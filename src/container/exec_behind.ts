/**
 * A further process in the background. Its parent is a stage that waits for it: the container's own
 * first process may be a program that never reaps, and minictr does not stay.
 */
import { trySyscall } from "../../ffi/mod.ts";
import { planAwaited, WAIT_STATUS_SIZE } from "../plan/awaited.ts";
import type { ContainerPlan } from "../plan/mod.ts";
import type { Process } from "../spec/mod.ts";
import type { Subject } from "./events.ts";
import { type ExecOptions, type Joined, planJoin } from "./exec.ts";
import { newExecId, noteExec, noteExecEnd } from "./exec_events.ts";
import { selfCommand, selfEnvironment } from "./self.ts";
import { assemblePlan, start, type StartOptions } from "./start.ts";
import type { Roots } from "./state.ts";

/** What is known of an execution when it begins, and told of its end. */
interface Note {
  execId: string;
  container: Subject;
}

/** The plan of a further process in the background, which is told of by this id. */
export function planBehind(
  joined: Joined,
  process: Process,
  options: ExecOptions,
  execId: string = newExecId(),
): Promise<ContainerPlan> {
  const { id, name, image, labels } = joined.state;
  const container = { id, name, ...image === undefined ? {} : { image }, labels: labels ?? {} };
  const note: Note = { execId, container };
  return planJoin(joined, process, options, (process, around) =>
    planAwaited(process, around, {
      note: new TextEncoder().encode(JSON.stringify(note)),
      argv: selfCommand(options.roots, ["ended", "--exec"]),
      env: selfEnvironment(),
      title: `minictr-waits for a process in ${name}`,
    }));
}

/**
 * Starts a further process in the background.
 *
 * @throws {StartError} when a step failed
 */
export async function execBehind(
  joined: Joined,
  process: Process,
  options: ExecOptions,
  startOptions: StartOptions,
): Promise<void> {
  const execId = newExecId();
  const plan = await planBehind(joined, process, options, execId);
  const started = start(assemblePlan(plan, startOptions), startOptions);
  options.onStart?.(started.pid);
  noteExec(options.roots, joined.state, process, execId);
  // Its end is told of from now on, and not before its beginning.
  if (started.line !== undefined) trySyscall("close", started.line);
}

/**
 * What the stage becomes in the end: tells of it, unless all of minictr's is gone meanwhile.
 *
 * @param handed its memory file, opened
 * @returns whether it is one
 */
export function afterExec(roots: Roots, handed: Deno.FsFile): boolean {
  const size = handed.statSync().size;
  if (size <= WAIT_STATUS_SIZE) return false;
  const bytes = new Uint8Array(size);
  handed.readSync(bytes);
  const waited = new DataView(bytes.buffer).getUint32(0, true);
  const note = parseNote(new TextDecoder().decode(bytes.subarray(WAIT_STATUS_SIZE)));
  if (!note) return false;
  const signal = waited & 0x7f; // wait(2), WTERMSIG and WEXITSTATUS.
  const status = signal === 0 ? waited >> 8 & 0xff : 128 + signal;
  if (isThere(roots.run)) noteExecEnd(roots, note.container, { execId: note.execId, status });
  return true;
}

function parseNote(text: string): Note | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isNote(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isNote(value: unknown): value is Note {
  return typeof value === "object" && value !== null && "execId" in value && "container" in value &&
    typeof value.container === "object" && value.container !== null && "id" in value.container;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
