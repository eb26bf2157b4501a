import { pick } from "../container/find.ts";
import { type Known, knownContainers } from "../container/list.ts";
import type { Roots } from "../container/mod.ts";
import { type Grammar, wrongUse } from "./grammar.ts";

/**
 * Does the same to each container that is named, and prints the names it worked for, as docker does.
 * What fails for one does not keep the others from it; all failures come together at the end.
 *
 * @returns 0
 * @throws {AggregateError} of the failures, for an exit status of 1
 */
export async function forEach(
  grammar: Grammar,
  roots: Roots,
  names: readonly string[],
  act: (known: Known) => Promise<void> | void,
): Promise<number> {
  if (names.length === 0) throw wrongUse(grammar, `"${grammar.command}" needs a container`);
  const known = knownContainers(roots);
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      await act(pick(known, name));
      console.log(name);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 0) return 0;
  throw new SomeFailed(failures);
}

/** Some of what was named could not be dealt with; the others were. Says nothing of its own. */
export class SomeFailed extends AggregateError {
  readonly exitCode = 1;
}
