import { startDetached } from "../container/detached.ts";
import { holdDefinition } from "../container/hold.ts";
import type { RunOptions } from "../container/mod.ts";
import { define } from "./define.ts";
import { parsed } from "./grammar.ts";
import type { RunSpec } from "./run_spec.ts";

/**
 * A `run` of a container that is written down first, and has a supervisor.
 *
 * @returns in the background 0, its id printed; else its exit status
 */
export async function runSupervised(
  options: RunOptions,
  made: RunSpec,
): Promise<number> {
  const { roots, id } = options;
  const { detach, detachKeys } = made.engine;
  const keys = await detachKeysOf(detachKeys);
  await define(options, made);
  const held = holdDefinition(roots, id);
  try {
    if (!detach) {
      const { runKept } = await import("../container/kept.ts");
      return await runKept(held, made.spec, options, keys);
    }
    await startDetached(held.definition, made.spec, options);
  } finally {
    held[Symbol.dispose]();
  }
  console.log(id);
  return 0;
}

/** The keys that leave a container running: what was said, or docker's. */
export async function detachKeysOf(text: string | undefined): Promise<Uint8Array> {
  if (text === undefined) return (await import("../container/keys.ts")).DETACH_KEYS;
  return parsed("--detach-keys", text, (await import("./detach_keys.ts")).parseDetachKeys);
}
