import {
  AT_FDCWD,
  Fd,
  LOCK_EX,
  LOCK_NB,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import { dataDirectory, type Definition, readDefinition } from "./definition.ts";
import { ContainerError } from "./find.ts";
import type { Roots } from "./state.ts";

const WAIT_MS = 60_000, POLL_MS = 10;
const ENOENT = -2;

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
export async function holdDefinition(roots: Roots, id: string): Promise<HeldDefinition> {
  const path = dataDirectory(roots, id);
  const opened = trySyscall("openat", AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (opened === ENOENT) throw new ContainerError(`there is no container "${id.slice(0, 12)}"`);
  if (opened < 0) throw new SyscallError(`cannot open "${path}"`, -opened);
  const fd = new Fd(opened);
  try {
    for (const until = performance.now() + WAIT_MS;;) {
      if (trySyscall("flock", fd.number, LOCK_EX | LOCK_NB) === 0) break;
      if (performance.now() >= until) {
        throw new ContainerError(
          `container "${id.slice(0, 12)}" is held by another command: try again`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const definition = readDefinition(roots, id); // Whoever held it may have removed it.
    if (!definition) throw new ContainerError(`there is no container "${id.slice(0, 12)}"`);
    return { definition, [Symbol.dispose]: () => fd.close() };
  } catch (error) {
    fd.close();
    throw error;
  }
}
