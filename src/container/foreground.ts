import { F_SETFL, O_NONBLOCK, syscall } from "../../ffi/mod.ts";
import type { Stream, Supervision } from "../plan/mod.ts";
import { attend, type Attended, attendFrom, type End } from "./attend.ts";
import { isTerminal, rawTerminal } from "./console.ts";
import type { Copy, Filter } from "./stream_copy.ts";
import type { Started } from "./start.ts";

/** How a command in the foreground is attended to. */
export interface ForegroundOptions {
  /** Whether it reads the caller's standard input. */
  interactive: boolean;
  timeoutMs?: number;
  /** What thaws it then, if it is frozen. */
  thaw?: Attended["thaw"];
  /** Sees what is typed at its terminal. */
  filter?: Filter;
}

/**
 * The standard streams of a command without a terminal of its own. A terminal of the caller's is
 * never handed in: what is written to it goes through a pipe.
 *
 * @param supervision of a container that has a supervisor, which then reads its output
 */
export function streamsFor(
  interactive: boolean,
  supervision?: Supervision,
): [Stream, Stream, Stream] {
  const stream = (fd: number): Stream => isTerminal(fd) ? "pipe" : "inherit";
  if (!supervision) return [interactive ? stream(0) : "null", stream(1), stream(2)];
  const kept = supervision.echo ? stream(0) : "supervisor";
  return [interactive ? kept : "null", "supervisor", "supervisor"];
}

/** Where a supervisor echoes output to: no terminal of the caller's, as above. */
export function echoFor(terminal: boolean): NonNullable<Supervision["echo"]> {
  const echo = (fd: number) => isTerminal(fd) ? "pipe" : "direct";
  return terminal ? ["pipe"] : [echo(1), echo(2)];
}

/**
 * Copies the streams of a started command and passes signals on, until it has ended.
 *
 * @param signals what catchSignals returned
 */
export function attendTo(started: Started, signals: number, options: ForegroundOptions): End {
  using _ = rawInput(started, options);
  return attend(attended(started, signals, options));
}

/** A container that has a supervisor, as minictr attends to it. */
export type Attendant = Pick<Started, "pidfd" | "terminal" | "pipes"> & { line: number };

/**
 * The same with a container that has a supervisor.
 *
 * @returns whether it has ended, and was not left by the keys that `options.filter` looks for
 */
export function attendToSupervised(
  container: Attendant,
  signals: number,
  options: ForegroundOptions,
): boolean {
  using _ = rawInput(container, options);
  return attendFrom({ ...attended(container, signals, options), line: container.line });
}

/** Keys go to the container's pty as they are typed. */
function rawInput(
  { terminal }: Pick<Started, "terminal">,
  { interactive }: ForegroundOptions,
): Disposable | undefined {
  return terminal !== undefined && interactive && isTerminal(0) ? rawTerminal(0) : undefined;
}

function attended(
  { pidfd, terminal, pipes }: Pick<Started, "pidfd" | "terminal" | "pipes">,
  signals: number,
  { interactive, timeoutMs, thaw, filter }: ForegroundOptions,
): Attended {
  const copies: Copy[] = [];
  if (terminal !== undefined) {
    syscall("fcntl", terminal, F_SETFL, O_NONBLOCK);
    if (interactive) {
      // The end of a terminal's input is that of the terminal: the container's is hung up as well.
      const close = isTerminal(0) ? { close: terminal } : {};
      copies.push({ from: 0, to: terminal, output: false, ...close, ...filter ? { filter } : {} });
    }
    if (pipes[1] === undefined) copies.push({ from: terminal, to: 1, output: true });
  }
  for (const [number, pipe] of pipes.entries()) {
    if (pipe === undefined) continue;
    copies.push(
      number === 0
        ? { from: 0, to: pipe, output: false, close: pipe }
        : { from: pipe, to: number, output: true, close: pipe },
    );
  }
  return {
    pidfd,
    signals,
    copies,
    ...terminal === undefined ? {} : { terminal: { master: terminal, size: 0 } },
    ...timeoutMs === undefined ? {} : { timeoutMs },
    ...thaw ? { thaw } : {},
  };
}
