import { catchSignals, SIGKILL } from "../../ffi/mod.ts";
import { type CgroupHost, readCgroupHost } from "../cgroup/host.ts";
import type { Spec } from "../spec/mod.ts";
import { statusOf } from "./attend.ts";
import { attendTo } from "./foreground.ts";
import { type Running, runningAs, writeSpec } from "./live.ts";
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
  const { id, roots } = options;
  const host = readCgroupHost();
  const state = stateOf(spec, options);
  using entered = await ownUserNamespace(spec, `${roots.run}/stage.${id}`);
  const plan = await planRun(entered.spec, options, host);
  const startOptions: StartOptions = { fallbackPath: `${roots.run}/stage.${id}` };
  if (options.trace) Object.assign(startOptions, { trace: true, onTrace: options.trace });
  const assembled = assemblePlan(plan, startOptions);
  const signals = catchSignals();
  using held = await writeDown(state, options);
  let running: (State & Running) | undefined;
  try {
    const { happened, ...made } = await makeFiles(spec, options, held.directory);
    const started = start(assembled, { ...startOptions, ...made });
    writeSpec(held.directory, spec, options.seccomp);
    running = { ...state, ...runningAs(started.pid) };
    writeState(held.directory, running);
    // What comes afterwards is loaded and noted while the container runs.
    await import("./cleanup.ts");
    const { noteDeath, noteStart } = await import("./run_events.ts");
    noteStart(roots, running, happened);
    const { cgroup } = state;
    const thaw = options.timeoutMs === undefined
      ? undefined
      : (await import("../cgroup/freeze.ts")).thawing(host, cgroup);
    const end = attendTo(started, signals, { ...options, ...thaw ? { thaw } : {} });
    const oomKilled = end.signal === SIGKILL && await tellOom(spec, options, { host, cgroup });
    noteDeath(roots, running, { status: statusOf(end), oomKilled });
    return statusOf(end);
  } finally {
    const { cleanUp, repair } = await import("./cleanup.ts");
    await cleanUp(roots, held.directory, running ?? state, host);
    (await import("./run_events.ts")).noteGone(roots, running ?? state);
    await repair(roots, held.directory);
  }
}

/** Whether it was the OOM killer that ended a container; then the user is told. */
async function tellOom(
  spec: Spec,
  { name, onNotice }: RunOptions,
  { host, cgroup }: { host: CgroupHost; cgroup: string },
): Promise<boolean> {
  const { outOfMemory } = await import("./out_of_memory.ts");
  const notice = outOfMemory(spec, name, host, cgroup);
  if (notice !== undefined) onNotice?.(notice);
  return notice !== undefined;
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
