import { ARCH, SIGKILL, syscall, SyscallError, trySyscall } from "../../ffi/mod.ts";
import { MESSAGE } from "../plan/channel.ts";
import { call, type ContainerPlan, type Slot, type Step, step } from "../plan/mod.ts";
import { EXEC_LABEL } from "../plan/process.ts";
import {
  assemble,
  awaitedBy,
  executableOf,
  type Failure,
  failureIn,
  LAUNCH_STEPS,
  launchSteps,
  type Program,
  PROGRAM_ADDRESS,
  resultOf,
  resultsIn,
  runHere,
} from "../stage/mod.ts";
import { diagnose, type Diagnosis } from "./diagnose.ts";
import { wantedFault, withFault } from "./fault.ts";
import { StartError } from "./start_error.ts";

/** A started container, as this process knows it. */
export interface Started {
  /** The first process, as the host sees it. */
  pid: number;
  pidfd: number;
  /** Its parent, if that is not this process but a supervisor; `pidfd` is then the supervisor's. */
  supervisor?: number;
  /** The line to the supervisor. */
  line?: number;
  /** Its pty's master. */
  terminal?: number;
  /** minictr's ends of the pipes to standard input, output and error. */
  pipes: (number | undefined)[];
}

/** The programs of a plan, ready to be run. */
export interface Assembled {
  plan: ContainerPlan;
  host: Program;
  stage: Program;
  pid: Slot;
  pidfd: Slot;
}

/** What a stage is asked to do in addition. */
export interface StartOptions {
  /** Where an executable file may lie if memory files are refused; nothing is left there. */
  fallbackPath: string;
  trace?: boolean;
  /** With a plan that waits: what minictr does in its network namespace, if it can while the stage
   * goes on. */
  onNetwork?(started: Started): void;
  /** With a plan that waits: what minictr does before the command is executed. */
  onReady?(started: Started): void;
  /** Told the times of a traced start. */
  onTrace?(assembled: Assembled, stageMemory: Uint8Array): void;
}

/** Turns a plan into its two programs; pure but for the memory it takes. */
export function assemblePlan(plan: ContainerPlan, options: StartOptions): Assembled {
  const trace = options.trace ?? false;
  const fault = wantedFault();
  const stageSteps = withFault(
    plan.stage,
    fault,
    1 + plan.host.length + LAUNCH_STEPS + (plan.supervisor ? 1 : 0),
    plan.toMinictr,
  );
  const stage = assemble(stageSteps, {
    base: PROGRAM_ADDRESS,
    arch: ARCH,
    handler: plan.handler,
    trace,
  });
  const launch = launchSteps({
    ...executableOf(stage),
    namespaces: plan.namespaces,
    ...plan.cgroup ? { cgroup: plan.cgroup } : {},
    given: plan.given,
    fallbackPath: options.fallbackPath,
    ...plan.supervisor ? { further: furtherOf(plan.supervisor) } : {},
  });
  const host = assemble(withFault([...plan.host, ...launch.steps], fault, 1, undefined), {
    base: "here",
    arch: ARCH,
    exports: awaitedBy(stage),
    trace,
  });
  return { plan, host, stage, pid: launch.pid, pidfd: launch.pidfd };
}

/** The executable of a supervisor. A call that fails where none is expected to ends it. */
function furtherOf({ program, executable }: NonNullable<ContainerPlan["supervisor"]>) {
  const handler = [step("give up", [call("exit_group", [1])])];
  const assembled = assemble(program, { base: PROGRAM_ADDRESS, arch: ARCH, handler, trace: false });
  return { ...executableOf(assembled), to: executable };
}

/**
 * Carries a plan out, until the command has been executed in the container.
 *
 * @throws {StartError} when a step failed; nothing runs then
 */
export function start(assembled: Assembled, options: StartOptions): Started {
  const { plan, host } = assembled;
  const failure = runHere(host);
  if (failure) {
    endStage(resultOf(host, assembled.pid));
    throw startError(host, failure);
  }
  const started: Started = {
    pid: resultOf(host, assembled.pid),
    pidfd: resultOf(host, assembled.pidfd),
    pipes: plan.pipes.map((slot) => slot && resultOf(host, slot)),
  };
  if (plan.supervisor) started.line = resultOf(host, plan.supervisor.line);
  listen(assembled, started, resultOf(host, plan.channel), options);
  return started;
}

/** While the stage goes on, which it does not if this fails. */
function plugIn(started: Started, { onNetwork }: StartOptions): void {
  try {
    onNetwork?.(started);
  } catch (error) {
    endStage(started.pid);
    throw error;
  }
}

/** A stage that was started before a later step failed does not go on to the command. */
function endStage(pid: number): void {
  if (pid <= 0) return;
  trySyscall("kill", pid, SIGKILL);
  trySyscall("wait4", pid, 0, 0, 0);
}

