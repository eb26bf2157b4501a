import {
  AT_FDCWD,
  AT_RECURSIVE,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_PRIVATE,
  MS_REC,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  O_CLOEXEC,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "../../ffi/constants.ts";
import type { MountOptions } from "./mount_options.ts";
import { newFilesystem, setAttributes } from "./calls.ts";
import { type Call, call, flags, type Slot, slot, type Step, step } from "./step.ts";

/** Where the root filesystem comes from. */
export type RootSource =
  /** A directory, used as it is. */
  | { kind: "directory"; path: string }
  /** A writable layer over read-only ones; `volatile` where the layer need not outlive a crash. */
  | { kind: "overlay"; lower: string[]; upper: string; work: string; volatile: boolean };

/** What more there is to say of a root filesystem. */
export interface RootOptions {
  /** A user namespace: the files of the host's root belong to its root. */
  idmap?: Slot | undefined;
  /** `linux.rootfsPropagation`. */
  propagation?: string | undefined;
}

/** Host's side: the root filesystem as a detached mount in `root`. */
export function openRoot(source: RootSource, root: Slot, options: RootOptions): Step[] {
  if (source.kind === "directory") return [openDirectory(source.path, root, options)];
  const { idmap } = options;
  const { lower, upper, work } = source;
  // What is written goes to the upper layer with the ids that the namespace maps to; only the lower
  // ones, which containers share, appear under other ids. They are named by descriptors.
  const mapped = idmap
    ? lower.map((path, index) => mappedTree(path, FIRST_LAYER_FD + index, idmap))
    : [];
  const lowers = lower.map((path, index) =>
    idmap ? `/proc/self/fd/${FIRST_LAYER_FD + index}` : path
  );
  const mount: MountOptions = {
    set: {},
    clear: {},
    setBelow: {},
    clearBelow: {},
    copyUp: false,
    data: [
      `lowerdir=${lowers.map(escapeLayer).join(":")}`,
      `upperdir=${escapeLayer(upper)}`,
      `workdir=${escapeLayer(work)}`,
      ...source.volatile ? ["volatile"] : [], // No sync when it goes; since Linux 5.10.
    ],
  };
  const mapping = step("map the layers into the user namespace", mapped.flat(), {
    EINVAL: `the filesystem of "${lower.join(":")}" cannot be mapped; tmpfs can since Linux 6.3`,
  });
  const mounting = step("mount overlay as the root filesystem", [
    ...newFilesystem("overlay", "overlay", mount, root, true),
    ...mapped.map((_, index) => call("close", [FIRST_LAYER_FD + index])),
  ], {
    ENOENT: `lowerdir "${lower.join(":")}", upperdir "${upper}" or workdir "${work}" is missing`,
    ENODEV: "the kernel has no overlay filesystem; modprobe overlay may load it",
    EINVAL: `"${upper}" cannot hold a writable layer: an overlay or a network filesystem cannot`,
  });
  return idmap ? [mapping, mounting] : [mounting];
}

/** Descriptors that nothing else has: a layer's path is known before its mount is opened. */
const FIRST_LAYER_FD = 300;

/** One that is to be a slave, or shared, hears of the host's mounts; the host never hears of its. */
function openDirectory(path: string, root: Slot, { idmap, propagation = "" }: RootOptions): Step {
  const hears = /^r?(slave|shared)$/.test(propagation);
  return step(`open the root filesystem ${path}`, [
    call("open_tree", [flags({ AT_FDCWD }), path, flags({ OPEN_TREE_CLONE, AT_RECURSIVE })], {
      to: root,
    }),
    setAttributes(root, { propagation: hears ? { MS_SLAVE } : { MS_PRIVATE }, below: true }),
    ...idmap ? [setAttributes(root, { idmap, below: false })] : [],
  ], {
    ENOENT: `the root filesystem "${path}" does not exist`,
    ENOTDIR: `the root filesystem "${path}" is not a directory`,
    EINVAL: `the filesystem of "${path}" cannot be mapped into a user namespace`,
  });
}

function mappedTree(path: string, fd: number, idmap: Slot): Call[] {
  const tree = slot(`mapped ${path}`);
  return [
    call("open_tree", [flags({ AT_FDCWD }), path, flags({ OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC })], {
      to: tree,
    }),
    setAttributes(tree, { idmap, below: false }),
    call("dup3", [tree, fd, flags({ O_CLOEXEC })]),
    call("close", [tree]),
  ];
}

/** `:` and `\` separate and escape in overlay's lists of layers. */
function escapeLayer(path: string): string {
  return path.replace(/[\\:]/g, "\\$&");
}

/**
 * Container's side: nothing that is mounted from here on is seen by the host, nor the reverse. Whatever
 * the root's propagation is to be: were these mounts shared, the root would be mounted over the host's.
 */
export function privateMounts(): Step {
  return step("cut the mounts off from the host's", [
    call("mount", [0, "/", 0, flags({ MS_REC, MS_PRIVATE }), 0]),
  ]);
}

const PROPAGATIONS: Record<string, Record<string, number>> = {
  private: { MS_PRIVATE },
  slave: { MS_SLAVE },
  shared: { MS_SHARED },
  unbindable: { MS_UNBINDABLE },
};

/**
 * Container's side: `linux.rootfsPropagation`, when the root is entered: a shared one could not be;
 * pivot_root(2).
 */
export function propagateRoot(root: Slot, propagation: string): Step {
  const below = propagation.startsWith("r");
  const kind = PROPAGATIONS[below ? propagation.slice(1) : propagation] ?? { MS_PRIVATE };
  return step(`make the root filesystem ${propagation}`, [
    setAttributes(root, { propagation: kind, below }),
  ]);
}

/** Container's side: the root is mounted over the host's, in the container's mount namespace only. */
export function attachRoot(root: Slot): Step {
  return step("attach the root filesystem", [
    call("move_mount", [root, "", flags({ AT_FDCWD }), "/", flags({ MOVE_MOUNT_F_EMPTY_PATH })]),
  ]);
}

/** Container's side: the root becomes `/`, and the host's files are gone; pivot_root(2). */
export function enterRoot(root: Slot): Step {
  return step("make it the root and let go of the host's files", [
    call("fchdir", [root]),
    call("pivot_root", [".", "."]), // The old root lies on top of the new one.
    call("umount2", [".", flags({ MNT_DETACH })]),
    call("chdir", ["/"]),
  ], {
    EINVAL: "minictr itself runs in a chroot, or from an initramfs, which cannot be left behind",
  });
}

/** Container's side: `root.readonly`; the mounts below stay as they are. */
export function readonlyRoot(root: Slot): Step {
  return step("make the root filesystem read-only", [
    setAttributes(root, { set: { MOUNT_ATTR_RDONLY }, below: false }),
  ]);
}
