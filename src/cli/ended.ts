import { type Roots, rootsBelow } from "../container/mod.ts";
import { KEPT_DESCRIPTOR } from "../plan/sleep.ts";
import { UsageError } from "./usage_error.ts";

const ID = /^[0-9a-f]+$/;
/** The descriptor at which a supervisor holds its container's lock. */
const LOCK_DESCRIPTOR = 5;

/**
 * `minictr ended [--restart] ID`: what a supervisor becomes when its container has ended, and what
 * the wait for a restart ends with; `minictr ended --exec`: what the wait for a process in the
 * background ends with. Not for people.
 */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const [first, second] = args;
  const roots = rootsBelow(root);
  if (first === "--exec") return await afterExec(roots);
  const id = first === "--restart" ? second : first;
  // Nobody else has the lock at that descriptor: it would close what is not its own.
  if (id === undefined || !ID.test(id)) throw notForPeople();
  if (first === "--restart") {
    const { afterWait } = await import("../container/start_again.ts");
    await afterWait(roots, id, KEPT_DESCRIPTOR);
  } else {
    const { afterEnd } = await import("../container/detached.ts");
    await afterEnd(roots, id, LOCK_DESCRIPTOR);
  }
  return 0;
}

async function afterExec(roots: Roots): Promise<number> {
  const path = `/proc/self/fd/${KEPT_DESCRIPTOR}`;
  if (!Deno.readLinkSync(path).startsWith("/memfd:")) throw notForPeople();
  using handed = Deno.openSync(path);
  const { afterExec } = await import("../container/exec_behind.ts");
  if (!afterExec(roots, handed)) throw notForPeople();
  return 0;
}

function notForPeople(): UsageError {
  return new UsageError('"ended" is what a supervisor calls');
}
