/**
 * What the birth of a supervisor and its program agree on.
 *
 * Descriptors of a supervisor, always the same: 1 and 2 are where output is echoed to, or /dev/null; 3
 * is the log, 4 the container's directory, 5 its lock, 6 the first process's pidfd, 7 and 8 what the
 * container writes to its standard output and error, or 7 the master of its pty, 9 the writing end
 * of its standard input where that is kept open, 10 the line to the minictr that started it.
 */
import type { Step } from "./step.ts";

/** The descriptors of a supervisor. */
export const SUPERVISOR_FD = {
  log: 3,
  directory: 4,
  lock: 5,
  pidfd: 6,
  output: 7,
  error: 8,
  input: 9,
  minictr: 10,
};
/** What a supervisor is made of, beside what it supervises. */
export interface Supervision {
  /** Where the exit record goes, and rotated logs. */
  directory: string;
  /** The log: a path below `directory`, or elsewhere if it is never rotated by renaming. */
  log: string;
  /** A descriptor of this process that holds the container's lock. */
  lock: number;
  /** The supervisor's own steps: `superviseSteps`. */
  program: Step[];
  /** In its command line, for people. */
  name: string;
  /**
   * Where standard output and error are echoed to: minictr's own, or a pipe that minictr copies;
   * absent: nowhere, the container is in the background. A pty has the first alone.
   */
  echo?: [Echo, Echo?];
}

/** Where one stream is echoed to. */
export type Echo = "direct" | "pipe";
