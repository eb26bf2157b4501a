import { F_SETFL, O_NONBLOCK, syscall } from "../../ffi/mod.ts";
import type { Stream } from "../plan/mod.ts";
import { attend, type Copy, type End } from "./attend.ts";
import { isTerminal, rawTerminal } from "./console.ts";
import type { Started } from "./start.ts";

/** How a command in the foreground is attended to. */
export interface ForegroundOptions {
  /** Whether it reads the caller's standard input. */
  interactive: boolean;
  timeoutMs?: number;
}

/**
 * The standard streams of a command without a terminal of its own. A terminal of the caller's is
 * never handed in: what is written to it goes through a pipe.
 */
export function streamsFor(interactive: boolean): [Stream, Stream, Stream] {
  const stream = (fd: number): Stream => isTerminal(fd) ? "pipe" : "inherit";
  return [interactive ? stream(0) : "null", stream(1), stream(2)];
}

/**
 * Copies the streams of a started command and passes signals on, until it has ended.
 *
 * @param signals what catchSignals returned
 */
export function attendTo(started: Started, signals: number, options: ForegroundOptions): End {
  const { pidfd, terminal, pipes } = started;
  const copies: Copy[] = [];
  using _ = terminal !== undefined && options.interactive && isTerminal(0)
    ? rawTerminal(0)
    : undefined;
  if (terminal !== undefined) {
    syscall("fcntl", terminal, F_SETFL, O_NONBLOCK);
    if (options.interactive) copies.push({ from: 0, to: terminal, output: false });
    copies.push({ from: terminal, to: 1, output: true });
  }
  for (const [number, pipe] of pipes.entries()) {
    if (pipe === undefined) continue;
    copies.push(
      number === 0
        ? { from: 0, to: pipe, output: false, close: pipe }
        : { from: pipe, to: number, output: true, close: pipe },
    );
  }
  return attend({
    pidfd,
    signals,
    copies,
    ...terminal === undefined ? {} : { terminal: { master: terminal, size: 0 } },
    ...options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs },
  });
}
