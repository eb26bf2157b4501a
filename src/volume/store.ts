import {
  AT_FDCWD,
  type Fd,
  lockWithin,
  RENAME_NOREPLACE,
  SyscallError,
  tryLock,
  trySyscall,
} from "../../ffi/mod.ts";

/** What is known of a volume: its volume.json. */
export interface Volume {
  version: 1;
  name: string;
  /** ISO 8601. */
  created: string;
  labels: Record<string, string>;
  /** docker's local driver's: type, device, o. */
  options: Record<string, string>;
}

/** A volume is not there, is in use, or cannot be as it is wanted. */
export class VolumeError extends Error {
  override name = "VolumeError";
}

/** The label of a volume that nobody gave a name; docker's. */
const ANONYMOUS = "com.docker.volume.anonymous";
const NEW = ".new-", REMOVING = ".removing-";
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const EEXIST = 17;
const LOCK_WAIT_MS = 20_000;

/** The directory of all volumes. */
function store(dataRoot: string): string {
  return `${dataRoot}/volumes`;
}

/** Whether something can be the name of a volume: docker's grammar. */
export function isVolumeName(name: string): boolean {
  return NAME.test(name) && name.length <= 255;
}

/** The directory of a volume's files. */
export function dataOf(dataRoot: string, name: string): string {
  return `${store(dataRoot)}/${name}/_data`;
}

/** The volume whose files lie at a path; undefined for any other path. */
export function nameOfData(dataRoot: string, path: string): string | undefined {
  const [, name] = /^\/([^/]+)\/_data$/.exec(
    path.startsWith(store(dataRoot)) ? path.slice(store(dataRoot).length) : "",
  ) ?? [];
  return name;
}

/** Whether nobody gave it a name: it goes with its container. */
export function isAnonymous({ labels }: Volume): boolean {
  return Object.hasOwn(labels, ANONYMOUS);
}

/**
 * Makes a volume, or finds the one of that name that is there, whoever made it first.
 *
 * @param wanted without a name: an anonymous one; without options: whatever is there will do
 * @throws {VolumeError} for a name that cannot be one, and for one that is there with other options
 */
export function createVolume(
  dataRoot: string,
  wanted: { name?: string; labels?: Record<string, string>; options?: Record<string, string> } = {},
  anonymous = wanted.name === undefined,
): Volume {
  const { name = newName() } = wanted;
  if (!isVolumeName(name)) {
    throw new VolumeError(
      `${
        JSON.stringify(name)
      } cannot be a volume's name: two or more letters, digits, "_", "." and "-"`,
    );
  }
  const known = readVolume(dataRoot, name);
  if (known) return sameAs(known, wanted.options);
  const labels = { ...wanted.labels, ...anonymous ? { [ANONYMOUS]: "" } : {} };
  const options = wanted.options ?? {};
  const volume: Volume = { version: 1, name, created: new Date().toISOString(), labels, options };
  if (make(dataRoot, volume)) return volume;
  const first = readVolume(dataRoot, name); // Another command was first.
  if (first) return sameAs(first, wanted.options);
  throw new VolumeError(`cannot make volume "${name}": something else has its place`);
}

