import { Fd, syscall, trySyscall } from "../../ffi/mod.ts";
import { type CgroupHost, readCgroupHost } from "../cgroup/host.ts";
import type { Supervision } from "../plan/mod.ts";
import { SUPERVISOR_FD } from "../plan/supervision.ts";
import type { Spec } from "../spec/mod.ts";
import { changeDefinition, type Definition, readDefinition, wasStopped } from "./definition.ts";
import { containerEvent, noteEvents } from "./events.ts";
import type { Attendant } from "./foreground.ts";
import { holdDefinition } from "./hold.ts";
import { runningAs, waitingAs, writeSpec } from "./live.ts";
import { makeFiles, ownUserNamespace, type RunOptions, stateOf } from "./make.ts";
import { assemblePlan, start, type Started, type StartOptions } from "./start.ts";
import { planKept } from "./supervised.ts";
import {
  createState,
  type Held,
  readState,
  type Restarts,
  type Roots,
  type State,
  stateDirectory,
  writeState,
} from "./state.ts";

/**
 * Starts a container in the background: its supervisor is its parent, and holds its lock from now on.
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
  const { pid, held } = await startSupervised(definition, spec, options, { restarts });
  held[Symbol.dispose]();
  return pid;
}

/** A container that has just been started under a supervisor. */
export interface Supervised {
  attendant: Attendant;
  /** The first process, as the host sees it. */
  pid: number;
  held: Held;
  state: State;
  host: CgroupHost;
}

/**
 * Starts a container under a supervisor, which holds its lock as this process does. The caller holds its
 * definition. What becomes of the start is written down before its command runs: whoever kills this
 * program leaves no container that is not known.
 *
 * @param how `echo`: where its output is echoed to, if this process stays
 * @throws {StartError} when a step failed; nothing runs then
 */
export async function startSupervised(
  definition: Definition,
  spec: Spec,
  options: RunOptions,
  how: { restarts?: Restarts | undefined; echo?: Supervision["echo"] },
): Promise<Supervised> {
  const { roots, id, trace } = options;
  const { restarts, echo } = how;
  const host = readCgroupHost();
  // The layer and the volumes outlive this run.
  const { layer: _, anonymous: __, ...made } = stateOf(spec, options);
  const state: State = { ...made, ...restarts ? { restarts } : {} };
  const held = createState(roots, state);
  try {
    if (!definition.started) changeDefinition(roots, { ...definition, started: true });
    const { onNetwork, onReady, happened } = await makeFiles(spec, options, held.directory);
    using entered = await ownUserNamespace(spec, `${roots.run}/stage.${id}`);
    let attendant: Attendant | undefined;
    const startOptions: StartOptions = {
      fallbackPath: `${roots.run}/stage.${id}`,
      onNetwork,
      onReady: (started: Started) => {
        const { pid, supervisor = 0 } = started;
        onReady(started);
        writeSpec(held.directory, spec, options.seccomp);
        writeState(held.directory, { ...state, ...runningAs(pid), supervisor });
        attendant = meetSupervisor(started, spec.process?.terminal ?? false);
      },
      ...trace ? { trace: true, onTrace: trace } : {},
    };
    const by = { host, lock: held.lock.number, echo };
    const plan = await planKept(definition, entered.spec, options, by);
    const { pid } = start(assemblePlan(plan, startOptions), startOptions);
    if (!attendant) throw new Error(`cannot start "${definition.name}": it was never ready`);
    noteEvents(roots, [...happened, containerEvent("start", definition)]);
    if (definition.health) {
      (await import("./health_run.ts")).beginChecks(roots, definition, pid);
    }
    return { attendant, pid, held, state, host };
  } catch (error) {
    await undo(definition, roots, error);
    const { cleanUp } = await import("./cleanup.ts");
    await cleanUp(roots, held.directory, state, host);
    held[Symbol.dispose]();
    throw error;
  }
}

/**
 * Waits until the supervisor, another program than the stage, is there with its descriptors, takes those
 * that are attended to, and tells it that all is written down; pidfd_getfd(2).
 */
function meetSupervisor({ pidfd, pipes, line = -1 }: Started, terminal: boolean): Attendant {
  if (trySyscall("read", line, new Uint8Array(1), 1) !== 1) {
    throw new Error("cannot start: the supervisor has ended");
  }
  const take = (number: number) => syscall("pidfd_getfd", pidfd, number, 0);
  const attendant = {
    pidfd: take(SUPERVISOR_FD.pidfd),
    pipes,
    line,
    ...terminal ? { terminal: take(SUPERVISOR_FD.output) } : {},
  };
  syscall("write", line, "g", 1);
  return attendant;
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
  using held = holdDefinition(roots, id);
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
