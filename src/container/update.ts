import { readCgroupHost } from "../cgroup/host.ts";
import { readStatistics, update } from "../cgroup/mod.ts";
import type { LinuxMemory, LinuxResources } from "../spec/mod.ts";
import {
  changeDefinition,
  dataDirectory,
  readDefinedSpec,
  type RestartPolicy,
  writeWhole,
} from "./definition.ts";
import { noteEvent } from "./events.ts";
import { ContainerError } from "./find.ts";
import { holdDefinition } from "./hold.ts";
import type { Known } from "./list.ts";
import { isRunning, readFilter, readOwnSpec, writeSpec } from "./live.ts";
import { readState, type Roots, stateDirectory } from "./state.ts";

/** What is to be changed; what is not named stays as it is. */
export interface Change {
  resources: LinuxResources;
  /** null: it is not started again. */
  restart?: RestartPolicy | null;
}

/**
 * Changes the limits of a container, at once if it runs, and its restart policy.
 *
 * The kernel comes first: what it refuses is not written down.
 *
 * @throws {ContainerError} if it uses more memory than it is to have
 * @throws as the cgroup's update; nothing is written down then
 */
export async function updateContainer(roots: Roots, known: Known, change: Change): Promise<void> {
  const { id, name } = known;
  if (!known.definition) {
    throw new ContainerError(`cannot update "${name}": it runs in the foreground of its minictr`);
  }
  using held = holdDefinition(roots, id);
  const { restart: policy, ...definition } = held.definition;
  if (change.restart && definition.remove) {
    throw new ContainerError(`cannot update "${name}": --rm excludes a restart policy`);
  }
  const spec = await readDefinedSpec(roots, id);
  const before = spec.linux?.resources ?? {};
  const resources = complete(before, change.resources);
  if (Object.keys(resources).length > 0) {
    updateLive(roots, id, name, resources);
    const linux = { ...spec.linux, resources: merged(before, resources) };
    const { printSpec } = await import("../spec/mod.ts");
    const path = `${dataDirectory(roots, id)}/config.json`;
    writeWhole(path, await printSpec({ ...spec, linux }));
    await updateRunning(roots, id, resources);
  }
  const restart = change.restart === undefined ? policy : change.restart ?? undefined;
  if (change.restart !== undefined) {
    changeDefinition(roots, { ...definition, ...restart ? { restart } : {} });
  }
  noteEvent(roots, "update", held.definition);
}

/** In the cgroup of a container that runs. */
function updateLive(roots: Roots, id: string, name: string, resources: LinuxResources): void {
  const state = readState(stateDirectory(roots, id));
  if (!state || !isRunning(state)) return;
  const host = readCgroupHost();
  const limit = resources.memory?.limit ?? 0;
  const used = readStatistics(host, state.cgroup).memory?.workingSetBytes ?? 0;
  // Version 2 would have the OOM killer make room.
  if (limit > 0 && used > limit) {
    throw new ContainerError(
      `cannot update "${name}": it uses ${used} bytes of memory, more than ${limit}`,
    );
  }
  update(host, state.cgroup, resources);
}

/** In what is written down of the run, for `inspect` and `exec`. */
async function updateRunning(roots: Roots, id: string, resources: LinuxResources): Promise<void> {
  const directory = stateDirectory(roots, id);
  const spec = await readOwnSpec(directory);
  if (!spec) return;
  const { linux } = spec;
  const changed = {
    ...spec,
    linux: { ...linux, resources: merged(linux?.resources ?? {}, resources) },
  };
  try {
    writeSpec(directory, changed, readFilter(directory));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // It has ended meanwhile.
  }
}

/**
 * Memory with what belongs to it: a limit alone takes swap along as far as that was twice as much, and
 * swap alone is told with the limit that there is.
 */
function complete(before: LinuxResources, changed: LinuxResources): LinuxResources {
  const { memory } = changed;
  if (!memory) return changed;
  const { limit = before.memory?.limit, swap } = memory;
  const whole: LinuxMemory = { ...memory, ...limit === undefined ? {} : { limit } };
  if (swap === undefined) {
    const old = before.memory?.swap;
    const follows = old === undefined || old === (before.memory?.limit ?? 0) * 2;
    const next = old !== undefined && follows && limit !== undefined ? limit * 2 : old;
    if (next !== undefined) whole.swap = next;
  }
  if (whole.swap !== undefined && whole.swap > 0 && limit === undefined) {
    throw new ContainerError("--memory-swap needs --memory: the container has no limit of memory");
  }
  if (whole.swap !== undefined && whole.swap > 0 && (limit ?? 0) > whole.swap) {
    throw new ContainerError(
      `--memory ${limit} is above the ${whole.swap} bytes of --memory-swap: give both`,
    );
  }
  return { ...changed, memory: whole };
}

function merged(before: LinuxResources, changed: LinuxResources): LinuxResources {
  const { memory, cpu, pids, blockIO, unified } = changed;
  return {
    ...before,
    ...memory ? { memory: { ...before.memory, ...memory } } : {},
    ...cpu ? { cpu: { ...before.cpu, ...cpu } } : {},
    ...pids ? { pids } : {},
    ...blockIO ? { blockIO: { ...before.blockIO, ...blockIO } } : {},
    ...unified ? { unified: { ...before.unified, ...unified } } : {},
  };
}
