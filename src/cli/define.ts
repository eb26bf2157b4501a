import { DEFAULT_LOG, type Definition, writeDefinition } from "../container/definition.ts";
import { noteEvent, subjectOf } from "../container/events.ts";
import { claimName } from "../container/claim.ts";
import type { RunOptions } from "../container/mod.ts";
import { BUILTIN } from "../image/builtin.ts";
import type { RootSource } from "../plan/mod.ts";
import type { CommandLine } from "./grammar.ts";
import type { RUN } from "./run_flags.ts";
import type { RunSpec } from "./run_spec.ts";

/** A command line of `run` or `create`. */
export type Line = CommandLine<typeof RUN>;

const NO_FILES = { hostname: "", made: [], addHosts: [], dns: [], dnsSearch: [], dnsOptions: [] };

/** Writes down the container that the flags of `run -d` or `create` ask for; nothing is started. */
export async function define(options: RunOptions, made: RunSpec, line: Line): Promise<void> {
  const { engine, spec } = made;
  const { id } = options;
  const definition: Definition = {
    version: 1,
    id,
    name: options.name,
    created: new Date().toISOString(),
    root: options.root,
    image: imageOf(line, options.root),
    command: spec.process?.args ?? [],
    remove: engine.remove,
    ...engine.restart ? { restart: engine.restart } : {},
    ...engine.health ? { health: engine.health } : {},
    init: engine.init,
    ...engine.interactive ? { interactive: true } : {},
    mapRoot: true,
    labels: engine.labels,
    stopSignal: engine.stopSignal,
    stopTimeoutMs: engine.stopTimeoutMs,
    log: engine.log ?? DEFAULT_LOG,
    etc: options.etc ?? NO_FILES,
    ...options.network ? { network: options.network } : {},
    createSources: engine.createSources,
    ...options.volumes ? { volumes: options.volumes } : {},
  };
  await writeDown(definition, spec, options);
  if (options.volumes) {
    const { prepareVolumes } = await import("../container/volumes.ts");
    await prepareVolumes(options.roots, options.volumes, { id, root: options.root, spec });
  }
  noteEvent(options.roots, "create", subjectOf(definition));
}

/** Of two that are created with the same name, the second one fails here: it has made nothing. */
async function writeDown(
  definition: Definition,
  spec: RunSpec["spec"],
  { id, name, named, roots, cidfile }: RunOptions,
): Promise<void> {
  using _ = named ? await claimName(roots, name) : undefined;
  if (cidfile !== undefined) Deno.writeTextFileSync(cidfile, id, { createNew: true });
  await writeDefinition(roots, definition, spec);
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
