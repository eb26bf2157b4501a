import { pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import { rootsBelow } from "../container/mod.ts";
import { renameContainer } from "../container/rename.ts";
import { type Grammar, parseCommandLine, parsed, wrongUse } from "./grammar.ts";
import { helped } from "./lifecycle.ts";
import { parseName } from "./name.ts";

/** `rename` */
export const RENAME: Grammar = {
  command: "rename",
  operands: "CONTAINER NAME",
  summary: "Give a container another name",
  examples: [["minictr rename web www", "its id stays"]],
  groups: [],
};

/** `minictr rename` */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { operands, help } = parseCommandLine(RENAME, args);
  if (helped(RENAME, help)) return 0;
  const [old, text, ...more] = operands;
  if (old === undefined || text === undefined || more.length > 0) {
    throw wrongUse(RENAME, '"rename" needs a container and its new name');
  }
  const roots = rootsBelow(root);
  await renameContainer(
    roots,
    pick(knownContainers(roots), old),
    parsed("rename", text, parseName),
  );
  return 0;
}
