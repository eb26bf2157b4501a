import * as C from "../../ffi/constants.ts";
import type { MountOptions } from "./mount_options.ts";
import { newFilesystem, setAttributes } from "./calls.ts";
import { call, flags, type Slot, type Step, step } from "./step.ts";

/** Where the root filesystem comes from. */
export type RootSource =
  /** A directory, used as it is. */
  | { kind: "directory"; path: string }
  /** A writable layer over read-only ones; `volatile` where the layer need not outlive a crash. */
  | { kind: "overlay"; lower: string[]; upper: string; work: string; volatile: boolean };

const {
  AT_FDCWD,
  AT_RECURSIVE,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_PRIVATE,
  MS_REC,
  OPEN_TREE_CLONE,
} = C;

/** Host's side: the root filesystem as a detached mount in `root`. */
export function openRoot(source: RootSource, root: Slot): Step {
  if (source.kind === "directory") {
    return step(`open the root filesystem ${source.path}`, [
      call("open_tree", [
        flags({ AT_FDCWD }),
        source.path,
        flags({ OPEN_TREE_CLONE, AT_RECURSIVE }),
      ], { to: root }),
      setAttributes(root, { propagation: { MS_PRIVATE }, below: true }),
    ], {
      ENOENT: `the root filesystem "${source.path}" does not exist`,
      ENOTDIR: `the root filesystem "${source.path}" is not a directory`,
    });
  }
  const { lower, upper, work } = source;
  const options: MountOptions = {
    set: {},
    clear: {},
    setBelow: {},
    clearBelow: {},
    copyUp: false,
    data: [
      `lowerdir=${lower.map(escapeLayer).join(":")}`,
      `upperdir=${escapeLayer(upper)}`,
      `workdir=${escapeLayer(work)}`,
      ...source.volatile ? ["volatile"] : [], // No sync when it goes; since Linux 5.10.
    ],
  };
  return step(
    "mount overlay as the root filesystem",
    newFilesystem("overlay", "overlay", options, root, true),
    {
      ENOENT: `lowerdir "${lower.join(":")}", upperdir "${upper}" or workdir "${work}" is missing`,
      ENODEV: "the kernel has no overlay filesystem; modprobe overlay may load it",
      EINVAL: `"${upper}" cannot hold a writable layer: an overlay or a network filesystem cannot`,
    },
  );
}

/** `:` and `\` separate and escape in overlay's lists of layers. */
function escapeLayer(path: string): string {
  return path.replace(/[\\:]/g, "\\$&");
}

/** Container's side: nothing that is mounted from here on is seen by the host, nor the reverse. */
export function privateMounts(propagation: string | undefined): Step {
  const { MS_SLAVE, MS_SHARED, MS_UNBINDABLE } = C;
  const kinds: Record<string, Record<string, number>> = {
    slave: { MS_SLAVE },
    shared: { MS_SHARED },
    unbindable: { MS_UNBINDABLE },
  };
  const kind = kinds[propagation?.replace(/^r/, "") ?? ""] ?? { MS_PRIVATE };
  return step("cut the mounts off from the host's", [
    call("mount", [0, "/", 0, flags({ MS_REC, ...kind }), 0]),
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
