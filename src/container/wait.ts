import { pause } from "../../ffi/mod.ts";
import { readExit } from "./definition.ts";
import { ContainerError } from "./find.ts";
import { isRunning, isWaiting } from "./live.ts";
import type { Known } from "./list.ts";
import { settled } from "./settle.ts";
import { readState, type Roots, stateDirectory } from "./state.ts";
import { ended } from "./stop.ts";

/** What is told of a container whose end nobody saw: it was killed with its supervisor. */
const UNSEEN = 137;
const POLL_MS = 10, NOTED_WITHIN_MS = 5000;

/**
 * Waits until a container does not run: for its next end, if a policy will start it again.
 *
 * @returns its exit status as a shell shows it; 0 for one that was never started, as in docker
 * @throws {ContainerError} for a container in the foreground, whose status only its minictr is told
 */
export async function endOf(roots: Roots, { id, name, definition }: Known): Promise<number> {
  const directory = stateDirectory(roots, id);
  let state = readState(directory);
  while (state && isWaiting(state)) {
    await pause(POLL_MS);
    state = readState(directory);
  }
  if (state) await ended(state);
  if (!definition) {
    throw new ContainerError(`container "${name}" has ended; its minictr alone knows how`);
  }
  // The supervisor notes it as soon as it has seen it, and whoever cleans up may remove it then.
  for (const until = performance.now() + NOTED_WITHIN_MS; performance.now() < until;) {
    const exit = readExit(roots, id);
    if (exit) return exit.status;
    const now = readState(directory);
    if (!now || (!isRunning(now) && !isAlive(now.supervisor))) break;
    await pause(POLL_MS);
  }
  const exit = readExit(roots, id);
  if (!state && !exit) return definition.started ? UNSEEN : 0;
  if (!exit && state) await settled(roots, state);
  return exit?.status ?? UNSEEN;
}

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && Deno.statSync(`/proc/${pid}`).isDirectory;
  } catch {
    return false;
  }
}
