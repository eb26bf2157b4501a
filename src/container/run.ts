import { catchSignals, SIGKILL } from "../../ffi/mod.ts";
import { readCgroupHost } from "../cgroup/host.ts";
import type { Spec } from "../spec/mod.ts";
import { statusOf } from "./attend.ts";
import { attendTo } from "./foreground.ts";
import { runningAs, writeSpec } from "./live.ts";
import { makeFiles, ownUserNamespace, planRun, type RunOptions, stateOf } from "./make.ts";
import { assemblePlan, start, type StartOptions } from "./start.ts";
import { createState, type Held, type State, writeState } from "./state.ts";

/**
 * Runs a container in the foreground: makes it, waits for its end, takes it away.
 *
 * @returns the exit status as a shell shows it
 * @throws {StartError} when a step failed
 */
export async function runContainer(spec: Spec, options: RunOptions): Promise<number> {
  const { id, name, roots } = options;
  const host = readCgroupHost();
  const state = stateOf(spec, options);
  using entered = await ownUserNamespace(spec, `${roots.run}/stage.${id}`);
  const plan = planRun(entered.spec, options, host);
  const startOptions: StartOptions = { fallbackPath: `${roots.run}/stage.${id}` };
  if (options.trace) Object.assign(startOptions, { trace: true, onTrace: options.trace });
  const assembled = assemblePlan(plan, startOptions);
  const signals = catchSignals();
  using held = await writeDown(state, options);
  try {
    const onReady = await makeFiles(spec, options, held.directory);
    const started = start(assembled, { ...startOptions, onReady: ({ pid }) => onReady(pid) });
    writeSpec(held.directory, spec, options.seccomp);
    writeState(held.directory, { ...state, ...runningAs(started.pid) });
    await import("./cleanup.ts"); // What comes afterwards is loaded while the container runs.
    const end = attendTo(started, signals, options);
    if (end.signal === SIGKILL) {
      const { outOfMemory } = await import("./out_of_memory.ts");
      const notice = outOfMemory(spec, name, host, state.cgroup);
      if (notice) options.onNotice?.(notice);
    }
    return statusOf(end);
  } finally {
    const { cleanUp, repair } = await import("./cleanup.ts");
    await cleanUp(roots, held.directory, state, host);
    await repair(roots, held.directory);
  }
}

/** Of two that are started with the same name, the second one fails here: it has made nothing. */
async function writeDown(
  state: State,
  { id, name, named, roots, cidfile }: RunOptions,
): Promise<Held> {
  using _ = named ? await (await import("./claim.ts")).claimName(roots, name) : undefined;
  if (cidfile !== undefined) Deno.writeTextFileSync(cidfile, id, { createNew: true });
  return createState(roots, state);
}
