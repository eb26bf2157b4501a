import { rootsBelow } from "../container/mod.ts";
import { removeContainer } from "../container/remove.ts";
import { forEach } from "./containers.ts";
import { parseCommandLine } from "./grammar.ts";
import { helped } from "./lifecycle.ts";
import { RM } from "./lifecycle_flags.ts";

/** `minictr rm` */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseCommandLine(RM, args);
  if (helped(RM, help)) return 0;
  const roots = rootsBelow(root);
  return await forEach(
    RM,
    roots,
    operands,
    (known) => removeContainer(roots, known, flags),
  );
}
