/** Mounting: the calls of the new mount API, each filesystem of a container, overlayfs, id maps. */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  Fd,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  MOUNT_ATTR_IDMAP,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_PRIVATE,
  MS_REC,
  O_CLOEXEC,
  O_CREAT,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  syscall,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import { type Call, call, type Slot, slot } from "../plan/step.ts";
import { type Finding, type Group, lack, ok, type Probe, refused, skip } from "./check.ts";
import type { Host } from "./host.ts";
import { opened, writeText } from "./trial.ts";

const NEWER = "Boot Linux 5.12 or later; within another container, have its seccomp profile and " +
  "its engine allow mounts (CAP_SYS_ADMIN)";

/** Type, the namespace that a new one shows, what does not work without it, its kernel option. */
const FILESYSTEMS: readonly [
  type: string,
  namespace: Record<string, number>,
  lost: string,
  config: string,
][] = [
  ["tmpfs", {}, "No container starts: its /dev and /dev/shm are tmpfs", "CONFIG_TMPFS"],
  ["proc", { CLONE_NEWPID }, "No container starts: it has no /proc", "CONFIG_PROC_FS"],
  [
    "sysfs",
    { CLONE_NEWNET },
    "No container with a network of its own starts: it has no /sys",
    "CONFIG_SYSFS",
  ],
  ["devpts", {}, "No container starts: it has no /dev/pts", "CONFIG_UNIX98_PTYS"],
  ["mqueue", { CLONE_NEWIPC }, "No container starts: it has no /dev/mqueue", "CONFIG_POSIX_MQUEUE"],
];

export const MOUNTS: Group = {
  title: "Mounts",
  probes: [
    {
      id: "mount-api",
      what: "fsopen(2), fsmount(2), move_mount(2)",
      how: "A throw-away child in a mount namespace of its own makes a tmpfs and puts it on a " +
        "directory",
      consequence: "No container starts",
      remedy: NEWER,
      essential: true,
      root: true,
      look: mountApi,
    },
    {
      id: "mount-setattr",
      what: "open_tree(2), mount_setattr(2)",
      how: "Clones a directory as a detached mount, makes it read-only, and cannot write to it",
      consequence: "No bind mounts, nothing read-only and nothing masked, so that no container " +
        "starts",
      remedy: NEWER,
      essential: true,
      root: true,
      look: readOnlyTree,
    },
    ...FILESYSTEMS.map(filesystem),
    {
      id: "overlay",
      what: "overlayfs on the data root",
      how: "Mounts one, detached, whose layers are on the data root's filesystem; writes a file, " +
        "changes one of the lower layer and removes another",
      consequence: "No container starts from an image or the built-in root filesystem; `--rootfs " +
        "DIR` without `:O` works",
      remedy:
        "Boot a kernel with CONFIG_OVERLAY_FS (modprobe overlay), and keep the data root on " +
        "ext4, xfs, btrfs or tmpfs: minictr --root DIR",
      essential: true,
      root: true,
      look: overlay,
    },
    {
      id: "idmapped-mounts",
      what: "id-mapped mounts of the data root's filesystem",
      how: "Maps the ids of a detached mount of a directory there, mount_setattr(2) with " +
        "MOUNT_ATTR_IDMAP and the user namespace of a throw-away child",
      consequence:
        "Containers in user namespaces see the files of volumes and images as owned by " +
        "nobody",
      remedy: "Keep the data root on a filesystem that has them: ext4 and xfs since Linux 5.12, " +
        "btrfs since 5.15, tmpfs since 6.3; minictr --root DIR",
      root: true,
      look: idMappedMount,
    },
  ],
};

/** The calls that make a detached mount; fsopen(2), fsconfig(2), fsmount(2). */
function mountCalls(type: string, mount: Slot): Call[] {
  const context = slot("context");
  return [
    call("fsopen", [type, 0], { to: context }),
    call("fsconfig", [context, FSCONFIG_CMD_CREATE, 0, 0, 0]),
    call("fsmount", [context, 0, 0], { to: mount }),
  ];
}

function mountApi(host: Host): Finding {
  const mount = slot("mount");
  const { error } = host.try([
    // What is mounted in the child would appear on the host without this.
    call("mount", [0, "/", 0, MS_REC | MS_PRIVATE, 0]),
    ...mountCalls("tmpfs", mount),
    call("move_mount", [mount, "", AT_FDCWD, host.scratch, MOVE_MOUNT_F_EMPTY_PATH]),
    call("openat", [AT_FDCWD, `${host.scratch}/file`, O_WRONLY | O_CREAT, 0o600]),
  ], { namespaces: { CLONE_NEWNS } });
  return error ? refused(error) : ok("a tmpfs was mounted");
}

