import { ARCH, syscall, SyscallError, trySyscall } from "../../ffi/mod.ts";
import { call, flags, openChannel, slot, step } from "../plan/mod.ts";
import type { LinuxIDMapping, Spec } from "../spec/mod.ts";
import {
  assemble,
  awaitedBy,
  executableOf,
  launchSteps,
  PROGRAM_ADDRESS,
  resultOf,
  runHere,
} from "../stage/mod.ts";

const CLONE_NEWUSER = 0x1000_0000;

/** A user namespace with its maps, alive as long as its scope. */
export interface UserNamespace extends Disposable {
  /** Where it can be opened. */
  path: string;
}

/**
 * The spec with its new user namespace, if it has one, as one to be joined: it is made first, by
 * itself, so that its maps are written before anything is in it, and mounts can be mapped into it.
 */
export function withUserNamespace(spec: Spec, path: string): Spec {
  const namespaces = spec.linux?.namespaces?.map((namespace) =>
    namespace.type === "user" && namespace.path === undefined ? { ...namespace, path } : namespace
  );
  return namespaces ? { ...spec, linux: { ...spec.linux, namespaces } } : spec;
}

/** Whether a spec wants a user namespace of its own. */
export function wantsUserNamespace(spec: Spec): boolean {
  return spec.linux?.namespaces?.some(({ type, path }) => type === "user" && !path) ?? false;
}

/**
 * Makes a user namespace: a stage that is born in it and waits, while its maps are written;
 * user_namespaces(7).
 *
 * @throws {Error} for maps that the kernel refuses
 */
export function makeUserNamespace(spec: Spec, fallbackPath: string): UserNamespace {
  const ours = slot("channel"), theirs = slot("channel of the holder");
  const stage = assemble([
    step("hold the user namespace", [
      call("read", [theirs, new Uint8Array(8), 1]),
      call("exit_group", [0]),
    ]),
  ], { base: PROGRAM_ADDRESS, arch: ARCH });
  const launch = launchSteps({
    ...executableOf(stage),
    namespaces: flags({ CLONE_NEWUSER }),
    given: [theirs],
    fallbackPath,
  });
  const host = assemble([openChannel(ours, theirs), ...launch.steps], {
    base: "here",
    arch: ARCH,
    exports: awaitedBy(stage),
  });
  const failure = runHere(host);
  if (failure) {
    throw new Error("cannot make a user namespace; `minictr doctor` tells what restricts them", {
      cause: new SyscallError("clone3", failure.errno),
    });
  }
  const pid = resultOf(host, launch.pid);
  const holder: UserNamespace = {
    path: `/proc/${pid}/ns/user`,
    [Symbol.dispose]() {
      trySyscall("close", resultOf(host, ours));
      trySyscall("wait4", pid, 0, 0, 0);
      trySyscall("close", resultOf(host, launch.pidfd));
    },
  };
  try {
    writeMap(`/proc/${pid}/uid_map`, spec.linux?.uidMappings ?? []);
    writeMap(`/proc/${pid}/gid_map`, spec.linux?.gidMappings ?? []);
  } catch (error) {
    holder[Symbol.dispose]();
    throw error;
  }
  return holder;
}

/** One write(2) of the whole map, as the kernel wants it. */
function writeMap(path: string, mappings: LinuxIDMapping[]): void {
  const text = mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`)
    .join("");
  const O_WRONLY = 1, AT_FDCWD = -100;
  const fd = syscall("openat", AT_FDCWD, path, O_WRONLY, 0);
  const bytes = new TextEncoder().encode(text);
  const written = trySyscall("write", fd, bytes, bytes.length);
  syscall("close", fd);
  if (written !== bytes.length) {
    const shown = text.trim().replaceAll("\n", ", ");
    throw new Error(`cannot map ids "${shown}": they overlap, or the caller may not map them`, {
      cause: new SyscallError("write", -written),
    });
  }
}
