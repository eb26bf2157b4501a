import { lockWithin, tryLock } from "../../ffi/mod.ts";
import { dataDirectory, type Definition, readDefinition } from "./definition.ts";
import { ContainerError } from "./find.ts";
import type { Roots } from "./state.ts";

const WAIT_MS = 60_000;

/** A container whose definition nobody else changes meanwhile. */
export interface HeldDefinition extends Disposable {
  definition: Definition;
}

/**
 * The right to start, rename, update or remove a container, for one command at a time: flock(2) on
 * the directory of what lasts of it.
 *
 * It is taken behind the lock of a run (`createState`), never before: whoever holds it does not wait
 * for a run to end.
 *
 * @throws {ContainerError} if the container is gone, or another command keeps it too long
 */
export function holdDefinition(roots: Roots, id: string): HeldDefinition {
  const short = id.slice(0, 12);
  const fd = lockWithin(WAIT_MS, () => tryLock(dataDirectory(roots, id), "directory"));
  if (fd === undefined) {
    throw new ContainerError(`container "${short}" is held by another command: try again`);
  }
  const definition = fd && readDefinition(roots, id); // Whoever held it may have removed it.
  if (fd && definition) return { definition, [Symbol.dispose]: () => fd.close() };
  fd?.close();
  throw new ContainerError(`there is no container "${short}"`);
}
