import {
  AT_FDCWD,
  Fd,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  MOUNT_ATTR_RDONLY,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  syscall,
} from "../../ffi/mod.ts";
import type { RootSource } from "../plan/mod.ts";

/** Opens a directory as a place to begin at; not to read. */
export function openPlace(path: string): Fd {
  return new Fd(syscall("openat", AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
}

/**
 * The files that a container begins with, before it has written any: a directory, or read-only
 * layers over one another. A mount that it takes is attached nowhere and goes with the descriptor.
 */
export function openImage(root: RootSource): Fd {
  if (root.kind === "directory") return openPlace(root.path);
  const [first = "", ...others] = root.lower;
  return others.length === 0 ? openPlace(first) : overlay(root.lower);
}

/**
 * The same with what the container has written, to be read. It may be running: what changes
 * meanwhile may or may not be seen.
 */
export function openMerged(root: RootSource): Fd {
  return root.kind === "directory" ? openPlace(root.path) : overlay([root.upper, ...root.lower]);
}

/** An overlay that cannot be written to, attached nowhere; fsopen(2), fsmount(2), overlayfs.rst. */
function overlay(lower: readonly string[]): Fd {
  using filesystem = new Fd(syscall("fsopen", "overlay", FSOPEN_CLOEXEC));
  const escaped = lower.map((path) => path.replace(/[\\:]/g, "\\$&")).join(":");
  syscall("fsconfig", filesystem.number, FSCONFIG_SET_STRING, "lowerdir", escaped, 0);
  syscall("fsconfig", filesystem.number, FSCONFIG_SET_FLAG, "ro", 0, 0);
  syscall("fsconfig", filesystem.number, FSCONFIG_CMD_CREATE, 0, 0, 0);
  return new Fd(syscall("fsmount", filesystem.number, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY));
}
