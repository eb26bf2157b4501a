import { defaultSpec, printSpec } from "../spec/mod.ts";
import { UsageError } from "./usage_error.ts";

/**
 * `minictr spec`: prints the config.json of a container for which nothing was said.
 *
 * Equivalent to `runc spec`, which writes the file instead.
 */
export async function run(args: string[]): Promise<number> {
  if (args.length > 0) {
    throw new UsageError(`"spec" takes no operands; see it with \`minictr spec >config.json\``);
  }
  console.log(await printSpec(defaultSpec()));
  return 0;
}
