import { type Fd, tryLock } from "../../ffi/mod.ts";

/** Where minictr keeps what it knows. */
export interface Roots {
  /** What a reboot may lose: /run/minictr. */
  run: string;
  /** What lasts: /var/lib/minictr. */
  data: string;
  /** What `--root` said. */
  given?: string;
}

/** The directories below a root given with `--root`, or the system's own. */
export function rootsBelow(root: string | undefined): Roots {
  return root === undefined
    ? { run: "/run/minictr", data: "/var/lib/minictr" }
    : { run: `${root}/run`, data: `${root}/data`, given: root };
}

/** What is written down before anything is made for a container, so that it can be cleaned up. */
export interface State {
  version: 1;
  id: string;
  name: string;
  created: string;
  /** The root filesystem as the user named it. */
  image?: string;
  labels?: Record<string, string>;
  /** Path of its cgroup in each hierarchy: "/minictr/ID". */
  cgroup: string;
  /** Whether addresses or ports may have been set aside for it. */
  networked?: boolean;
  /** Its writable layer, to be removed with it. */
  layer?: string;
  /** Names of its volumes. */
  volumes?: string[];
  /** Those to be removed with it, since nobody has named them. */
  anonymous?: string[];
  /** When it runs: the first process, as the host sees it. */
  pid?: number;
  /** Its start in clock ticks since boot, and the boot: a later process may have its number. */
  startTime?: number;
  bootId?: string;
  /** Its parent, if it runs in the background. */
  supervisor?: number;
  /** ISO 8601. */
  startedAt?: string;
  /** How often its policy has started it again, and the last pause before that. */
  restarts?: Restarts;
  /** What waits to start it again, if it does not run; with the boot as above. */
  waiter?: { pid: number; startTime: number };
}

/** What a restart policy counts; both from 0 on when a container is started by hand. */
export interface Restarts {
  count: number;
  delayMs: number;
}

/** A container's directory below `run`, held under its lock by this process. */
export interface Held extends Disposable {
  directory: string;
  lock: Fd;
}

/** In front of the names of directories that are being made or taken away. */
export const UNSEEN = ".new.";

function containers(roots: Roots): string {
  return `${roots.run}/containers`;
}

/** The directory of a container's state. */
export function stateDirectory(roots: Roots, id: string): string {
  return `${containers(roots)}/${id}`;
}

/**
 * Makes a container's directory, its lock held and its state written in it, and only then visible
 * under its name, so that no other command ever sees it half made; flock(2), rename(2).
 *
 * @throws when the id is taken
 */
export function createState(roots: Roots, state: State): Held {
  const directory = stateDirectory(roots, state.id);
  const making = `${containers(roots)}/${UNSEEN}${state.id}`;
  Deno.mkdirSync(making, { recursive: true, mode: 0o700 });
  const lock = tryLock(`${making}/lock`, "new file");
  if (!lock) throw new Error(`cannot create container "${state.id}": it is being created already`);
  try {
    writeState(making, state);
    Deno.renameSync(making, directory); // Over an empty directory only, which none is.
  } catch (error) {
    Deno.removeSync(making, { recursive: true });
    lock.close();
    throw error;
  }
  return { directory, lock, [Symbol.dispose]: () => lock.close() };
}

/**
 * Takes a container's directory away: under its name at once, so that the next run can make its own;
 * what a crash leaves of it is found by `repair`.
 */
export function removeState(directory: string): void {
  const slash = directory.lastIndexOf("/") + 1;
  const name = directory.slice(slash).replace(UNSEEN, "");
  const ending = `${directory.slice(0, slash)}${UNSEEN}${name}.${Deno.pid}`;
  Deno.renameSync(directory, ending);
  Deno.removeSync(ending, { recursive: true });
}

/** Writes the state by rename: a reader sees the old one or the new one. */
export function writeState(directory: string, state: State): void {
  const path = `${directory}/state.json`;
  Deno.writeTextFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
  Deno.renameSync(`${path}.new`, path);
}

/** The state in a directory; undefined where there is none, or not a whole one. */
export function readState(directory: string): State | undefined {
  try {
    const state: unknown = JSON.parse(Deno.readTextFileSync(`${directory}/state.json`));
    return isState(state) ? state : undefined;
  } catch {
    return undefined;
  }
}

function isState(value: unknown): value is State {
  return typeof value === "object" && value !== null && "version" in value &&
    value.version === 1 && "id" in value && typeof value.id === "string" &&
    "cgroup" in value && typeof value.cgroup === "string";
}

/** The directories of all containers; with `unseen`, also those half made or half removed. */
export function stateDirectories(roots: Roots, unseen = false): string[] {
  try {
    return Array.from(Deno.readDirSync(containers(roots)), ({ name }) => name)
      .filter((name) => unseen || !name.startsWith(UNSEEN))
      .map((name) => `${containers(roots)}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