function filesystem([type, namespace, lost, config]: (typeof FILESYSTEMS)[number]): Probe {
  return {
    id: `filesystem-${type}`,
    what: type,
    how: "A throw-away child mounts one, detached, in namespaces of its own",
    consequence: lost,
    remedy: `Boot a kernel with ${config}; within another container, see that nothing is mounted ` +
      "over /proc and /sys there",
    root: true,
    essential: true,
    look: (host) => {
      const namespaces = { CLONE_NEWNS, ...namespace };
      const { error } = host.try(mountCalls(type, slot("mount")), { namespaces });
      return error ? refused(error) : ok("a new one was mounted");
    },
  };
}

const O_NEW = O_WRONLY | O_CREAT | O_CLOEXEC;
const ATTR_BYTES = 32; // struct mount_attr { u64 attr_set, attr_clr, propagation, userns_fd; }

function readOnlyTree({ scratch }: Host): Finding {
  const EROFS = -30;
  using tree = cloneTree(scratch);
  setAttributes(tree, MOUNT_ATTR_RDONLY, 0);
  const file = trySyscall("openat", tree.number, "file", O_NEW, 0o600);
  if (file >= 0) {
    trySyscall("close", file);
    return lack("a file could be made on a mount that was made read-only");
  }
  return file === EROFS ? ok("a read-only mount refused to be written to") : refused(
    new SyscallError("openat", -file),
  );
}

function cloneTree(directory: string): Fd {
  return opened("open_tree", AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

function setAttributes(tree: Fd, set: number, userNamespace: number): void {
  const attr = new BigUint64Array([BigInt(set), 0n, 0n, BigInt(userNamespace)]);
  const bytes = new Uint8Array(attr.buffer);
  syscall("mount_setattr", tree.number, "", AT_EMPTY_PATH, bytes, ATTR_BYTES);
}

function overlay(host: Host): Finding {
  const base = `${host.scratch}/overlay`;
  try {
    for (const name of ["lower", "upper", "work"]) {
      Deno.mkdirSync(`${base}/${name}`, { recursive: true });
    }
    Deno.writeTextFileSync(`${base}/lower/changed`, "before");
    Deno.writeTextFileSync(`${base}/lower/removed`, "");
    using context = opened("fsopen", "overlay", FSOPEN_CLOEXEC);
    for (const [key, name] of [["lowerdir", "lower"], ["upperdir", "upper"], ["workdir", "work"]]) {
      syscall("fsconfig", context.number, FSCONFIG_SET_STRING, `${key}`, `${base}/${name}`, 0);
    }
    syscall("fsconfig", context.number, FSCONFIG_CMD_CREATE, 0, 0, 0);
    using mount = opened("fsmount", context.number, FSMOUNT_CLOEXEC, 0);
    for (const name of ["new", "changed"]) {
      using file = opened("openat", mount.number, name, O_NEW, 0o600);
      syscall("write", file.number, "after!", 6);
    }
    syscall("unlinkat", mount.number, "removed", 0);
    if (Deno.readTextFileSync(`${base}/upper/changed`) !== "after!") {
      return lack("what was written did not reach the upper layer");
    }
    return ok(`layers on ${typeOf(host)} work`);
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error));
    return lack(`${message}, with the layers on ${typeOf(host)}`);
  } finally {
    Deno.removeSync(base, { recursive: true });
  }
}

function typeOf(host: Host): string {
  return host.mountAt(host.scratch)?.type ?? "?";
}

function idMappedMount(host: Host): Finding {
  let refusal: unknown, isMapped = false;
  const meanwhile = (pid: number) => {
    try {
      for (const map of ["uid_map", "gid_map"]) writeText(`/proc/${pid}/${map}`, "0 100000 65536");
      isMapped = true;
      using user = opened("openat", AT_FDCWD, `/proc/${pid}/ns/user`, O_RDONLY | O_CLOEXEC, 0);
      using tree = cloneTree(host.scratch);
      setAttributes(tree, MOUNT_ATTR_IDMAP, user.number);
      using _ = opened("openat", tree.number, ".", O_PATH | O_CLOEXEC, 0);
    } catch (error) {
      refusal = error;
    }
  };
  host.try([], { namespaces: { CLONE_NEWUSER }, meanwhile });
  if (refusal === undefined) return ok(`${typeOf(host)} has them`);
  const { message } = refusal instanceof Error ? refusal : new Error(String(refusal));
  if (!isMapped) return skip(`not tried: the ids 100000 to 165535 cannot be mapped: ${message}`);
  return lack(`${message}, on ${typeOf(host)}`);
}
