/** Work in another network namespace: setns(2) and back, on this thread alone. */
import {
  AT_FDCWD,
  CLONE_NEWNET,
  Fd,
  O_CLOEXEC,
  O_RDONLY,
  syscall,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";

/**
 * A network namespace as a file.
 *
 * @param path `/proc/PID/ns/net`, `/run/netns/NAME`, …
 * @throws {SyscallError} where there is none
 */
export function openNamespace(path: string): Fd {
  const opened = trySyscall("openat", AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (opened < 0) throw new SyscallError(`cannot open network namespace "${path}"`, -opened);
  return new Fd(opened);
}

/**
 * Does something inside a network namespace: a socket opened there stays there, and /proc/sys/net
 * is that namespace's. `body` must be synchronous, as any other thread is elsewhere.
 *
 * @param namespace a descriptor of {@linkcode openNamespace}, or a pidfd (since Linux 5.8)
 * @throws {SyscallError} when the kernel refuses, as without CAP_SYS_ADMIN
 */
export function inNamespace<T>(namespace: number, body: () => T): T {
  using own = openNamespace("/proc/thread-self/ns/net");
  syscall("setns", namespace, CLONE_NEWNET);
  try {
    return body();
  } finally {
    syscall("setns", own.number, CLONE_NEWNET);
  }
}
