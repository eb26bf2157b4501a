import { Fd } from "../../ffi/mod.ts";
import { readCgroupHost } from "../cgroup/host.ts";
import type { Spec } from "../spec/mod.ts";
import { cleanUp } from "./cleanup.ts";
import { dataDirectory, markStopped, readDefinedSpec, removeIfThere } from "./definition.ts";
import { startDetached } from "./detached.ts";
import { ContainerError } from "./find.ts";
import { type HeldDefinition, holdDefinition } from "./hold.ts";
import { isRunning } from "./live.ts";
import type { RunOptions } from "./make.ts";
import type { Known } from "./list.ts";
import { endWait, settled } from "./settle.ts";
import { readState, type Restarts, type Roots, type State, stateDirectory } from "./state.ts";

const ROUNDS = 20;

/** How a container whose definition is held is started. */
export type Start = (
  held: HeldDefinition,
  spec: Spec,
  options: RunOptions,
  restarts?: Restarts,
) => Promise<unknown>;

const inBackground: Start = async ({ definition }, spec, options, restarts) =>
  await startDetached(definition, spec, options, restarts);

/**
 * Starts a container that does not run, from what was written down of it; one that waits for its
 * restart policy does so no longer.
 *
 * @param start in the background, or otherwise
 * @returns whether it was this command that started it
 * @throws {ContainerError} if nothing is kept of it
 */
export async function startAgain(
  roots: Roots,
  { id, name, definition }: Known,
  start: Start = inBackground,
): Promise<boolean> {
  if (!definition) {
    throw new ContainerError(`cannot start "${name}": it runs in the foreground of its minictr`);
  }
  for (let round = 0; round < ROUNDS; round++) {
    let state: State | undefined;
    {
      using held = holdDefinition(roots, id);
      state = readState(stateDirectory(roots, id));
      if (!state) {
        markStopped(roots, id, false);
        await startHeld(roots, held, undefined, start);
        return true;
      }
      if (isRunning(state)) return false;
      endWait(state);
    }
    await settled(roots, state); // Not while it is held: who cleans up may have to hold it.
  }
  throw new ContainerError(`cannot start "${name}": other commands start and stop it`);
}

/** Starts a container whose definition is held; see {@link startDetached}. */
async function startHeld(
  roots: Roots,
  held: HeldDefinition,
  restarts?: Restarts,
  start: Start = inBackground,
): Promise<void> {
  const { definition } = held;
  const { id, name, root, image, labels, init, mapRoot, etc, createSources, volumes } = definition;
  const network = definition.network &&
    (await import("./membership.ts")).requestNow(roots, definition.network);
  const spec = await readDefinedSpec(roots, id);
  for (const file of ["exit", "end.json"]) removeIfThere(`${dataDirectory(roots, id)}/${file}`);
  await start(
    held,
    spec,
    {
      id,
      name,
      roots,
      root,
      image,
      labels,
      interactive: definition.interactive ?? false,
      init,
      mapRoot,
      createSources,
      ...volumes ? { volumes } : {},
      ...await filterOf(spec),
      etc,
      ...network ? { network } : {},
    },
    restarts,
  );
}

async function filterOf({ linux }: Awaited<ReturnType<typeof readDefinedSpec>>) {
  if (!linux?.seccomp) return {};
  const { filterOf } = await import("../plan/seccomp/mod.ts");
  return { seccomp: await filterOf(linux.seccomp, Deno.build.arch) };
}

/**
 * What a wait ends with: the container is started again, unless it was stopped meanwhile.
 *
 * @param lockDescriptor holds the lock of the wait
 */
export async function afterWait(roots: Roots, id: string, lockDescriptor: number): Promise<void> {
  using lock = new Fd(lockDescriptor);
  const directory = stateDirectory(roots, id);
  using held = holdDefinition(roots, id);
  const state = readState(directory);
  if (!state?.waiter) return;
  await cleanUp(roots, directory, state, readCgroupHost());
  lock.close();
  if (!held.definition.restart) return;
  await startHeld(roots, held, state.restarts);
}
