/**
 * Steps made to happen: a program of system calls, its interpreter, and the process that runs it.
 *
 * `instruction.ts` tells what a program is; `interpreter_*.ts` are the machine code that carries it
 * out; `assemble.ts` turns steps into a program; `run.ts` runs one in this process;
 * `elf.ts` and `launch.ts` make one the first process of a container. Nothing here knows what a
 * container is.
 *
 * @see clone3(2), execveat(2), memfd_create(2), elf(5)
 * @module
 */
export { assemble } from "./assemble.ts";
export type { Program } from "./program.ts";
export { executableOf } from "./elf.ts";
export { PROGRAM_ADDRESS } from "./instruction.ts";
export { becomeSteps, type Launch, LAUNCH_STEPS, launchSteps } from "./launch.ts";
export {
  awaitedBy,
  type Failure,
  failureIn,
  resultOf,
  resultOffset,
  resultsIn,
  roomOf,
  runHere,
  type TimedCall,
  timesIn,
} from "./run.ts";
