import { SIGKILL, sleep, tryLock, trySyscall } from "../../ffi/mod.ts";
import { type CgroupHost, readCgroupHost } from "../cgroup/host.ts";
import { cleanUp } from "./cleanup.ts";
import { readDefinition } from "./definition.ts";
import { noteEnd } from "./end.ts";
import { ContainerError } from "./find.ts";
import { isWaiting } from "./live.ts";
import { readState, type Roots, type State, stateDirectory } from "./state.ts";

const LOCK_WAIT_MS = 60_000, POLL_MS = 10;

/**
 * Waits until whoever holds the lock of a run has cleaned up after it; cleans up itself where nobody
 * does. Another run that has begun since is not waited for. Not for whoever holds the container's
 * definition: cleaning up may need that.
 *
 * @throws {ContainerError} after a time
 */
export async function settled(roots: Roots, { id, created }: State): Promise<void> {
  const directory = stateDirectory(roots, id);
  const current = () => {
    const state = readState(directory);
    return state?.created === created ? state : undefined;
  };
  for (const until = performance.now() + LOCK_WAIT_MS;;) {
    if (!current()) return;
    {
      using lock = tryLock(`${directory}/lock`);
      const state = lock && current();
      if (state) return await takeAway(roots, directory, state);
    }
    if (performance.now() >= until) {
      throw new ContainerError(`container "${id.slice(0, 12)}" is held by another command`);
    }
    sleep(POLL_MS);
  }
}

/** Notes the end of a run that nobody is responsible for any more, and takes away what it made. */
export async function takeAway(
  roots: Roots,
  directory: string,
  state: State,
  host: CgroupHost = readCgroupHost(),
): Promise<void> {
  try {
    await noteEnd(roots, state, host);
  } finally {
    await cleanUp(roots, directory, state, host);
  }
  if (state.waiter || readDefinition(roots, state.id)) return;
  // A run that leaves nothing, and whose minictr was killed: nobody saw how it ended.
  const { noteDeath, noteGone } = await import("./run_events.ts");
  if (state.pid !== undefined) noteDeath(roots, state, { status: 128 + SIGKILL, oomKilled: false });
  noteGone(roots, state);
}

/** Ends the wait for a restart; what it held is then free, and is cleaned up by {@link settled}. */
export function endWait(state: State): void {
  if (!isWaiting(state)) return;
  const pidfd = trySyscall("pidfd_open", state.waiter.pid, 0);
  if (pidfd < 0) return; // It has ended.
  if (isWaiting(state)) trySyscall("pidfd_send_signal", pidfd, SIGKILL, 0, 0);
  trySyscall("close", pidfd);
}
