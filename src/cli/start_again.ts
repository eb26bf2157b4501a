import {
  type Definition,
  readDefinedSpec,
  startDetached,
  writeDefinition,
} from "../container/detached.ts";
import { requestNow } from "../container/membership.ts";
import { settled } from "../container/remove.ts";
import type { Roots } from "../container/state.ts";

/** Starts a container that does not run, from what was written down of it. */
export async function startAgain(roots: Roots, definition: Definition): Promise<void> {
  const { id, name, root, init, mapRoot, etc, createSources, volumes } = definition;
  await settled(roots, id);
  const network = requestNow(roots, definition.network);
  const spec = await readDefinedSpec(roots, id);
  const { seccomp } = spec.linux ?? {};
  const filter = seccomp ? { seccomp: await (await import("./seccomp.ts")).filterOf(seccomp) } : {};
  try {
    Deno.removeSync(`${roots.data}/containers/${id}/exit`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await writeDefinition(roots, { ...definition, started: true }, spec);
  await startDetached(definition, spec, {
    id,
    name,
    roots,
    root,
    interactive: false,
    init,
    mapRoot,
    createSources,
    ...volumes ? { volumes } : {},
    ...filter,
    etc,
    ...network ? { network } : {},
  });
}
