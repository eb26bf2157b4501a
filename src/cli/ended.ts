import { rootsBelow } from "../container/mod.ts";
import { afterEnd } from "../container/detached.ts";
import { UsageError } from "./usage_error.ts";

/** The descriptor at which a supervisor holds its container's lock. */
const LOCK_DESCRIPTOR = 5;

/** `minictr ended ID`: what a supervisor becomes when its container has ended; not for people. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const [id] = args;
  if (id === undefined) throw new UsageError('"ended" is what a supervisor calls');
  await afterEnd(rootsBelow(root), id, LOCK_DESCRIPTOR);
  return 0;
}
