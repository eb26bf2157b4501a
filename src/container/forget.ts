import { type Definition, removeDefinition } from "./definition.ts";
import { noteEvent } from "./events.ts";
import type { Roots } from "./state.ts";

/**
 * Takes away all that is kept of a container that does not run; its definition is held.
 *
 * @param volumes whether those that nobody has named go with it
 * @throws {AggregateError} if such a volume cannot be removed
 */
export async function forget(
  roots: Roots,
  definition: Definition,
  volumes: boolean,
): Promise<void> {
  const { id, volumes: used = [] } = definition;
  removeDefinition(roots, id);
  noteEvent(roots, "destroy", definition);
  if (!volumes || !used.some(({ anonymous }) => anonymous)) return;
  const { removeAnonymous } = await import("./volumes.ts");
  const failures = removeAnonymous(roots, id, used.map(({ name }) => name));
  if (failures.length > 0) throw new AggregateError(failures, "cannot remove anonymous volumes");
}
