import { type CgroupHost, readCgroupHost } from "../cgroup/host.ts";
import { isFrozen } from "../cgroup/freeze.ts";
import { type Definition, readDefinitions, readExit } from "./definition.ts";
import { readEnd } from "./end.ts";
import { isRunning, isWaiting } from "./live.ts";
import { readState, type Roots, type State, stateDirectories } from "./state.ts";

/** What is going on with a container. */
export type Status = "created" | "running" | "paused" | "restarting" | "exited" | "dead";

/** A container that something is written down of. */
export interface Known {
  id: string;
  name: string;
  /** What lasts of it; absent for one that is taken away when it ends. */
  definition?: Definition;
  /** While it runs, or until a dead command's remains have been taken away. */
  state?: State;
}

/** All containers, the newest first. */
export function knownContainers(roots: Roots): Known[] {
  const known = new Map<string, Known>();
  for (const definition of readDefinitions(roots)) {
    known.set(definition.id, { id: definition.id, name: definition.name, definition });
  }
  for (const directory of stateDirectories(roots)) {
    const state = readState(directory);
    if (!state) continue;
    const entry = known.get(state.id) ?? { id: state.id, name: state.name };
    known.set(state.id, { ...entry, state });
  }
  const created = ({ definition, state }: Known) => definition?.created ?? state?.created ?? "";
  return [...known.values()].sort((a, b) => created(a) < created(b) ? 1 : -1);
}

/** Read once for all containers that a command asks about: the host's mounts stay. */
let cgroups: CgroupHost | undefined;

/** What is going on with a container, as the kernel tells it. */
export function statusOf(
  roots: Roots,
  { id, definition, state }: Known,
  host: CgroupHost = cgroups ??= readCgroupHost(),
): Status {
  if (state && isRunning(state)) {
    return isFrozen(host, state.cgroup) ? "paused" : "running";
  }
  if (state && isWaiting(state)) return "restarting";
  if (readExit(roots, id)) return "exited";
  if (state) return state.pid === undefined ? "created" : "dead";
  if (!definition?.started) return "created";
  const end = readEnd(roots, id);
  return end && end.startedAt === undefined ? "created" : "dead"; // Its start failed; or it is gone.
}
