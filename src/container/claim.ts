import { lockWithin, tryLock } from "../../ffi/mod.ts";
import { removeIfThere } from "./definition.ts";
import { ContainerError } from "./find.ts";
import { knownContainers } from "./list.ts";
import type { Roots } from "./state.ts";

/** Who holds a name has only to write its container down. */
const WAIT_MS = 20_000;

/**
 * Takes a name that no container has yet, until whoever has it is written down: the lock of a file of
 * that name, which goes with its holder. What lasts of the name is the container alone.
 *
 * @returns to be disposed of when the container can be found by its name
 * @throws {ContainerError} if a container has it
 */
export async function claimName(roots: Roots, name: string): Promise<Disposable> {
  const directory = `${roots.run}/names`, path = `${directory}/${name}`;
  Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = lockWithin(WAIT_MS, () => tryLock(path, "new file"));
  if (!lock) {
    throw new ContainerError(`the name "${name}" is already in use: another command holds it`);
  }
  const claim = {
    [Symbol.dispose]() {
      removeIfThere(path); // While it is held: who waits for it makes a new one.
      lock.close();
    },
  };
  try {
    await refuseTaken(roots, name);
    return claim;
  } catch (error) {
    claim[Symbol.dispose]();
    throw error;
  }
}

async function refuseTaken(roots: Roots, name: string): Promise<void> {
  const holder = () =>
    knownContainers(roots).find((known) => known.name === name || known.state?.name === name);
  let taken = holder();
  if (taken && !taken.definition) {
    const { repair } = await import("./cleanup.ts");
    if (await repair(roots, "") > 0) taken = holder(); // Its minictr may have been killed.
  }
  if (!taken) return;
  throw new ContainerError(
    `the name "${name}" is already in use by container ${taken.id.slice(0, 12)}: ` +
      `remove or rename that one, or choose another name`,
  );
}
