import { readCgroupHost } from "../cgroup/host.ts";
import { cleanUp } from "./cleanup.ts";
import { removeDefinition } from "./definition.ts";
import { ContainerError } from "./find.ts";
import { isRunning } from "./live.ts";
import type { Known } from "./list.ts";
import { lockFile, readState, type Roots, stateDirectory } from "./state.ts";
import { stopContainer } from "./stop.ts";

const SIGKILL = 9;
const LOCK_WAIT_MS = 10_000, POLL_MS = 20;

/**
 * Takes a container away with all that is kept of it.
 *
 * @param force whether it is killed if it runs
 * @throws {ContainerError} if it runs and is not to be killed
 */
export async function removeContainer(roots: Roots, known: Known, force: boolean): Promise<void> {
  const { id, name, state } = known;
  if (state && isRunning(state)) {
    if (!force) {
      throw new ContainerError(`container "${name}" runs: stop it first, or remove it with -f`);
    }
    await stopContainer(known, SIGKILL, 0);
  }
  await settled(roots, id);
  removeDefinition(roots, id);
}

/**
 * Waits until whoever holds the container's lock has cleaned up; cleans up itself where nobody does.
 */
export async function settled(roots: Roots, id: string): Promise<void> {
  const directory = stateDirectory(roots, id);
  for (const until = performance.now() + LOCK_WAIT_MS;;) {
    const state = readState(directory);
    if (!state) return;
    {
      using lock = lockFile(`${directory}/lock`);
      if (lock) return await cleanUp(roots, directory, state, readCgroupHost());
    }
    if (performance.now() >= until) {
      throw new ContainerError(`container "${id.slice(0, 12)}" is held by another command`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
