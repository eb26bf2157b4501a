import {
  ARCH,
  AT_EMPTY_PATH,
  AT_FDCWD,
  CLONE_NEWNS,
  Fd,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  MS_PRIVATE,
  MS_REC,
  O_PATH,
  syscall,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import { components, fromText, openIn, Tree } from "../image/mod.ts";
import type { Spec } from "../spec/mod.ts";
import { planView, type ViewPlan } from "../plan/view.ts";
import { assemble, resultOf, runHere } from "../stage/mod.ts";
import { dataDirectory, type Definition, readDefinedSpec } from "./definition.ts";
import { openPlace } from "./detached_root.ts";
import { ContainerError } from "./find.ts";
import { holdDefinition } from "./hold.ts";
import type { Known } from "./list.ts";
import { isRunning, isWaiting, readOwnSpec } from "./live.ts";
import { makeLayer, ownUserNamespace } from "./make.ts";
import { askedMounts } from "./mounts.ts";
import { type Roots, stateDirectory } from "./state.ts";

/** A container's files, as it sees them itself. */
export interface View extends Disposable {
  /** Its root directory, opened with O_PATH. Nothing below it is opened by a string alone. */
  root: Fd;
  spec: Spec;
  running: boolean;
}

const ENOENT = 2;

/**
 * The files of a container that runs, through its first process; of one that does not, its root
 * filesystem with the user's mounts, in a mount namespace that this thread alone is in from now on.
 *
 * @throws {ContainerError} if it runs no more, or nothing is kept of it
 */
export async function viewOf(roots: Roots, known: Known): Promise<View> {
  const { state, definition, id, name } = known;
  if (state && isRunning(state)) {
    const root = openPlace(`/proc/${state.pid}/root`);
    // Now the process that was meant is held, and none that has got its number meanwhile.
    const spec = isRunning(state) ? await readOwnSpec(stateDirectory(roots, id)) : undefined;
    if (spec) return { root, spec, running: true, [Symbol.dispose]: () => root.close() };
    root.close();
    throw new ContainerError(`container "${name}" has just ended: try again`);
  }
  if (state && isWaiting(state)) {
    throw new ContainerError(`container "${name}" is being restarted: stop it first`);
  }
  if (!definition) throw new ContainerError(`nothing is kept of container "${name}"`);
  return await stopped(roots, id);
}

async function stopped(roots: Roots, id: string): Promise<View> {
  using cleanup = new DisposableStack();
  const held = cleanup.use(holdDefinition(roots, id));
  const spec = await readDefinedSpec(roots, id);
  const { root, trees } = await open(roots, held.definition, spec);
  cleanup.use(root);
  for (const { fd } of trees) cleanup.use(fd);
  const place = dataDirectory(roots, id);
  syscall("unshare", CLONE_NEWNS);
  syscall("mount", 0, "/", 0, MS_REC | MS_PRIVATE, 0);
  syscall("move_mount", root.number, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH);
  cleanup.defer(() => trySyscall("umount2", place, MNT_DETACH));
  for (const { destination, kind, fd } of trees) {
    using target = await targetIn(root, destination, kind);
    const both = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    syscall("move_mount", fd.number, "", target.number, "", both);
  }
  if (spec.root?.readonly) makeReadonly(root);
  const kept = cleanup.move();
  return { root, spec, running: false, [Symbol.dispose]: () => kept.dispose() };
}

interface Opened {
  root: Fd;
  trees: { destination: string; kind: "directory" | "file"; fd: Fd }[];
}

/** Opens the same mounts as a start does. */
async function open(roots: Roots, { id, root, mapRoot }: Definition, spec: Spec): Promise<Opened> {
  if (root.kind === "overlay") makeLayer(root, mapRoot ? spec : undefined);
  using entered = await ownUserNamespace(spec, `${roots.run}/view.${id}`);
  const user = entered.spec.linux?.namespaces?.find(({ type }) => type === "user")?.path;
  const plan = planView(root, askedMounts(roots, id, spec), kindOf, mapRoot ? user : undefined);
  return carryOut(plan);
}

function carryOut(plan: ViewPlan): Opened {
  const program = assemble(plan.steps, { base: "here", arch: ARCH });
  const failure = runHere(program);
  if (failure) {
    const failed = plan.steps[failure.step];
    const cause = new SyscallError(failed?.calls[failure.call]?.name ?? "call", failure.errno);
    const hint = failed?.hints?.[cause.code];
    const what = `cannot ${failed?.label ?? "open the files"}: ${cause.message}`;
    throw new ContainerError(hint ? `${what}: ${hint}` : what, { cause });
  }
  return {
    root: new Fd(resultOf(program, plan.root)),
    trees: plan.trees.map(({ destination, kind, tree }) => ({
      destination,
      kind: kind === "directory" ? "directory" : "file",
      fd: new Fd(resultOf(program, tree)),
    })),
  };
}

/** Where something is mounted; made where it is not there, as a start makes it. */
async function targetIn(
  root: Fd,
  destination: string,
  kind: "directory" | "file",
): Promise<Fd> {
  const path = fromText(destination);
  try {
    return openIn(root, path, O_PATH);
  } catch (error) {
    if (!(error instanceof SyscallError) || error.errno !== ENOENT) throw error;
  }
  using tree = new Tree(root, { crossMounts: true });
  const parts = components(path);
  const attributes = { uid: 0, gid: 0, mode: 0o755, mtimeSeconds: Date.now() / 1000 };
  if (kind === "directory") {
    tree.directory(parts, attributes);
    tree.finishDirectory(parts, attributes);
  } else await tree.file(parts, attributes, []);
  return openIn(root, path, O_PATH);
}

function makeReadonly(root: Fd): void {
  // struct mount_attr { u64 attr_set, attr_clr, propagation, userns_fd; }
  const attributes = new Uint8Array(
    new BigUint64Array([BigInt(MOUNT_ATTR_RDONLY), 0n, 0n, 0n]).buffer,
  );
  syscall("mount_setattr", root.number, "", AT_EMPTY_PATH, attributes, attributes.length);
}

function kindOf(source: string): "directory" | "file" {
  try {
    return Deno.statSync(source).isDirectory ? "directory" : "file";
  } catch {
    return "file";
  }
}