/** All volumes, by name; what interrupted commands left is removed. */
export function listVolumes(dataRoot: string): Volume[] {
  const names = namesIn(dataRoot);
  for (const name of names) if (name.startsWith(".")) removeLeftover(`${store(dataRoot)}/${name}`);
  return names.map((name) => readVolume(dataRoot, name))
    .filter((volume) => volume !== undefined)
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** What is known of a volume; undefined where there is none of that name. */
export function readVolume(dataRoot: string, name: string): Volume | undefined {
  if (!isVolumeName(name)) return undefined;
  try {
    const value: unknown = JSON.parse(
      Deno.readTextFileSync(`${store(dataRoot)}/${name}/volume.json`),
    );
    return isVolume(value) ? value : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Removes a volume with its files.
 *
 * @param usersOf asked under the lock: the names of the containers that use it
 * @throws {VolumeError} if one does, or one is being started with it
 */
export function removeVolume(dataRoot: string, name: string, usersOf: () => string[]): void {
  if (!readVolume(dataRoot, name)) throw new VolumeError(`there is no volume "${name}"`);
  using lock = tryLock(lockOf(dataRoot, name), "new file");
  if (lock === null) return;
  const users = lock ? usersOf() : ["another command"];
  if (users.length > 0) {
    const names = users.map((user) => lock ? `"${user}"` : user).join(", ");
    throw new VolumeError(`volume "${name}" is in use by ${names}: remove that first`);
  }
  const aside = `${store(dataRoot)}/${REMOVING}${crypto.randomUUID()}`;
  Deno.renameSync(`${store(dataRoot)}/${name}`, aside);
  Deno.removeSync(aside, { recursive: true });
}

/**
 * Keeps a volume from being removed, or filled by another, until the descriptor is closed.
 *
 * @throws {VolumeError} where it is not there any more, or another keeps it too long
 */
export function holdVolume(dataRoot: string, name: string): Fd {
  const lock = lockWithin(LOCK_WAIT_MS, () => tryLock(lockOf(dataRoot, name), "new file"));
  if (lock === null) throw new VolumeError(`there is no volume "${name}"`);
  if (lock === undefined) throw new VolumeError(`volume "${name}" is held by another command`);
  return lock;
}

/** Made where it is missing; it is not where the volume's directory is not. */
function lockOf(dataRoot: string, name: string): string {
  return `${store(dataRoot)}/${name}/lock`;
}

/** Bytes of a volume's files. */
export function volumeSize(dataRoot: string, name: string): number {
  const below = (directory: string): number => {
    let sum = 0;
    for (const entry of Deno.readDirSync(directory)) {
      const path = `${directory}/${entry.name}`;
      try {
        if (entry.isDirectory) sum += below(path);
        else if (entry.isFile) sum += Deno.lstatSync(path).size;
      } catch (error) {
        if (!(error instanceof Error)) throw error; // Removed meanwhile.
      }
    }
    return sum;
  };
  return below(dataOf(dataRoot, name));
}

/** @returns false where the name is taken */
function make(dataRoot: string, volume: Volume): boolean {
  const scratch = `${store(dataRoot)}/${NEW}${crypto.randomUUID()}`;
  const place = `${store(dataRoot)}/${volume.name}`;
  Deno.mkdirSync(store(dataRoot), { recursive: true, mode: 0o700 });
  Deno.chmodSync(store(dataRoot), 0o700); // Whoever made it, with whatever umask.
  Deno.mkdirSync(scratch, { mode: 0o700 });
  using _ = tryLock(`${scratch}/lock`, "new file"); // Whoever lists volumes leaves it alone.
  Deno.mkdirSync(`${scratch}/_data`);
  Deno.chmodSync(`${scratch}/_data`, 0o755);
  Deno.writeTextFileSync(`${scratch}/volume.json`, `${JSON.stringify(volume, null, 2)}\n`, {
    mode: 0o600,
  });
  const moved = trySyscall("renameat2", AT_FDCWD, scratch, AT_FDCWD, place, RENAME_NOREPLACE);
  if (moved === 0) return true;
  Deno.removeSync(scratch, { recursive: true });
  if (moved !== -EEXIST) throw new SyscallError(`cannot make "${place}"`, -moved);
  return false;
}

/** A directory that its maker does not hold any more. */
function removeLeftover(path: string): void {
  using lock = tryLock(`${path}/lock`);
  if (lock === undefined) return;
  if (lock === null && path.includes(`/${NEW}`)) return; // Its lock is the first that is made in it.
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // Another was first.
  }
}

function sameAs(volume: Volume, options: Record<string, string> | undefined): Volume {
  const text = (map: Record<string, string>) => JSON.stringify(Object.entries(map).sort());
  if (options === undefined || text(options) === text(volume.options)) return volume;
  throw new VolumeError(`volume "${volume.name}" is there already, with other options`);
}

function newName(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}

function namesIn(dataRoot: string): string[] {
  try {
    return Array.from(Deno.readDirSync(store(dataRoot)), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function isVolume(value: unknown): value is Volume {
  return typeof value === "object" && value !== null && "version" in value &&
    value.version === 1 && "name" in value && "labels" in value && "options" in value;
}
