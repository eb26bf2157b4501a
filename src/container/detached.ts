import { Fd } from "../../ffi/mod.ts";
import { readCgroupHost } from "../cgroup/host.ts";
import type { Spec } from "../spec/mod.ts";
import {
  changeDefinition,
  dataDirectory,
  type Definition,
  readDefinition,
  removeDefinition,
} from "./definition.ts";
import { runningAs, writeSpec } from "./live.ts";
import { makeFiles, ownUserNamespace, planRun, type RunOptions, stateOf } from "./make.ts";
import { assemblePlan, start, type StartOptions } from "./start.ts";
import { createState, readState, type Roots, stateDirectory, writeState } from "./state.ts";

export {
  changeDefinition,
  DEFAULT_LOG,
  type Definition,
  readDefinedSpec,
  removeDefinition,
  writeDefinition,
} from "./definition.ts";

/** How this program is started again: argv. The portable executable says so by MINICTR_SELF. */
export function selfCommand(): string[] {
  const self = Deno.env.get("MINICTR_SELF");
  if (self !== undefined) return [self];
  if (Deno.build.standalone) return [Deno.execPath()];
  const main = decodeURIComponent(new URL(Deno.mainModule).pathname);
  return [Deno.execPath(), "run", "-A", "--quiet", "--no-lock", main];
}

/**
 * Starts a container in the background: its supervisor is its parent, and holds its lock from now on.
 *
 * @returns the first process, as the host sees it
 * @throws {StartError} when a step failed; nothing runs then
 */
export async function startDetached(
  definition: Definition,
  spec: Spec,
  options: RunOptions,
): Promise<number> {
  const { roots, id } = options;
  const host = readCgroupHost();
  // The layer and the volumes outlive this run.
  const { layer: _, anonymous: __, ...state } = stateOf(spec, options);
  using held = createState(roots, state);
  try {
    if (!definition.started) changeDefinition(roots, { ...definition, started: true });
    const onReady = await makeFiles(spec, options, held.directory);
    using entered = await ownUserNamespace(spec, `${roots.run}/stage.${id}`);
    const supervised: RunOptions = {
      ...options,
      supervision: {
        directory: dataDirectory(roots, id),
        lock: held.lock.number,
        logLimitBytes: definition.log.limitBytes,
        logFiles: definition.log.files,
        afterwards: [...selfCommand(), ...rootWords(roots), "ended", id],
        env: environment(),
      },
    };
    const startOptions: StartOptions = {
      fallbackPath: `${roots.run}/stage.${id}`,
      onReady: ({ pid }) => onReady(pid),
    };
    const started = start(
      assemblePlan(planRun(entered.spec, supervised, host), startOptions),
      startOptions,
    );
    const { pid, supervisor = 0 } = started;
    writeSpec(held.directory, spec, options.seccomp);
    writeState(held.directory, { ...state, ...runningAs(pid), supervisor });
    return pid;
  } catch (error) {
    const { cleanUp } = await import("./cleanup.ts");
    await cleanUp(roots, held.directory, state, host);
    throw error;
  }
}

function rootWords({ given }: Roots): string[] {
  return given === undefined ? [] : ["--root", given];
}

/** What the program needs to be started again; the rest of the caller's environment is not kept. */
function environment(): string[] {
  return ["PATH", "HOME", "LANG", "DENO_DIR", "DENO_NO_UPDATE_CHECK", "DENO_V8_FLAGS"].flatMap(
    (name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [`${name}=${value}`];
    },
  );
}

/** Removes the volumes that nobody has named of a container that is gone. */
export async function dropAnonymous(
  roots: Roots,
  { id, volumes = [] }: Pick<Definition, "id" | "volumes">,
): Promise<void> {
  if (!volumes.some(({ anonymous }) => anonymous)) return;
  const { removeAnonymous } = await import("./volumes.ts");
  const failures = removeAnonymous(roots, id, volumes.map(({ name }) => name));
  if (failures.length > 0) throw new AggregateError(failures, "cannot remove anonymous volumes");
}

/**
 * What the supervisor becomes when its container has ended: takes away what was made for this run,
 * and the container itself if that was wished. The lock is held by a descriptor.
 */
export async function afterEnd(roots: Roots, id: string, lockDescriptor: number): Promise<void> {
  using _ = new Fd(lockDescriptor);
  const directory = stateDirectory(roots, id);
  const { cleanUp } = await import("./cleanup.ts");
  const state = readState(directory);
  if (state) await cleanUp(roots, directory, state, readCgroupHost());
  const definition = readDefinition(roots, id);
  if (!definition?.remove) return;
  removeDefinition(roots, id);
  await dropAnonymous(roots, definition);
}
