import {
  AT_FDCWD,
  LOCK_EX,
  LOCK_NB,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_RDWR,
} from "./constants.ts";
import { SyscallError } from "./errno.ts";
import { Fd } from "./fd.ts";
import { sleep } from "./sleep.ts";
import { trySyscall } from "./syscall.ts";

const ENOENT = -2, EWOULDBLOCK = -11;
const POLL_MS = 2;

/** What a lock is held on: a file that is there, one that is made where there is none, or a directory. */
export type Locked = "file" | "new file" | "directory";

const HOW = {
  "file": O_RDWR | O_CLOEXEC,
  "new file": O_RDWR | O_CLOEXEC | O_CREAT,
  "directory": O_RDONLY | O_CLOEXEC | O_DIRECTORY,
} as const;

/**
 * Takes the lock of a file, which goes with its descriptor however the holder ends; flock(2). What a
 * holder removes or renames away is nobody's to hold: it is the file at the path that is locked.
 *
 * @returns undefined while another has it, null where nothing is at the path
 * @throws {SyscallError}
 */
export function tryLock(path: string, kind: Locked = "file"): Fd | undefined | null {
  for (;;) { // Each turn but the last one, another has put a new file in this one's place.
    const opened = trySyscall("openat", AT_FDCWD, path, HOW[kind], 0o600);
    if (opened === ENOENT) return null;
    if (opened < 0) throw new SyscallError(`cannot open "${path}"`, -opened);
    const fd = new Fd(opened);
    const refused = trySyscall("flock", fd.number, LOCK_EX | LOCK_NB);
    if (refused === 0 && isAt(path, fd)) return fd;
    fd.close();
    if (refused === EWOULDBLOCK) return undefined;
    if (refused < 0) throw new SyscallError(`cannot lock "${path}"`, -refused);
  }
}

/**
 * Tries again and again while others hold a lock; blocks this thread. Polled, since flock(2) itself has
 * no time limit.
 *
 * @param attempt as {@link tryLock}
 * @returns undefined if they still have it after `limitMs`
 */
export function lockWithin(
  limitMs: number,
  attempt: () => Fd | undefined | null,
): Fd | undefined | null {
  for (const end = performance.now() + limitMs;;) {
    const lock = attempt();
    if (lock !== undefined || performance.now() >= end) return lock;
    sleep(POLL_MS);
  }
}

function isAt(path: string, fd: Fd): boolean {
  // Not within the `try`: without /proc no file would ever be the one at the path.
  const held = Deno.statSync(`/proc/self/fd/${fd.number}`);
  try {
    const there = Deno.statSync(path);
    return there.ino === held.ino && there.dev === held.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
