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
 * The container of a name, an id, or the beginning of an id that no other has; docker's order.
 *
 * @throws {ContainerError} if there is none, or if several begin so
 */
export function findContainer(roots: Roots, name: string): Found {
  const directories = stateDirectories(roots);
  const idOf = (directory: string) => directory.slice(directory.lastIndexOf("/") + 1);
  const known = (directory: string): Found[] => {
    const state = readState(directory);
    return state ? [{ directory, state }] : [];
  };
  const [exact] = directories.filter((directory) => idOf(directory) === name).flatMap(known);
  if (exact) return exact;
  const all = directories.flatMap(known);
  const named = all.find(({ state }) => name !== "" && state.name === name);
  if (named) return named;
  const begun = name === "" ? [] : all.filter(({ state }) => state.id.startsWith(name));
  const [first, second] = begun;
  if (first && second) {
    const ids = begun.map(({ state }) => state.id.slice(0, Math.max(12, name.length + 2)));
    throw new ContainerError(
      `"${name}" begins the ids of ${begun.length} containers: ${ids.join(", ")}`,
    );
  }
  if (first) return first;
  throw new ContainerError(`there is no container "${name}"`);
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
