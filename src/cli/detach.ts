import {
  DEFAULT_LOG,
  removeDefinition,
  startDetached,
  writeDefinition,
} from "../container/detached.ts";
import type { RunOptions } from "../container/mod.ts";
import { BUILTIN } from "../image/builtin.ts";
import type { RootSource } from "../plan/mod.ts";
import type { CommandLine } from "./grammar.ts";
import type { RUN } from "./run_flags.ts";
import type { RunSpec } from "./run_spec.ts";

type Line = CommandLine<typeof RUN>;

const NO_FILES = { hostname: "", made: [], addHosts: [], dns: [], dnsSearch: [], dnsOptions: [] };

/** `run -d`: writes the container down, starts it under a supervisor, and prints its id. */
export async function detach(options: RunOptions, made: RunSpec, line: Line): Promise<number> {
  const { engine, spec } = made;
  const definition = {
    version: 1 as const,
    id: options.id,
    name: options.name,
    created: new Date().toISOString(),
    root: options.root,
    image: imageOf(line, options.root),
    command: spec.process?.args ?? [],
    started: true,
    remove: engine.remove,
    init: engine.init,
    mapRoot: true,
    labels: engine.labels,
    stopSignal: engine.stopSignal,
    stopTimeoutMs: engine.stopTimeoutMs,
    log: DEFAULT_LOG,
    etc: options.etc ?? NO_FILES,
    ...options.network ? { network: options.network } : {},
    createSources: engine.createSources,
  };
  await writeDefinition(options.roots, definition, spec);
  try {
    await startDetached(definition, spec, options);
  } catch (error) {
    if (engine.remove) {
      removeDefinition(options.roots, options.id);
    }
    throw error;
  }
  console.log(options.id);
  return 0;
}

/** The root filesystem as the user named it. */
function imageOf({ flags, operands }: Line, root: RootSource): string {
  if (flags.rootfs !== undefined) return flags.rootfs;
  const [first] = operands;
  if (root.kind === "directory") return first ?? root.path;
  return first !== undefined && operands.length > 0 && root.lower[0]?.endsWith(`/${first}/rootfs`)
    ? first
    : root.lower[0]?.endsWith(`/${BUILTIN}/rootfs`)
    ? BUILTIN
    : first ?? BUILTIN;
}
