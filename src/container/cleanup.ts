import { type Fd, tryLock } from "../../ffi/mod.ts";
import { type CgroupHost, readCgroupHost } from "../cgroup/host.ts";
import { killAll } from "../cgroup/processes.ts";
import { remove } from "../cgroup/remove.ts";
import {
  readState,
  removeState,
  type Roots,
  type State,
  stateDirectories,
  UNSEEN,
} from "./state.ts";

const HALF_MADE_MS = 10_000;

/**
 * Takes away all that was made for a container: its processes, cgroup, writable layer and, last,
 * the state that tells of them. Carries on after a failure and reports all of them; what is gone
 * already is no failure.
 *
 * @throws {AggregateError}
 */
export async function cleanUp(
  roots: Roots,
  directory: string,
  state: State,
  host: CgroupHost,
): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async (act: () => void | Promise<void>) => {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) failures.push(error);
    }
  };
  if (!isRemoved(host, state.cgroup)) {
    await attempt(() => killAll(host, state.cgroup));
    await attempt(() => remove(host, state.cgroup));
  }
  if (state.networked) {
    const { giveBack } = await import("./networking.ts");
    await attempt(() => giveBack(roots, state.id, state.pid !== undefined));
  }
  if (state.anonymous) {
    const { removeAnonymous } = await import("./volumes.ts");
    failures.push(...removeAnonymous(roots, state.id, state.anonymous));
  }
  const { layer } = state;
  if (layer !== undefined) await attempt(() => Deno.removeSync(layer, { recursive: true }));
  if (failures.length === 0) await attempt(() => removeState(directory));
  if (failures.length > 0) {
    throw new AggregateError(failures, `cannot clean up container "${state.id}"`);
  }
}

/** Mostly all processes have ended, and that a cgroup can be removed is the shortest proof of it. */
function isRemoved(host: CgroupHost, cgroup: string): boolean {
  try {
    remove(host, cgroup, 0);
    return true;
  } catch {
    return false; // Its processes are ended next, and what is wrong is then told.
  }
}

/**
 * Cleans up after commands that died: the containers whose lock nobody holds.
 *
 * @returns how many there were
 */
export async function repair(roots: Roots, except: string): Promise<number> {
  let repaired = 0;
  let host: CgroupHost | undefined;
  for (const directory of stateDirectories(roots, true)) {
    if (directory === except) continue;
    const lock = abandoned(directory);
    if (!lock) continue;
    using _ = lock;
    const state = readState(directory);
    host ??= readCgroupHost();
    const { takeAway } = await import("./settle.ts");
    if (state) await takeAway(roots, directory, state, host);
    else Deno.removeSync(directory, { recursive: true });
    repaired++;
  }
  return repaired;
}

/** The lock of a directory that nobody holds; one that is being made may not have it yet. */
function abandoned(directory: string): Fd | undefined {
  try {
    const { mtime } = Deno.statSync(directory);
    const isNew = directory.includes(`/${UNSEEN}`);
    if (isNew && mtime && Date.now() - mtime.getTime() < HALF_MADE_MS) return undefined;
    return tryLock(`${directory}/lock`, isNew ? "new file" : "file") ?? undefined;
  } catch {
    return undefined; // Gone meanwhile.
  }
}
