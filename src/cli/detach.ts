import { startDetached } from "../container/detached.ts";
import { holdDefinition } from "../container/hold.ts";
import type { RunOptions } from "../container/mod.ts";
import { define, type Line } from "./define.ts";
import type { RunSpec } from "./run_spec.ts";

/** `run -d`: writes the container down, starts it under a supervisor, and prints its id. */
export async function detach(options: RunOptions, made: RunSpec, line: Line): Promise<number> {
  await define(options, made, line);
  using held = await holdDefinition(options.roots, options.id);
  await startDetached(held.definition, made.spec, options);
  console.log(options.id);
  return 0;
}
