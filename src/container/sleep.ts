/**
 * Waiting without a runtime: a stage of some kilobytes sleeps, and then becomes minictr again.
 * @see sleepSteps
 * @module
 */
import { ARCH, F_DUPFD, syscall, SyscallError, trySyscall } from "../../ffi/mod.ts";
import { resetSignals } from "../plan/process.ts";
import { call, flags, step } from "../plan/step.ts";
import { KEPT_DESCRIPTOR, type Sleep, sleepSteps } from "../plan/sleep.ts";
import {
  assemble,
  awaitedBy,
  becomeSteps,
  executableOf,
  launchSteps,
  PROGRAM_ADDRESS,
  resultOf,
  runHere,
} from "../stage/mod.ts";
import { selfCommand, selfEnvironment } from "./self.ts";
import type { Roots } from "./state.ts";

/** What is waited for, and what minictr does then. */
export interface Nap extends Pick<Sleep, "ms" | "keep" | "untilEnd"> {
  roots: Roots;
  /** What ps(1) shows of it. */
  title: string;
  /** The words of the command that minictr becomes. */
  words: string[];
}

/**
 * Becomes a process that sleeps: nothing of this one goes on but its process id and one descriptor.
 *
 * @throws {SyscallError} if the kernel refuses
 */
export function sleepHere(nap: Nap): never {
  const { stage: _, kept: __, ...executable } = sleeperOf(nap);
  const failure = runHere(assemble(becomeSteps(executable), { base: "here", arch: ARCH }));
  throw new SyscallError("cannot become a sleeper: execveat", failure?.errno ?? 0);
}

/**
 * Starts a process that sleeps; it belongs to the host's init as soon as minictr has ended.
 *
 * @returns its process id
 * @throws {SyscallError} if the kernel refuses
 */
export function launchSleeper(nap: Nap): number {
  const { stage, kept, ...executable } = sleeperOf(nap);
  const launch = launchSteps({ ...executable, namespaces: flags({}), given: [] });
  const host = assemble(launch.steps, {
    base: "here",
    arch: ARCH,
    exports: awaitedBy(stage),
  });
  const failure = runHere(host);
  trySyscall("close", kept);
  if (failure) throw new SyscallError("cannot start a sleeper: clone3", failure.errno);
  trySyscall("close", resultOf(host, launch.pidfd));
  return resultOf(host, launch.pid);
}

function sleeperOf({ roots, title, words, ...how }: Nap) {
  const kept = syscall("fcntl", how.keep, F_DUPFD, KEPT_DESCRIPTOR + 1); // Without O_CLOEXEC.
  const stage = assemble([
    resetSignals(),
    ...sleepSteps({
      ...how,
      keep: kept,
      argv: selfCommand(roots, words),
      env: selfEnvironment(),
    }),
  ], {
    base: PROGRAM_ADDRESS,
    arch: ARCH,
    handler: [step("give up", [call("exit_group", [1])])],
  });
  const fallbackPath = `${roots.run}/stage.${Deno.pid}`;
  return { stage, kept, ...executableOf(stage), fallbackPath, argv: [title] };
}
