import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  CLONE_INTO_CGROUP,
  CLONE_PIDFD,
  CLONE_VFORK,
  CLONE_VM,
  F_ADD_SEALS,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_WRONLY,
  SIG_SETMASK,
} from "../../ffi/mod.ts";
import { CLONE_ARGS_SIZE, cloneArguments, goto } from "../plan/calls.ts";
import type { Executable } from "./elf.ts";
import {
  type Call,
  call,
  type Flags,
  flags,
  mode,
  place,
  room,
  type Slot,
  slot,
  type Step,
  step,
  strings,
} from "../plan/step.ts";

/** What a launch results in. */
export interface Launch {
  steps: Step[];
  /** The stage's process id, as this process sees it. */
  pid: Slot;
  pidfd: Slot;
}

export interface LaunchOptions extends Executable {
  /** CLONE_NEW* */
  namespaces: Flags;
  /** cgroup v2: a descriptor of the directory that the stage is born in. */
  cgroup?: Slot;
  /** Descriptors to close afterwards. */
  given: Slot[];
  /** A file to write the executable to where memfd execution is refused. */
  fallbackPath: string;
  /** What ps(1) shows. */
  argv?: string[];
  /** A further executable, which the stage inherits. */
  further?: Executable & { to: Slot };
}

/**
 * The steps that turn a stage into a process.
 *
 * The executable goes into a sealed memfd: nothing that the container does can write to it, and
 * /proc/PID/exe leads to it and not to minictr (CVE-2019-5736). clone3 with CLONE_VFORK shares this
 * process's memory until the child's execveat; all signals are blocked meanwhile, so that no handler
 * of this process runs in the child.
 *
 * @see memfd_create(2), clone3(2), execveat(2)
 */
export function launchSteps(options: LaunchOptions): Launch {
  const { further, fallbackPath } = options;
  const file = slot("stage");
  const pid = slot("pid");
  const pidfd = slot("pidfd");
  return {
    pid,
    pidfd,
    steps: [
      ...further
        ? executableSteps("supervisor", further.to, further, { fallbackPath, inherited: true })
        : [],
      ...executableSteps("stage", file, options, { fallbackPath, inherited: false }),
      startStep(file, { pid, pidfd }, options),
      step(
        "close what the stage has now",
        given(file, further ? [...options.given, further.to] : options.given),
      ),
    ],
  };
}

/**
 * The steps by which this process itself becomes a stage: all that it was ends; execveat(2).
 *
 * @returns only if it fails
 */
export function becomeSteps(options: Omit<LaunchOptions, "namespaces" | "given">): Step[] {
  const file = slot("stage");
  return [
    ...executableSteps("stage", file, options, { ...options, inherited: false }),
    step("become the stage", [execute(file, options)]),
  ];
}

/** How many steps a launch has, without a further executable. */
export const LAUNCH_STEPS = 3;

const SEALS = flags({ F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE });

/** One after the other, whatever each results in. */
function given(file: Slot, slots: Slot[]): Call[] {
  return [file, ...slots].map((fd) => call("close", [fd]));
}

/** vm.memfd_noexec=2 refuses an executable memfd (EACCES): then a file that is unlinked at once. */
function executableSteps(
  name: string,
  file: Slot,
  { head, program, programOffset }: Executable,
  { fallbackPath, inherited }: { fallbackPath: string; inherited: boolean },
): Step[] {
  const cloexec = inherited ? {} : { MFD_CLOEXEC };
  const memfd = flags({ ...cloexec, MFD_ALLOW_SEALING, MFD_EXEC });
  const oldMemfd = flags({ ...cloexec, MFD_ALLOW_SEALING }); // MFD_EXEC is new in Linux 6.3.
  const written = slot(`${name} being written`);
  const create = flags({ O_WRONLY, O_CREAT, O_EXCL, O_CLOEXEC });
  const fill = (to: Slot, id: string) => [
    call("write", [to, head, head.length], { id }),
    call("pwrite64", [to, program, program.length, programOffset]),
  ];
  return [
    step(`write the ${name} into a sealed memory file`, [
      call("memfd_create", [name, memfd], {
        to: file,
        on: [{ errno: "EINVAL", goto: ".old" }, { errno: "EACCES", goto: ".file" }],
      }),
      goto(".memfd"),
      call("memfd_create", [name, oldMemfd], { to: file, id: ".old" }),
      ...fill(file, ".memfd"),
      call("fcntl", [file, flags({ F_ADD_SEALS }), SEALS], { on: [{ value: 0, goto: "next" }] }),
      call("openat", [flags({ AT_FDCWD }), fallbackPath, create, mode(0o500)], {
        to: written,
        id: ".file",
      }),
      ...fill(written, ".written"),
      call("close", [written]),
      call("openat", [
        flags({ AT_FDCWD }),
        fallbackPath,
        flags(inherited ? { O_RDONLY } : { O_RDONLY, O_CLOEXEC }),
      ], { to: file }),
      call("unlinkat", [flags({ AT_FDCWD }), fallbackPath, 0]),
    ]),
  ];
}

function startStep(
  file: Slot,
  { pid, pidfd }: { pid: Slot; pidfd: Slot },
  options: LaunchOptions,
): Step {
  const { namespaces, cgroup } = options;
  const pidfdRoom = room("pidfd", 8);
  const named: Record<string, number> = { CLONE_VM, CLONE_VFORK, CLONE_PIDFD };
  if (cgroup) named.CLONE_INTO_CGROUP = CLONE_INTO_CGROUP;
  const all = flags({ ...named, ...namespaces.named });
  const cloneArgs = cloneArguments(all, { pidfd: pidfdRoom, cgroup });
  const everySignal = new Uint8Array(8).fill(0xff);
  const maskBefore = room("signal mask", 8);
  const refused = room("execveat refused", 8);
  const hints = {
    ENOSPC: "a limit in /proc/sys/user/max_*_namespaces is reached",
    EAGAIN: "the pids limit of the cgroup, or RLIMIT_NPROC, is reached",
    EPERM: "making namespaces needs CAP_SYS_ADMIN: run as root",
    EBUSY: "the cgroup has children with controllers of their own, and so takes no processes",
    EINVAL: "the kernel lacks one of the namespaces; `minictr doctor` tells which",
  };
  return step("start the stage in its namespaces", [
    call("rt_sigprocmask", [flags({ SIG_SETMASK }), everySignal, maskBefore, 8]),
    call("clone3", [cloneArgs, CLONE_ARGS_SIZE], { to: pid, on: [{ value: 0, goto: ".child" }] }),
    call("rt_sigprocmask", [flags({ SIG_SETMASK }), maskBefore, 0, 8]),
    call("load32", [place(pidfdRoom, 0)], { to: pidfd }),
    call("load64", [refused], { on: [{ value: 1, goto: "failed" }] }),
    goto("next"),
    { ...execute(file, options), id: ".child", on: [{ errno: "any", goto: ".refused" }] },
    call("store64", [refused, 1], { id: ".refused" }), // Seen by the parent: shared memory.
    call("exit_group", [126]),
  ], hints);
}

function execute(file: Slot, { argv = ["minictr-stage"] }: Pick<LaunchOptions, "argv">): Call {
  return call("execveat", [file, "", strings(argv), strings([]), flags({ AT_EMPTY_PATH })]);
}
