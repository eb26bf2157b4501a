import { rootsBelow } from "../container/mod.ts";
import { KEPT_DESCRIPTOR } from "../plan/sleep.ts";
import { UsageError } from "./usage_error.ts";

const ID = /^[0-9a-f]+$/;
/** The descriptor at which a supervisor holds its container's lock. */
const LOCK_DESCRIPTOR = 5;

/**
 * `minictr ended [--restart] ID`: what a supervisor becomes when its container has ended, and what
 * the wait for a restart ends with; not for people.
 */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const [first, second] = args;
  const id = first === "--restart" ? second : first;
  // Nobody else has the lock at that descriptor: it would close what is not its own.
  if (id === undefined || !ID.test(id)) {
    throw new UsageError('"ended" is what a supervisor calls');
  }
  const roots = rootsBelow(root);
  if (first === "--restart") {
    const { afterWait } = await import("../container/start_again.ts");
    await afterWait(roots, id, KEPT_DESCRIPTOR);
  } else {
    const { afterEnd } = await import("../container/detached.ts");
    await afterEnd(roots, id, LOCK_DESCRIPTOR);
  }
  return 0;
}
