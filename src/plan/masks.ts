import * as C from "../../ffi/constants.ts";
import { attach, newFilesystem, setAttributes } from "./calls.ts";
import { parseMountOptions } from "./mount_options.ts";
import { call, flags, ignore, type Slot, slot, type Step, step } from "./step.ts";
import { openInside } from "./target.ts";

const {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  OPEN_TREE_CLONE,
} = C;

const CLONE_EMPTY = flags({ OPEN_TREE_CLONE, AT_EMPTY_PATH });
const CLONE_BELOW = flags({ OPEN_TREE_CLONE, AT_EMPTY_PATH, AT_RECURSIVE });

/** What masked paths are covered with. */
export interface Masks {
  /** An empty, read-only directory. */
  directory: Slot;
  /** Of the container's own /dev, where null is a node that was made there a moment ago. */
  dev: Slot;
}

/**
 * Before the root is entered: the directory that masks. It is attached to the host's /proc in this
 * mount namespace, which goes away with the host's root, because only an attached mount can be
 * copied (until Linux 6.15). From here on the host's /proc cannot be used.
 */
export function prepareMask(directory: Slot): Step {
  const options = parseMountOptions(["ro", "nosuid", "nodev", "noexec", "mode=0", "size=4k"], "");
  return step("make an empty directory to mask with", [
    ...newFilesystem("tmpfs", "tmpfs", options, directory),
    call("move_mount", [
      directory,
      "",
      flags({ AT_FDCWD }),
      "/proc",
      flags({ MOVE_MOUNT_F_EMPTY_PATH }),
    ]),
  ]);
}

/**
 * Covers each of `linux.maskedPaths`: a directory with an empty one, a file with /dev/null. Only a
 * path that does not exist is left out; any other failure ends the start (CVE-2025-31133).
 */
export function maskSteps(root: Slot, paths: string[], { directory, dev }: Masks): Step[] {
  return paths.map((path) => {
    const target = slot(path);
    const cover = slot(`cover of ${path}`);
    const cover2 = slot(`null for ${path}`);
    return step(`mask ${path}`, [
      openInside(root, path.slice(1), {
        to: target,
        on: ignore("ENOENT"),
      }),
      call("open_tree", [directory, "", CLONE_EMPTY], { to: cover }),
      // A directory does not go on a file.
      {
        ...attach(cover, target),
        on: [{ value: 0, goto: "next" }, { errno: "any", goto: ".file" }],
      },
      call("open_tree", [dev, "null", flags({ OPEN_TREE_CLONE })], { to: cover2, id: ".file" }),
      attach(cover2, target),
    ]);
  });
}

/** Mounts each of `linux.readonlyPaths` read-only over itself. */
export function readonlySteps(root: Slot, paths: string[]): Step[] {
  return paths.map((path) => {
    const target = slot(path);
    const copy = slot(`copy of ${path}`);
    return step(`make ${path} read-only`, [
      openInside(root, path.slice(1), {
        to: target,
        on: ignore("ENOENT"),
      }),
      call("open_tree", [target, "", CLONE_BELOW], { to: copy }),
      setAttributes(copy, { set: { MOUNT_ATTR_RDONLY }, below: true }),
      attach(copy, target),
    ]);
  });
}
