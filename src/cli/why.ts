import { pick } from "../container/find.ts";
import { type Known, knownContainers } from "../container/list.ts";
import { isRunning } from "../container/live.ts";
import { type Roots, rootsBelow } from "../container/mod.ts";
import { reasonOf } from "../container/why.ts";
import { parseCommandLine, wrongUse } from "./grammar.ts";
import { helped } from "./lifecycle.ts";
import { WHY } from "./lifecycle_flags.ts";

/** `minictr why`: in a sentence or two, why a container ended, or does not run. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { operands, help } = parseCommandLine(WHY, args);
  if (helped(WHY, help)) return await Promise.resolve(0);
  if (operands.length === 0) throw wrongUse(WHY, '"why" needs a container');
  const roots = rootsBelow(root);
  for (const name of operands) {
    const known = pick(knownContainers(roots), name);
    await noted(roots, known);
    console.log(reasonOf(roots, pick(knownContainers(roots), known.id)));
  }
  return 0;
}

/** Of one that has just ended, whoever cleans up notes how before it is done. */
async function noted(roots: Roots, { state }: Known): Promise<void> {
  if (!state || state.pid === undefined || isRunning(state)) return;
  await (await import("../container/settle.ts")).settled(roots, state);
}
