import { changeDefinition } from "./definition.ts";
import { noteEvent } from "./events.ts";
import { ContainerError } from "./find.ts";
import { holdDefinition } from "./hold.ts";
import type { Known } from "./list.ts";
import { claimName } from "./claim.ts";
import { readState, type Roots, stateDirectory, writeState } from "./state.ts";

/**
 * Gives a container another name. On the networks that it is on it has the old one until it is
 * started again.
 *
 * @throws {ContainerError} if the name is taken, or nothing lasts of the container
 */
export async function renameContainer(roots: Roots, known: Known, name: string): Promise<void> {
  const { id } = known;
  if (!known.definition) {
    throw new ContainerError(
      `cannot rename "${known.name}": it runs in the foreground of its minictr`,
    );
  }
  using held = holdDefinition(roots, id);
  const { definition } = held;
  if (definition.name === name) {
    throw new ContainerError(`cannot rename "${name}": that is its name already`);
  }
  using _ = await claimName(roots, name);
  const { network } = definition;
  const renamed = { ...definition, name, ...network ? { network: { ...network, name } } : {} };
  changeDefinition(roots, renamed);
  const directory = stateDirectory(roots, id);
  const state = readState(directory);
  try {
    if (state) writeState(directory, { ...state, name });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // It has ended meanwhile.
  }
  noteEvent(roots, "rename", renamed, { oldName: definition.name });
}
