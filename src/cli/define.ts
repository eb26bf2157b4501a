import { DEFAULT_LOG, type Definition, writeDefinition } from "../container/definition.ts";
import { noteEvent, noteEvents } from "../container/events.ts";
import { claimName } from "../container/claim.ts";
import type { RunOptions } from "../container/mod.ts";
import type { RunSpec } from "./run_spec.ts";

const NO_FILES = { hostname: "", made: [], addHosts: [], dns: [], dnsSearch: [], dnsOptions: [] };

/** Writes down the container that the flags of `run -d` or `create` ask for; nothing is started. */
export async function define(options: RunOptions, made: RunSpec): Promise<void> {
  const { spec } = made;
  const { id, roots } = options;
  const definition = definitionOf(options, made);
  await writeDown(definition, spec, options);
  if (options.volumes) {
    const { prepareVolumes } = await import("../container/volumes.ts");
    noteEvents(
      roots,
      await prepareVolumes(roots, options.volumes, { id, root: options.root, spec }),
    );
  }
  noteEvent(roots, "create", definition);
}

/** What lasts of the container that the flags ask for. */
export function definitionOf(options: RunOptions, { engine, spec }: RunSpec): Definition {
  const { id, image = "" } = options;
  return {
    version: 1,
    id,
    name: options.name,
    created: new Date().toISOString(),
    root: options.root,
    image,
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
    ...engine.timeoutMs === undefined ? {} : { timeoutMs: engine.timeoutMs },
    log: engine.log ?? DEFAULT_LOG,
    etc: options.etc ?? NO_FILES,
    ...options.network ? { network: options.network } : {},
    createSources: engine.createSources,
    ...options.volumes ? { volumes: options.volumes } : {},
  };
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
