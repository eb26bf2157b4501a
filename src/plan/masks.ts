import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
  OPEN_TREE_CLONE,
  S_IFCHR,
  S_IFMT,
} from "../../ffi/constants.ts";
import { attach, newFilesystem, setAttributes } from "./calls.ts";
import { parseMountOptions } from "./mount_options.ts";
import {
  type Call,
  call,
  flags,
  ignore,
  place,
  type Room,
  room,
  type Slot,
  slot,
  type Step,
  step,
} from "./step.ts";
import { openInside, openPlain } from "./target.ts";

const CLONE_EMPTY = flags({ OPEN_TREE_CLONE, AT_EMPTY_PATH });
const OPEN_PATH = flags({ O_PATH, O_CLOEXEC });
const CLONE_BELOW = flags({ OPEN_TREE_CLONE, AT_EMPTY_PATH, AT_RECURSIVE });

/** What masked paths are covered with. */
export interface Masks {
  /** An empty, read-only directory. */
  directory: Slot;
  /** The container's /dev, whose null is looked at before it is used: it may be the image's. */
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
  if (paths.length === 0) return [];
  const nullNode = slot("null");
  return [
    openNull(dev, nullNode),
    ...paths.map((path) => {
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
        call("open_tree", [nullNode, "", CLONE_EMPTY], { to: cover2, id: ".file" }),
        attach(cover2, target),
      ]);
    }),
  ];
}

const STATX_TYPE = 1;
const STATX_SIZE = 256; // Bytes; struct statx.
const STX_MODE = 28, STX_RDEV_MAJOR = 128, STX_RDEV_MINOR = 132; // Byte offsets in it.

/**
 * The null device of /dev, and nothing else: where the spec mounts nothing on /dev, the image may
 * have put a link to a file of the host in its place, which would be bound into the container, to be
 * read and written (CVE-2025-31133); statx(2).
 */
function openNull(dev: Slot, to: Slot): Step {
  const status = room("struct statx", STATX_SIZE);
  const mode = slot("mode"), type = slot("type");
  return step("see that /dev/null is the null device", [
    openPlain(dev, "null", { to }, OPEN_PATH),
    call("statx", [to, "", flags({ AT_EMPTY_PATH }), STATX_TYPE, status]),
    call("load32", [place(status, STX_MODE)], { to: mode }),
    call("and", [mode, S_IFMT], { to: type, on: [{ value: S_IFCHR, goto: ".major" }] }),
    refuse(to),
    ...must(status, STX_RDEV_MAJOR, 1, { id: ".major", goto: ".minor" }, to),
    ...must(status, STX_RDEV_MINOR, 3, { id: ".minor", goto: "next" }, to),
  ], {
    ELOOP: "/dev/null of the root filesystem is a symbolic link, which is refused",
    ENOTDIR: "/dev/null of the root filesystem is something else",
    ENOENT: "/dev/null of the root filesystem is something else, or missing",
  });
}

function must(
  status: Room,
  offset: number,
  value: number,
  { id, goto }: { id: string; goto: string },
  node: Slot,
): Call[] {
  return [call("load32", [place(status, offset)], { id, on: [{ value, goto }] }), refuse(node)];
}

/** Fails: nothing lies below a file, and a directory has nothing of this name. */
function refuse(node: Slot): Call {
  return call("openat", [node, "is not the null device", flags({ O_NOFOLLOW, O_CLOEXEC }), 0]);
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
