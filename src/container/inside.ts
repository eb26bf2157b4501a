import {
  AT_FDCWD,
  Fd,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  trySyscall,
} from "../../ffi/mod.ts";

const OPEN_HOW_SIZE = 24; // Bytes.

/**
 * Opens a file inside a root that somebody else may have made: links resolve inside it, /proc's magic
 * links not at all, and a FIFO does not hang; openat2(2).
 *
 * @returns a descriptor for reading; undefined where there is no such file
 */
export function openInRoot(root: string, path: string): Fd | undefined {
  const directory = trySyscall("openat", AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (directory < 0) return undefined;
  using held = new Fd(directory);
  const how = new BigUint64Array([
    BigInt(O_CLOEXEC | O_NONBLOCK),
    0n,
    BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS),
  ]);
  const bytes = new Uint8Array(how.buffer);
  const opened = trySyscall("openat2", held.number, path, bytes, OPEN_HOW_SIZE);
  return opened < 0 ? undefined : new Fd(opened);
}
