/**
 * Where an unpacked root filesystem lies in the store. This is on the way of `run`: it imports nothing.
 *
 * @module
 */

/** The name of the root filesystem that a command runs in when no other is named. */
export const BUILTIN = "builtin";

/** The directory of all roots in the store. */
export function storeDirectory(dataRoot: string): string {
  return `${dataRoot}/rootfs`;
}

/** The root directory of a stored root filesystem, ready to be a lower directory of an overlay. */
export function treeOf(dataRoot: string, name: string): string {
  return `${storeDirectory(dataRoot)}/${name}/rootfs`;
}

/** Whether something can be the name of a root filesystem: docker's grammar for names. */
export function isRootfsName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name);
}

/**
 * The lower directory of the root filesystem `name`, or `undefined` when the store has none: one stat(2).
 *
 * @throws {Deno.errors.PermissionDenied} when the store cannot be looked into
 */
export function storedRootfs(dataRoot: string, name: string): string | undefined {
  return isRootfsName(name) ? ifDirectory(treeOf(dataRoot, name)) : undefined;
}

/** The lower directory of the built-in root filesystem, or `undefined` while it has not been built. */
export function builtinRootfs(dataRoot: string): string | undefined {
  return ifDirectory(treeOf(dataRoot, BUILTIN));
}

function ifDirectory(path: string): string | undefined {
  try {
    return Deno.statSync(path).isDirectory ? path : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
