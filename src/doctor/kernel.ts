/** The kernel: its version, and the system calls that every start of a container makes. */
import {
  AT_FDCWD,
  CLOSE_RANGE_CLOEXEC,
  F_DUPFD,
  F_GETFD,
  FD_CLOEXEC,
  MFD_CLOEXEC,
  MFD_EXEC,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  RESOLVE_IN_ROOT,
  syscall,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import { call, slot } from "../plan/step.ts";
import { type Finding, type Group, lack, ok, refused, warn } from "./check.ts";
import type { Host } from "./host.ts";
import { isAtLeast } from "./text.ts";
import { opened } from "./trial.ts";

const NEWER = "Boot a newer kernel: Linux 5.12 or later";
const FILTERED =
  `${NEWER}; within another container, have its seccomp profile allow the call (it answers ENOSYS or EPERM)`;

export const KERNEL: Group = {
  title: "Kernel",
  probes: [
    {
      id: "kernel-version",
      what: "Linux version",
      how: "Reads the release and compares it with 5.12, which has every call that minictr makes",
      consequence: "Older kernels lack calls; those below tell which. Distributions that carry " +
        "newer calls into an older version are fine",
      remedy: NEWER,
      look: kernelVersion,
    },
    {
      id: "clone3",
      what: "clone3(2)",
      how: "Starts a throw-away child as a container's first process is started",
      consequence: "No container starts",
      remedy: FILTERED,
      essential: true,
      look: (host) => {
        const { error, died } = host.try([call("getpid", [])]);
        if (error) return refused(error);
        return died ? lack("the child died before it could report") : ok("a child ran and ended");
      },
    },
    {
      id: "memfd-exec",
      what: "executable memory files",
      how: "Makes a memory file that may be executed, memfd_create(2) with MFD_EXEC, and reads " +
        "vm.memfd_noexec",
      consequence: "Each start writes its stage to a file in the run root and unlinks it, which " +
        "is slower and needs a filesystem there that is not mounted noexec",
      remedy: "sysctl -w vm.memfd_noexec=1",
      look: memfdExec,
    },
    {
      id: "pidfd",
      what: "pidfd_open(2), pidfd_send_signal(2)",
      how: "Opens this process as a descriptor and sends it signal 0",
      consequence: "minictr cannot wait for a container or send it a signal",
      remedy: FILTERED,
      essential: true,
      look: () => {
        using self = opened("pidfd_open", Deno.pid, 0);
        syscall("pidfd_send_signal", self.number, 0, 0, 0);
        return ok("both work");
      },
    },
    {
      id: "pidfd-getfd",
      what: "pidfd_getfd(2)",
      how: "Takes a descriptor over from a throw-away child",
      consequence: "run -t and exec -t do not work: the terminal is taken over that way",
      remedy: `${FILTERED}; kernel.yama.ptrace_scope=3 forbids it too`,
      root: true,
      look: pidfdGetfd,
    },
    {
      id: "openat2",
      what: "openat2(2) with RESOLVE_IN_ROOT",
      how: "Opens an absolute link through a directory and sees that it is resolved inside of it",
      consequence: "No path within a container's root can be opened safely, so that no container " +
        "starts",
      remedy: FILTERED,
      essential: true,
      look: openInRoot,
    },
    {
      id: "close-range",
      what: "close_range(2) with CLOSE_RANGE_CLOEXEC",
      how: "Marks a descriptor of a throw-away child and looks at its flags",
      consequence:
        "No container starts: descriptors of minictr could leak into it (CVE-2024-21626)",
      remedy: FILTERED,
      essential: true,
      look: closeRange,
    },
  ],
};

function kernelVersion({ release }: Host): Finding {
  const found = `${release} on ${Deno.build.arch}`;
  return isAtLeast(release, 5, 12) ? ok(found) : warn(`${found}, older than 5.12`);
}

function memfdExec(host: Host): Finding {
  const EINVAL = -22; // Before Linux 6.3 there is no MFD_EXEC, and every memory file may be executed.
  const setting = host.text("/proc/sys/vm/memfd_noexec");
  const found = setting === undefined ? "they work" : `they work (vm.memfd_noexec is ${setting})`;
  const fd = trySyscall("memfd_create", "minictr-doctor", MFD_CLOEXEC | MFD_EXEC);
  if (fd === EINVAL) return ok(found);
  if (fd < 0) {
    const { message } = new SyscallError("memfd_create", -fd);
    return lack(`${message}; vm.memfd_noexec is ${setting ?? "not there"}`);
  }
  trySyscall("close", fd);
  return ok(found);
}

function pidfdGetfd(host: Host): Finding {
  let taken = 0;
  host.try([], {
    meanwhile: (pid) => {
      using child = opened("pidfd_open", pid, 0);
      taken = trySyscall("pidfd_getfd", child.number, 0, 0);
      if (taken >= 0) trySyscall("close", taken);
    },
  });
  if (taken < 0) return refused(new SyscallError("pidfd_getfd", -taken));
  return ok("a child's descriptor was taken over");
}

function openInRoot({ scratch }: Host): Finding {
  const inside = `${scratch}/inside`;
  Deno.mkdirSync(inside, { recursive: true });
  Deno.writeTextFileSync(`${inside}/target`, "");
  try {
    Deno.symlinkSync("/target", `${inside}/link`);
    const how = new BigUint64Array([BigInt(O_RDONLY | O_CLOEXEC), 0n, BigInt(RESOLVE_IN_ROOT)]);
    const size = how.byteLength;
    using root = opened("openat", AT_FDCWD, inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    using file = opened("openat2", root.number, "link", new Uint8Array(how.buffer), size);
    const target = Deno.readLinkSync(`/proc/self/fd/${file.number}`);
    if (!target.endsWith("/inside/target")) return lack(`the link led to "${target}"`);
    return ok("an absolute link stayed inside");
  } finally {
    Deno.removeSync(inside, { recursive: true });
  }
}

function closeRange(host: Host): Finding {
  const FROM = 500; // Far above what a child has open.
  const descriptor = slot("descriptor"), after = slot("flags");
  const trial = host.try([
    call("openat", [AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0], { to: descriptor }),
    call("fcntl", [descriptor, F_DUPFD, FROM], { to: descriptor }),
    call("close_range", [FROM, 0xffff_ffff, CLOSE_RANGE_CLOEXEC]),
    call("fcntl", [FROM, F_GETFD], { to: after }),
  ]);
  if (trial.error) return refused(trial.error);
  return trial.result(after) === FD_CLOEXEC
    ? ok("a descriptor was marked")
    : lack("the descriptor was not marked");
}
