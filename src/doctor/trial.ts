/**
 * Trials: steps that a throw-away child carries out in namespaces of its own, and what came of them.
 *
 * The child is a stage like a container's. It reports its whole memory, in which every result
 * stands, and ends; at the latest when its time is over.
 */
import {
  AF_UNIX,
  ARCH,
  type Argument,
  AT_FDCWD,
  F_SETFD,
  Fd,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  POLLIN,
  SIG_SETMASK,
  SIGKILL,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  syscall,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import {
  type Call,
  call,
  flags,
  type Room,
  room,
  type Slot,
  slot,
  type Step,
  step,
} from "../plan/step.ts";
import {
  assemble,
  executableOf,
  type Failure,
  failureIn,
  launchSteps,
  type Program,
  PROGRAM_ADDRESS,
  resultOf,
  resultOffset,
  runHere,
} from "../stage/mod.ts";

/** Where and how a child tries. */
export interface TrialOptions {
  /** Flags of clone3(2): those that it is born with. */
  namespaces?: Record<string, number>;
  /** cgroup2: the directory that it is born in (CLONE_INTO_CGROUP). */
  cgroup?: string;
  /** Called while the child waits, before its first step. */
  meanwhile?: (pid: number) => void;
}

/** What came of a trial. */
export interface Trial {
  /** The call that failed, if one did. */
  error?: SyscallError;
  /** Whether it died before it could report. */
  died: boolean;
  /** What a call returned. */
  result(slot: Slot): number;
  /** What the kernel put into a room, up to its first NUL, as text. */
  text(room: Room): string;
  /** What the kernel put into a room. */
  bytes(room: Room): Uint8Array;
}

/** There is no child to try with: clone3(2) or execveat(2) was refused. */
export class NoChild extends Error {
  override name = "NoChild";

  constructor(override readonly cause: SyscallError) {
    super(cause.message, { cause });
  }
}

const LIMIT_S = 10;

/**
 * Lets a child carry steps out.
 *
 * @param fallbackPath where the executable may lie if memory files are refused; nothing is left
 * @throws {NoChild} when a namespace was refused, or the child's execution
 */
export function tryInChild(
  calls: Call[],
  fallbackPath: string,
  options: TrialOptions = {},
): Trial {
  const pair = new Int32Array(2);
  syscall("socketpair", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, new Uint8Array(pair.buffer));
  using ours = new Fd(pair[0] ?? -1);
  using theirs = new Fd(pair[1] ?? -1);
  syscall("fcntl", theirs.number, F_SETFD, 0);
  const gate = room("gate", 8);
  const report = reportTo(theirs.number);
  const stage = assemble([
    step("wait", [call("read", [theirs.number, gate, 1])]),
    step("try", calls),
    report,
  ], { base: PROGRAM_ADDRESS, arch: ARCH, handler: [report] });
  const pid = launch(stage, fallbackPath, options);
  theirs.close();
  try {
    options.meanwhile?.(pid);
    trySyscall("write", ours.number, "g", 1);
    return readTrial(stage, readAll(ours.number, stage.bytes.length));
  } finally {
    trySyscall("kill", pid, SIGKILL);
    trySyscall("wait4", pid, 0, 0, 0);
  }
}

/** The whole memory, whether all went well or not; then the end. */
function reportTo(channel: number): Step {
  const end = [{ errno: "any" as const, goto: ".end" }];
  return step("report", [
    call("write", [channel, { kind: "self", what: "address" }, { kind: "self", what: "length" }], {
      on: end,
    }),
    call("exit_group", [0], { id: ".end" }),
  ]);
}

/** Starts the child; a start that fails leaves this thread's signal mask as it was. */
function launch(stage: Program, fallbackPath: string, options: TrialOptions): number {
  const cgroup = slot("cgroup");
  const { cgroup: directory } = options;
  const opening = directory === undefined ? [] : [step("open the cgroup", [
    call("openat", [
      AT_FDCWD,
      directory,
      flags({ O_RDONLY, O_DIRECTORY, O_CLOEXEC }),
      0,
    ], { to: cgroup }),
  ])];
  const started = launchSteps({
    ...executableOf(stage),
    namespaces: flags(options.namespaces ?? {}),
    ...directory === undefined ? {} : { cgroup },
    given: directory === undefined ? [] : [cgroup],
    fallbackPath,
  });
  const host = assemble([...opening, ...started.steps], { base: "here", arch: ARCH });
  const mask = new Uint8Array(8);
  syscall("rt_sigprocmask", SIG_SETMASK, 0, mask, 8);
  const failure = runHere(host);
  const pid = resultOf(host, started.pid);
  if (failure) {
    syscall("rt_sigprocmask", SIG_SETMASK, mask, 0, 8);
    if (pid > 0) trySyscall("wait4", pid, 0, 0, 0);
    throw new NoChild(errorOf(host, failure));
  }
  syscall("close", resultOf(host, started.pidfd));
  return pid;
}

function errorOf(program: Program, { step, call, errno }: Failure): SyscallError {
  return new SyscallError(program.steps[step]?.calls[call]?.name ?? "call", errno);
}

/** Reads until a length has come, nothing more comes, or the time is over. */
function readAll(fd: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  const poll = new Uint8Array(8);
  const view = new DataView(poll.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  const limit = new Uint8Array(new BigInt64Array([BigInt(LIMIT_S), 0n]).buffer);
  let got = 0;
  while (got < length) {
    if (trySyscall("ppoll", poll, 1, limit, 0, 8) <= 0) break;
    const count = trySyscall("read", fd, bytes.subarray(got), length - got);
    if (count <= 0) break;
    got += count;
  }
  return bytes.subarray(0, got);
}

function readTrial(stage: Program, memory: Uint8Array<ArrayBuffer>): Trial {
  const died = memory.length < stage.bytes.length;
  const failure = died ? undefined : failureIn(stage, memory);
  const bytes = (room: Room) => {
    const offset = stage.rooms.get(room) ?? memory.length;
    return memory.subarray(offset, offset + room.size);
  };
  return {
    died,
    ...failure ? { error: errorOf(stage, failure) } : {},
    bytes,
    text: (room) => new TextDecoder().decode(bytes(room)).split("\0")[0] ?? "",
    result(slot) {
      const offset = resultOffset(stage, slot);
      if (died || offset === undefined) throw new Error("the throw-away child did not report");
      return Number(new DataView(memory.buffer, memory.byteOffset).getBigInt64(offset, true));
    },
  };
}

/** One system call whose result is a descriptor that closes with its scope. */
export function opened(name: Parameters<typeof syscall>[0], ...args: Argument[]): Fd {
  return new Fd(syscall(name, ...args));
}

/**
 * Writes a small file that is there: one write(2), as the files of /proc and cgroups want it.
 *
 * @throws {SyscallError}
 */
export function writeText(path: string, text: string): void {
  using file = opened("openat", AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
  syscall("write", file.number, text, new TextEncoder().encode(text).length);
}