/** Reads the stage's messages until the command is executed, which closes its end. */
function listen(
  assembled: Assembled,
  started: Started,
  channel: number,
  options: StartOptions,
): void {
  const message = new Uint8Array(8);
  const view = new DataView(message.buffer);
  let isKnown = !assembled.plan.announced;
  const held: (() => void)[] = [];
  /** What concerns the container's process waits until it is known which that is: a supervisor, or a
   * first process, tells of it while it is running already. */
  const whenKnown = (act: () => void) => isKnown ? act() : void held.push(act);
  const become = (act: () => void) => {
    act();
    isKnown = true;
    for (const one of held.splice(0)) one();
  };
  const { networkAtBirth } = assembled.plan;
  if (networkAtBirth) whenKnown(() => plugIn(started, options));
  while (readAll(channel, message) === message.length) {
    const kind = view.getUint32(0, true);
    const number = view.getUint32(4, true);
    if (kind === MESSAGE.kill) Deno.kill(Deno.pid, "SIGKILL");
    else if (kind === MESSAGE.started) become(() => supervise(started, number));
    else if (kind === MESSAGE.second) {
      become(() => becomeSecond(started, number, assembled.plan.supervisor !== undefined));
    } else if (kind === MESSAGE.terminal) {
      whenKnown(() => {
        started.terminal = syscall("pidfd_getfd", started.pidfd, number, 0);
        syscall("write", channel, "t", 1);
      });
    } else if (kind === MESSAGE.ready) {
      whenKnown(() => {
        if (!networkAtBirth) options.onNetwork?.(started);
        options.onReady?.(started);
        syscall("write", channel, "r", 1);
      });
    } else {
      const memory = new Uint8Array(number);
      readAll(channel, memory);
      if (kind === MESSAGE.failed) throw failed(assembled.stage, memory, started, channel);
      options.onTrace?.(assembled, memory);
    }
  }
  syscall("close", channel);
}

/** What was started is the supervisor; the container's first process is its child. */
function supervise(started: Started, pid: number): void {
  started.supervisor = started.pid;
  started.pid = pid;
}

/** The first process of the stage has made way for a second one, a child of this process too. */
function becomeSecond(started: Started, pid: number, supervised: boolean): void {
  if (supervised) return supervise(started, pid);
  syscall("wait4", started.pid, 0, 0, 0);
  syscall("close", started.pidfd);
  started.pid = pid;
  started.pidfd = syscall("pidfd_open", pid, 0);
}

/** The error of a failed stage, which stays until its root has been looked at; then it is reaped. */
function failed(stage: Program, table: Uint8Array, started: Started, channel: number): Error {
  const failure = failureIn(stage, table);
  const error = failure
    ? startError(stage, failure, executed(stage, failure, table, started.pid))
    : new Error("cannot start: the stage failed without a reason");
  if (started.supervisor !== undefined) {
    trySyscall("kill", started.supervisor, SIGKILL);
    trySyscall("wait4", started.supervisor, 0, 0, 0);
  }
  syscall("close", channel);
  trySyscall("wait4", started.pid, 0, 0, 0);
  return error;
}

/** If it was the command that could not be executed: why. */
function executed(
  stage: Program,
  { step, errno }: Failure,
  table: Uint8Array,
  pid: number,
): Diagnosis | undefined {
  const failed = stage.steps[step];
  if (failed?.calls.at(-1)?.name !== "execve") return undefined;
  const results = resultsIn(stage, table);
  const tried = failed.calls.flatMap(({ name, args: [path] }, call) => {
    if (name !== "execve") return [];
    const index = stage.origins.findIndex((of) => of.step === step && of.call === call && of.main);
    return [{ path: String(path), errno: -Number(results[index] ?? -errno) }];
  });
  return diagnose(pid, failed.label.slice(EXEC_LABEL.length + 1), tried);
}

const EACCES = 13;

/** Reads until a buffer is full or nothing more comes; returns how much came. */
function readAll(fd: number, into: Uint8Array<ArrayBuffer>): number {
  const EINTR = -4;
  let got = 0;
  while (got < into.length) {
    const count = trySyscall("read", fd, into.subarray(got), into.length - got);
    if (count === EINTR) continue;
    if (count <= 0) break;
    got += count;
  }
  return got;
}

function startError(
  program: Program,
  { step, call, errno }: Failure,
  diagnosis?: Diagnosis,
): StartError {
  const failed: Step | undefined = program.steps[step];
  const cause = new SyscallError(failed?.calls[call]?.name ?? "call", errno);
  const invoked = failed?.ofCommand
    ? { exitCode: errno === EACCES ? 126 as const : 127 as const }
    : {};
  const hint = failed?.hints?.[cause.code];
  return new StartError(failed?.label ?? "start", hint, cause, diagnosis ?? invoked);
}
