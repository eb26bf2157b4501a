/**
 * The store of unpacked root filesystems: `<data root>/rootfs/<name>/` with `rootfs/` and `meta.json`.
 *
 * A root is built in a directory `.building-…` beside its place and renamed into it, so that it is there whole
 * or not at all. Whoever builds holds a flock(2) on that directory's `lock`, which the kernel drops however the
 * builder ends: an unlocked one is left over, and the next command removes it.
 *
 * Everything is below a directory of mode 0700, since the trees hold setuid programs (CVE-2021-41091,
 * CVE-2021-41103, CVE-2024-25621).
 *
 * @see flock(2), rename(2)
 * @module
 */
import { lockWithin, tryLock } from "../../ffi/mod.ts";
import { isRootfsName, storeDirectory } from "./builtin.ts";
import { usersOf } from "./usage.ts";

/** What is known of a stored root filesystem: its meta.json. */
export interface RootfsMeta {
  name: string;
  /** The recipe that made it: `busybox`, `host`, `debootstrap`, `tar`. */
  recipe: string;
  /** Where it came from, for people: a file, an address, a suite, a package. */
  source: string;
  /** `x86_64` or `aarch64`. */
  architecture: string;
  /** ISO 8601, UTC. */
  created: string;
  /** Bytes of file content, each hard-linked file once. */
  sizeBytes: number;
  files: number;
  /** sha256 of the archive that it was unpacked from, in hex. */
  sha256?: string;
}

/** What a builder says of the tree that it has filled. */
export type Built = Pick<RootfsMeta, "recipe" | "source"> & { sha256?: string };

/** Something in the store is there already, is not there, or is in use. */
export class StoreError extends Error {
  override name = "StoreError";
}

const BUILDING = ".building-", REMOVING = ".removing-", LOCK = ".lock";
/** Another command holds the store's lock only while it makes or removes a name. */
const LOCK_TIMEOUT_MS = 30_000;

/** How `addRootfs` takes a name that is there already. */
export interface AddOptions {
  /** Puts the new one in its place; otherwise the one that is there first stays. */
  replace?: boolean;
}

/**
 * Builds a root filesystem under a name. Of two who build the same, the first to be ready stays.
 *
 * @param build fills the empty directory that it is given
 * @returns the root's metadata, those of the other builder where that one was first
 * @throws {StoreError} when the name cannot be one, or what it replaces is in use
 */
export async function addRootfs(
  dataRoot: string,
  name: string,
  build: (tree: string) => Promise<Built>,
  { replace = false }: AddOptions = {},
): Promise<RootfsMeta> {
  checkName(name);
  makeStore(dataRoot);
  const scratch = `${BUILDING}${crypto.randomUUID()}`;
  const directory = `${storeDirectory(dataRoot)}/${scratch}`;
  using _building = locked(dataRoot, () => {
    removeLeftovers(dataRoot);
    Deno.mkdirSync(directory, { mode: 0o700 });
    return tryLock(`${directory}/lock`, "new file");
  });
  try {
    const tree = `${directory}/rootfs`;
    Deno.mkdirSync(tree);
    Deno.chmodSync(tree, 0o755);
    const built = await build(tree);
    const meta = describe(name, tree, built);
    Deno.writeTextFileSync(`${directory}/meta.json`, JSON.stringify(meta, null, 2) + "\n");
    locked(dataRoot, () => put(dataRoot, name, scratch, replace));
    return readMeta(dataRoot, name) ?? meta;
  } finally {
    removeTree(directory);
  }
}

