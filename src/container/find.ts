import { isRunning, type Running } from "./live.ts";
import { readState, type Roots, type State, stateDirectories } from "./state.ts";

/** A container is not there, or not in the state that a command needs. */
export class ContainerError extends Error {
  override name = "ContainerError";
}

/** A container that is written down. */
export interface Found {
  directory: string;
  state: State;
}

/**
 * Of some containers the one of a name, an id, or the beginning of an id that no other has; docker's
 * order.
 *
 * @throws {ContainerError} if there is none, or if several begin so
 */
export function pick<T extends { id: string; name: string }>(known: T[], name: string): T {
  const asked = name === "" ? [] : known;
  const exact = asked.find((one) => one.id === name) ?? asked.find((one) => one.name === name);
  if (exact) return exact;
  const begun = asked.filter(({ id }) => id.startsWith(name));
  const [first, second] = begun;
  if (first && !second) return first;
  if (!first) throw new ContainerError(`there is no container "${name}"`);
  const ids = begun.map(({ id }) => id.slice(0, Math.max(12, name.length + 2))).join(", ");
  throw new ContainerError(`"${name}" begins the ids of ${begun.length} containers: ${ids}`);
}

/**
 * The same of those that run, or whose remains have not been taken away.
 *
 * @throws {ContainerError} as pick
 */
export function findContainer(roots: Roots, name: string): Found {
  const directories = stateDirectories(roots);
  const read = (directory: string) => {
    const state = readState(directory);
    return state ? [{ directory, state, id: state.id, name: state.name }] : [];
  };
  // A whole id is its directory's name: the others need not be read.
  const named = directories.filter((directory) => directory.endsWith(`/${name}`)).flatMap(read);
  const { directory, state } = pick(named.length > 0 ? named : directories.flatMap(read), name);
  return { directory, state };
}

/**
 * The same, if it runs.
 *
 * @throws {ContainerError} also if it does not, with what it does instead
 */
export async function findRunning(
  roots: Roots,
  name: string,
): Promise<Found & { state: State & Running }> {
  let found: Found;
  try {
    found = findContainer(roots, name);
  } catch (error) {
    const { readDefinitions } = await import("./definition.ts");
    const lasting = readDefinitions(roots).some((one) => one.name === name || one.id === name);
    if (!lasting) throw error;
    throw new ContainerError(`container "${name}" does not run; start it first`);
  }
  const { directory, state } = found;
  if (isRunning(state)) return { directory, state };
  const what = state.pid === undefined ? "is still being started" : "has ended";
  throw new ContainerError(`container "${name}" does not run: it ${what}`);
}
