import { pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import { rootsBelow } from "../container/mod.ts";
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
  const all = knownContainers(roots);
  for (const known of operands.map((name) => pick(all, name))) console.log(reasonOf(roots, known));
  return 0;
}