/** All roots of the store, by name; removes what interrupted commands have left. */
export function listRootfs(dataRoot: string): RootfsMeta[] {
  if (!exists(storeDirectory(dataRoot))) return [];
  locked(dataRoot, () => removeLeftovers(dataRoot));
  return [...Deno.readDirSync(storeDirectory(dataRoot))]
    .filter((entry) => entry.isDirectory && isRootfsName(entry.name))
    .map((entry) => readMeta(dataRoot, entry.name))
    .filter((meta) => meta !== undefined)
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** @throws {StoreError} when there is none of that name, or a mount still uses it */
export function removeRootfs(dataRoot: string, name: string): void {
  checkName(name);
  if (!exists(`${storeDirectory(dataRoot)}/${name}`)) {
    throw new StoreError(`no root filesystem "${name}": "minictr rootfs ls" shows those there are`);
  }
  locked(dataRoot, () => {
    removeLeftovers(dataRoot);
    setAside(dataRoot, name);
  });
}

/** Moves a finished root to its name, or leaves it to be discarded when the name is taken. */
function put(dataRoot: string, name: string, scratch: string, replace: boolean): void {
  const store = storeDirectory(dataRoot);
  if (exists(`${store}/${name}`)) {
    if (!replace) return;
    setAside(dataRoot, name);
  }
  Deno.removeSync(`${store}/${scratch}/lock`);
  Deno.renameSync(`${store}/${scratch}`, `${store}/${name}`);
}

/** Takes a root away from its name first, so that nobody starts in one that is half gone. */
function setAside(dataRoot: string, name: string): void {
  const store = storeDirectory(dataRoot);
  const users = usersOf(`${store}/${name}/rootfs`);
  if (users.length > 0) {
    const pids = users.slice(0, 5).join(", ");
    throw new StoreError(
      `cannot remove root filesystem "${name}": it is mounted for process ${pids}: ` +
        `stop the container first`,
    );
  }
  const aside = `${store}/${REMOVING}${crypto.randomUUID()}`;
  Deno.renameSync(`${store}/${name}`, aside);
  removeTree(aside);
}

/** Removes what a killed builder or remover has left. Call it under the store's lock. */
function removeLeftovers(dataRoot: string): void {
  const store = storeDirectory(dataRoot);
  for (const { name } of Deno.readDirSync(store)) {
    const path = `${store}/${name}`;
    if (name.startsWith(REMOVING)) removeTree(path);
    if (!name.startsWith(BUILDING)) continue;
    using lock = tryLock(`${path}/lock`, "new file");
    if (lock) removeTree(path);
  }
}

function locked<T>(dataRoot: string, act: () => T): T {
  const path = `${storeDirectory(dataRoot)}/${LOCK}`;
  using lock = lockWithin(LOCK_TIMEOUT_MS, () => tryLock(path, "new file"));
  if (lock) return act();
  throw new StoreError(`cannot lock "${path}" within ${LOCK_TIMEOUT_MS / 1000} s`);
}

function makeStore(dataRoot: string): void {
  for (const directory of [dataRoot, storeDirectory(dataRoot)]) {
    Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
  Deno.chmodSync(storeDirectory(dataRoot), 0o700); // Whoever made it, and with whatever umask.
}

function describe(name: string, tree: string, built: Built): RootfsMeta {
  let sizeBytes = 0, files = 0;
  const seen = new Set<string>();
  const walk = (directory: string) => {
    for (const entry of Deno.readDirSync(directory)) {
      const path = `${directory}/${entry.name}`;
      files++;
      if (entry.isDirectory) walk(path);
      else if (entry.isFile) {
        const { dev, ino, size } = Deno.lstatSync(path);
        if (!seen.has(`${dev}:${ino}`)) sizeBytes += size;
        seen.add(`${dev}:${ino}`);
      }
    }
  };
  walk(tree);
  const { sha256, ...rest } = built;
  return {
    name,
    ...rest,
    architecture: Deno.build.arch,
    created: new Date().toISOString(),
    sizeBytes,
    files,
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

/** The meta.json of a stored root, or `undefined` when it has none that can be read. */
export function readMeta(dataRoot: string, name: string): RootfsMeta | undefined {
  try {
    const meta: unknown = JSON.parse(
      Deno.readTextFileSync(`${storeDirectory(dataRoot)}/${name}/meta.json`),
    );
    return isMeta(meta) ? { ...meta, name } : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isMeta(value: unknown): value is RootfsMeta {
  if (typeof value !== "object" || value === null) return false;
  const fields = new Map(Object.entries(value));
  return ["recipe", "source", "architecture", "created"].every((key) =>
    typeof fields.get(key) === "string"
  ) && ["sizeBytes", "files"].every((key) => typeof fields.get(key) === "number");
}

function checkName(name: string): void {
  if (isRootfsName(name)) return;
  throw new StoreError(
    `${JSON.stringify(name)} cannot be a name: use letters, digits, "_", "." and "-"`,
  );
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** remove_dir_all of Rust does not follow links and works by descriptor (CVE-2022-21658). */
function removeTree(path: string): void {
  if (exists(path)) Deno.removeSync(path, { recursive: true });
}
