import { Fd } from "../../ffi/mod.ts";
import { readCgroupHost } from "../cgroup/host.ts";
import type { Spec } from "../spec/mod.ts";
import {
  changeDefinition,
  dataDirectory,
  type Definition,
  readDefinition,
  wasStopped,
} from "./definition.ts";
import { noteEvent, subjectOf } from "./events.ts";
import { holdDefinition } from "./hold.ts";
import { runningAs, waitingAs, writeSpec } from "./live.ts";
import { makeFiles, ownUserNamespace, planRun, type RunOptions, stateOf } from "./make.ts";
import { selfCommand, selfEnvironment } from "./self.ts";
import { assemblePlan, start, type Started, type StartOptions } from "./start.ts";
import {
  createState,
  readState,
  type Restarts,
  type Roots,
  type State,
  stateDirectory,
  writeState,
} from "./state.ts";

/**
 * Starts a container in the background: its supervisor is its parent, and holds its lock from now on.
 * The caller holds its definition. What becomes of the start is written down before its command runs:
 * whoever kills this program leaves no container that is not known.
 *
 * @param restarts if it is its policy that starts it
 * @returns the first process, as the host sees it
 * @throws {StartError} when a step failed; nothing runs then
 */
export async function startDetached(
  definition: Definition,
  spec: Spec,
  options: RunOptions,
  restarts?: Restarts,
): Promise<number> {
  const { roots, id } = options;
  const host = readCgroupHost();
  // The layer and the volumes outlive this run.
  const { layer: _, anonymous: __, ...made } = stateOf(spec, options);
  const state: State = { ...made, ...restarts ? { restarts } : {} };
  using held = createState(roots, state);
  try {
    if (!definition.started) changeDefinition(roots, { ...definition, started: true });
    const onReady = await makeFiles(spec, options, held.directory);
    using entered = await ownUserNamespace(spec, `${roots.run}/stage.${id}`);
    const startOptions: StartOptions = {
      fallbackPath: `${roots.run}/stage.${id}`,
      onReady: ({ pid, supervisor = 0 }: Started) => {
        onReady(pid);
        writeSpec(held.directory, spec, options.seccomp);
        writeState(held.directory, { ...state, ...runningAs(pid), supervisor });
      },
    };
    const plan = planRun(entered.spec, supervised(definition, options, held.lock.number), host);
    const { pid } = start(assemblePlan(plan, startOptions), startOptions);
    noteEvent(roots, "start", subjectOf(definition));
    return pid;
  } catch (error) {
    await undo(definition, roots, error);
    const { cleanUp } = await import("./cleanup.ts");
    await cleanUp(roots, held.directory, state, host);
    throw error;
  }
}

/** What its supervisor is told. */
function supervised({ log }: Definition, options: RunOptions, lock: number): RunOptions {
  const { roots, id } = options;
  return {
    ...options,
    supervision: {
      directory: dataDirectory(roots, id),
      lock,
      logLimitBytes: log.limitBytes,
      logFiles: log.files,
      afterwards: selfCommand(roots, ["ended", id]),
      env: selfEnvironment(),
    },
  };
}

/** Notes why a start failed; one that is taken away when it ends is taken away then, too. */
async function undo(definition: Definition, roots: Roots, error: unknown): Promise<void> {
  try {
    const { recordFailure } = await import("./end.ts");
    const { forget } = await import("./forget.ts");
    if (definition.remove) await forget(roots, definition, true);
    else recordFailure(roots, definition.id, error);
  } catch {
    // The disk is full, or the like: why the start failed is more important.
  }
}

/**
 * What the supervisor becomes when its container has ended: notes the end, takes away what was made
 * for this run, and the container itself if that was wished; or waits to start it again.
 *
 * @param lockDescriptor holds the lock of the run
 */
export async function afterEnd(roots: Roots, id: string, lockDescriptor: number): Promise<void> {
  using _ = new Fd(lockDescriptor);
  const directory = stateDirectory(roots, id);
  const state = readState(directory);
  const host = readCgroupHost();
  const { cleanUp } = await import("./cleanup.ts");
  if (!state) return;
  const { noteEnd } = await import("./end.ts");
  let end: Awaited<ReturnType<typeof noteEnd>>;
  try {
    end = await noteEnd(roots, state, host);
  } finally {
    await cleanUp(roots, directory, state, host);
  }
  if (!readDefinition(roots, id)) return;
  using held = await holdDefinition(roots, id);
  const { definition } = held;
  if (readState(directory)) return; // Somebody has started it already.
  const { forget } = await import("./forget.ts");
  if (definition.remove) await forget(roots, definition, true);
  else if (end && definition.restart) await waitToRestart(roots, definition, state, end);
}

/** As the container's policy says. */
async function waitToRestart(
  roots: Roots,
  definition: Definition,
  { cgroup, startedAt, restarts = { count: 0, delayMs: 0 } }: State,
  { status, finishedAt }: { status: number; finishedAt: string },
): Promise<void> {
  const { id, name } = definition;
  const { nextRestart } = await import("./restart.ts");
  const ranMs = startedAt === undefined ? 0 : Date.parse(finishedAt) - Date.parse(startedAt);
  const stopped = wasStopped(roots, id);
  const next = nextRestart(definition.restart, { status, ranMs, restarts, stopped });
  if (!next) return;
  const { sleepHere } = await import("./sleep.ts");
  const created = new Date().toISOString();
  const waiting: State = { version: 1, id, name, created, cgroup, restarts: next, ...waitingAs() };
  const { lock } = createState(roots, waiting);
  sleepHere({
    roots,
    ms: next.delayMs,
    keep: lock.number,
    untilEnd: false,
    title: `minictr-waits to restart ${name} (${id}) in ${roots.run}`,
    words: ["ended", "--restart", id],
  });
}
