/**
 * Stopping all processes of a cgroup in their tracks, and letting them go on.
 * @see the kernel's cgroup-v1/freezer-subsystem.rst and cgroup-v2.rst (cgroup.freeze)
 * @module
 */
import { type CgroupHost, controllerDirectory, whyMissing } from "./host.ts";
import { subtree, textOf, waitUntil, writeIfThere } from "./live.ts";

/** Where a cgroup is frozen, and how. */
interface Freezer {
  directory: string;
  file: string;
  frozen: string;
  thawed: string;
  /** The kernel says that no process of it runs any more. */
  isFrozen(): boolean;
  isThawed(): boolean;
  /** It is neither thawed nor gone. */
  isHeld(): boolean;
}

/**
 * Freezes a cgroup with all below it, and waits until nothing in it runs.
 * @throws Error where there is no freezer or no such cgroup; or after the time, and then the
 * cgroup has been thawed again
 */
export function freeze(host: CgroupHost, path: string, timeoutMs = 10_000): void {
  const freezer = freezerOf(host, path);
  if (freezer === undefined) {
    throw new Error(`cannot freeze the cgroup "${path}": ${whyMissing(host, "freezer")}`);
  }
  let attempts = 0;
  const frozen = waitUntil(() => {
    // Version 1 can be stuck at FREEZING while processes fork or wait; thawed, they get past that.
    if (attempts++ % 20 === 19) writeIfThere(freezer.file, freezer.thawed);
    if (!writeIfThere(freezer.file, freezer.frozen)) {
      throw new Error(`cannot freeze the cgroup "${path}": there is no "${freezer.file}"`);
    }
    return freezer.isFrozen();
  }, timeoutMs);
  if (frozen) return;
  writeIfThere(freezer.file, freezer.thawed);
  throw new Error(
    `cannot freeze the cgroup "${path}": something in it still runs after ${timeoutMs} ms`,
  );
}

/**
 * Lets a frozen cgroup go on, and waits until it does; one that is not frozen is fine.
 * @throws Error where there is no freezer or no such cgroup; or after the time, as for a cgroup
 * whose parent is frozen
 */
export function thaw(host: CgroupHost, path: string, timeoutMs = 10_000): void {
  const freezer = freezerOf(host, path);
  if (freezer === undefined) {
    throw new Error(`cannot thaw the cgroup "${path}": ${whyMissing(host, "freezer")}`);
  }
  if (!writeIfThere(freezer.file, freezer.thawed)) {
    throw new Error(`cannot thaw the cgroup "${path}": there is no "${freezer.file}"`);
  }
  if (waitUntil(freezer.isThawed, timeoutMs)) return;
  throw new Error(
    `cannot thaw the cgroup "${path}": still frozen after ${timeoutMs} ms; is its parent frozen?`,
  );
}

/** Whether a cgroup is frozen, or about to be, by itself or with a parent; false: gone. */
export function isFrozen(host: CgroupHost, path: string): boolean {
  return freezerOf(host, path)?.isHeld() ?? false;
}

/** What thaws a cgroup: a file, and what is written to it; undefined where there is no freezer. */
export function thawing(
  host: CgroupHost,
  path: string,
): { file: string; text: string } | undefined {
  const freezer = freezerOf(host, path);
  return freezer && { file: freezer.file, text: freezer.thawed };
}

/** Thaws a cgroup and all below it, without waiting: what was frozen inside goes on as well. */
export function thawAll(host: CgroupHost, path: string): void {
  const freezer = freezerOf(host, path);
  if (freezer === undefined) return;
  const name = freezer.file.slice(freezer.directory.length);
  for (const directory of subtree(freezer.directory)) {
    writeIfThere(directory + name, freezer.thawed);
  }
}

/** The freezer of version 1 where it is mounted; otherwise, also on a hybrid host, cgroup2's. */
function freezerOf(host: CgroupHost, path: string): Freezer | undefined {
  const v1 = host.version === 1 ? controllerDirectory(host, "freezer", path) : undefined;
  if (v1 !== undefined) {
    const file = `${v1}/freezer.state`;
    // Reading it is what makes the kernel look whether FREEZING has become FROZEN.
    const state = () => textOf(file)?.trim();
    return {
      directory: v1,
      file,
      frozen: "FROZEN",
      thawed: "THAWED",
      isFrozen: () => state() === "FROZEN",
      isThawed: () => state() === "THAWED",
      isHeld: () => (state() ?? "THAWED") !== "THAWED",
    };
  }
  if (host.unified === undefined) return undefined;
  const directory = host.unified.mountPoint + path;
  const file = `${directory}/cgroup.freeze`;
  const frozen = () => textOf(`${directory}/cgroup.events`)?.includes("frozen 1") ?? false;
  const wanted = () => textOf(file)?.trim();
  return {
    directory,
    file,
    frozen: "1",
    thawed: "0",
    isFrozen: frozen,
    isThawed: () => wanted() === "0" && !frozen(),
    isHeld: () => (wanted() ?? "0") !== "0" || frozen(),
  };
}
