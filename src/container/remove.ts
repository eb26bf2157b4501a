import { readDefinition } from "./definition.ts";
import { ContainerError } from "./find.ts";
import { forget } from "./forget.ts";
import { holdDefinition } from "./hold.ts";
import { isRunning, isWaiting } from "./live.ts";
import type { Known } from "./list.ts";
import { settled } from "./settle.ts";
import { readState, type Roots, type State, stateDirectory } from "./state.ts";
import { endRun } from "./stop.ts";

const SIGKILL = 9;
const ROUNDS = 20;

/**
 * Takes a container away with all that is kept of it.
 *
 * @param how force: it is killed if it runs; volumes: those that nobody has named go with it
 * @throws {ContainerError} if it runs and is not to be killed
 */
export async function removeContainer(
  roots: Roots,
  known: Known,
  { force, volumes }: { force: boolean; volumes: boolean },
): Promise<void> {
  const { id, name, definition } = known;
  for (let round = 0; round < ROUNDS; round++) {
    const state = readState(stateDirectory(roots, id));
    const runs = state && (isRunning(state) ? "runs" : isWaiting(state) && "is being restarted");
    if (runs) {
      if (!force) {
        throw new ContainerError(
          `container "${name}" ${runs}: stop it first, or remove it with -f`,
        );
      }
      await endRun(roots, { ...known, state }, SIGKILL, 0);
    }
    if (!definition) return state && await settled(roots, state);
    if (!readDefinition(roots, id)) {
      if (force) return; // It was one that is taken away when it ends.
      throw new ContainerError(`there is no container "${name}" any more`);
    }
    if (await removeIfStill(roots, id, volumes)) return;
  }
  throw new ContainerError(`cannot remove "${name}": other commands start it`);
}

/** Removes a container unless it is being run; then waits for what is going on to be over. */
async function removeIfStill(roots: Roots, id: string, volumes: boolean): Promise<boolean> {
  let state: State | undefined;
  {
    using held = holdDefinition(roots, id);
    state = readState(stateDirectory(roots, id));
    if (!state) {
      const { definition } = held;
      await forget(roots, definition, volumes || definition.remove);
      return true;
    }
    if (isRunning(state) || isWaiting(state)) return false; // It was started meanwhile.
  }
  await settled(roots, state);
  return false;
}
