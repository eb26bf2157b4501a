import { notice } from "../container/console.ts";
import { pick } from "../container/find.ts";
import { runKept } from "../container/kept.ts";
import { knownContainers } from "../container/list.ts";
import { startAgain } from "../container/start_again.ts";
import type { Roots } from "../container/state.ts";
import { detachKeysOf } from "./detach.ts";
import { UsageError } from "./usage_error.ts";

/** What `start -a` and `start -i` say. */
export interface Attached {
  /** Whether the container reads the caller's standard input. */
  interactive: boolean;
  detachKeys: string | undefined;
}

/**
 * Starts one container, and stays with it as `run` does; if it runs already, attaches to it.
 *
 * @returns its exit status; 0 if it was left running
 */
export async function startInForeground(
  roots: Roots,
  [name, ...more]: readonly string[],
  { interactive, detachKeys }: Attached,
): Promise<number> {
  if (name === undefined || more.length > 0) {
    throw new UsageError("start -a and start -i are for one container");
  }
  const keys = await detachKeysOf(detachKeys);
  const known = pick(knownContainers(roots), name);
  let status: number | undefined;
  const started = await startAgain(roots, known, async (held, spec, options) => {
    status = await runKept(held, spec, { ...options, interactive, onNotice: notice }, keys);
  });
  if (started) return status ?? 0;
  const { attachTo } = await import("../container/attach.ts");
  return await attachTo(known, { roots, stdin: interactive, keys, signals: true }) ?? 0;
}
