/**
 * What minictr does while a container runs in its foreground: one program that waits for the end,
 * passes signals on, and copies streams. No event loop and no thread takes part in it.
 *
 * Each copy has one buffer and one poll(2) entry: while the buffer is empty it waits for input,
 * while it is full for room at the output, so a slow reader holds up nobody but its writer.
 *
 * @module
 */
import {
  ARCH,
  CLD_EXITED,
  P_PIDFD,
  POLLIN,
  SIGKILL,
  SIGWINCH,
  SyscallError,
  TIOCGWINSZ,
  TIOCSWINSZ,
  WEXITED,
} from "../../ffi/mod.ts";
import { goto, startTimer, writeFile } from "../plan/calls.ts";
import {
  call,
  flags,
  type On,
  place,
  type Room,
  room,
  slot,
  type Step,
  step,
} from "../plan/step.ts";
import { assemble, type Program, roomOf, runHere } from "../stage/mod.ts";
import { Copier, type Copy, withId } from "./stream_copy.ts";

export type { Copy } from "./stream_copy.ts";

/** How a process ended: by itself with an exit code, or by a signal. */
export interface End {
  code?: number;
  signal?: number;
}

/** The status that a shell would show: the exit code, or 128 plus the signal's number. */
export function statusOf({ code, signal }: End): number {
  return code ?? 128 + (signal ?? 0);
}

/** What to attend to. */
export interface Attended {
  /** Who gets the signals. */
  pidfd: number;
  /** A line to its supervisor, which becomes readable when it has ended; absent: it is a child. */
  line?: number;
  /** Yields one byte for each signal that this process got. */
  signals: number;
  copies: Copy[];
  /** The pty's master, whose size follows that of the terminal `size`. */
  terminal?: { master: number; size: number };
  /** After so long the container is killed. */
  timeoutMs?: number;
  /** What thaws it then, if it is frozen: a file of its cgroup, and what is written there. */
  thaw?: { file: string; text: string };
}

const WNOHANG = 1;
/** A process that outlives the container may hold its output open: no longer quiet than this. */
const AFTER_END_MS = 50;
const REVENTS = 0xffff_0000_0000_0000n;

/** Attends to a child until it has ended and its output is through; waitid(2), poll(2). */
export function attend(attended: Attended): End {
  const siginfo = room("siginfo_t", 128);
  const { program } = assembled(attended, siginfo);
  carryOut(program);
  const info = roomOf(program, siginfo);
  const view = new DataView(info.buffer, info.byteOffset);
  const status = view.getInt32(24, true); // si_status
  return view.getInt32(8, true) === CLD_EXITED ? { code: status } : { signal: status };
}

/**
 * Attends to a container that has a supervisor, until it has ended and its output is through, or until
 * a filter says to leave it.
 *
 * @returns whether it has ended
 */
export function attendFrom(attended: Attended & { line: number }): boolean {
  const { program, copiers } = assembled(attended, room("siginfo_t", 128));
  for (;;) {
    carryOut(program);
    const all = copiers.map((copier) => copier.filter(program));
    if (all.includes("leave")) return false;
    if (!all.includes("go on")) return true;
  }
}

function carryOut(program: Program): void {
  const failure = runHere(program);
  if (failure) throw new SyscallError("ppoll", failure.errno);
}

function assembled(
  attended: Attended,
  siginfo: Room,
): { program: Program; copiers: Copier[] } {
  const { pidfd, line, signals, copies, timeoutMs } = attended;
  const polled = room("struct pollfd[]", 8 * (3 + copies.length));
  const timer = slot("timer");
  const ended = room("ended", 8);
  const limit = room("struct timespec", 16);
  const entry = (index: number) => place(polled, 8 * index);
  const watch = (index: number, fd: number) => [
    call("store32", [entry(index), fd]),
    call("store32", [place(polled, 8 * index + 4), POLLIN]),
  ];
  const outputs = room("outputs that are open", 8);
  const copiers = copies.map((copy, index) => new Copier(copy, polled, outputs, 3 + index));
  const steps = [
    step("begin to attend", [
      ...copiers.flatMap((copier) => copier.resume()),
      ...watch(0, line ?? pidfd),
      ...watch(1, signals),
      ...watch(2, -1),
      ...copies.flatMap(({ from }, index) => watch(3 + index, from)),
      call("store64", [outputs, copies.filter(({ output }) => output).length]),
      call("store64", [place(limit, 8), AFTER_END_MS * 1_000_000]),
      ...timeoutMs === undefined
        ? []
        : [...startTimer(timeoutMs, timer), call("store32", [place(polled, 16), timer])],
    ]),
    waitStep(polled, 3 + copies.length, ended, limit),
    signalStep(attended, polled),
    ...copiers.flatMap((copier) => copier.steps()),
    endStep(attended, siginfo, ended, polled),
    step("see whether all output is through", [
      ...copiers.filter(({ copy }) => copy.output).flatMap((copier) => copier.pending(".wait")),
      call("load64", [outputs], { on: [{ value: 0, goto: "next" }] }),
      call("load64", [ended], { on: [{ value: 2, goto: "next" }] }),
      goto("wait"),
      // What is held back may not be all: quiet is counted anew when it is through.
      call("load64", [ended], { id: ".wait", on: [{ value: 2, goto: ".again" }] }),
      goto("wait"),
      call("store64", [ended, 1], { id: ".again" }),
      goto("wait"),
    ]),
    step("leave", [call("add", [0, 0], { id: "leave" })]),
  ];
  return { program: assemble(steps, { base: "here", arch: ARCH }), copiers };
}

/** Waits without end while the container runs; afterwards briefly, for output still on its way. */
function waitStep(polled: Room, count: number, ended: Room, limit: Room): Step {
  const again: On[] = [{ errno: "EINTR", goto: "wait" }];
  return step("wait for what happens next", [
    call("load64", [ended], { id: "wait", on: [{ value: 0, goto: ".running" }] }),
    call("ppoll", [polled, count, limit, 0, 8], { on: [{ value: 0, goto: ".quiet" }, ...again] }),
    goto("next"),
    call("store64", [ended, 2], { id: ".quiet" }),
    goto("next"),
    call("ppoll", [polled, count, 0, 0, 8], { id: ".running", on: again }),
  ]);
}

/** Signals go to the container, but a change of the terminal's size goes to the pty. */
function signalStep({ pidfd, signals, terminal, timeoutMs, thaw }: Attended, polled: Room): Step {
  const number = room("signal", 8);
  const size = room("struct winsize", 8);
  const signal = slot("signal");
  const entry = slot("timer's entry"), expired = slot("expired?");
  const kill = [
    call("load64", [place(polled, 16)], { to: entry }),
    call("and", [entry, REVENTS], { to: expired, on: [{ value: 0, goto: ".signals" }] }),
    call("store32", [place(polled, 16), -1]), // Once.
    call("pidfd_send_signal", [pidfd, SIGKILL, 0, 0], { on: [{ errno: "any", goto: ".signals" }] }),
    ...thaw ? writeFile(thaw.file, thaw.text, { on: [{ errno: "any", goto: ".signals" }] }) : [],
  ];
  const resize = terminal && [
    call("ioctl", [terminal.size, flags({ TIOCGWINSZ }), size], {
      on: [{ errno: "any", goto: ".signals" }],
    }),
    call("ioctl", [terminal.master, flags({ TIOCSWINSZ }), size], {
      on: [{ errno: "any", goto: ".signals" }],
    }),
  ];
  return step("pass signals on", [
    ...timeoutMs === undefined ? [] : kill,
    call("read", [signals, number, 1], { id: ".signals", on: [{ errno: "any", goto: "next" }] }),
    call("load64", [number], { to: signal, on: [{ value: SIGWINCH, goto: ".size" }] }),
    call("pidfd_send_signal", [pidfd, signal, 0, 0], { on: [{ errno: "any", goto: ".signals" }] }),
    goto(".signals"),
    ...withId(resize ?? [goto(".signals")], ".size"),
    goto(".signals"),
  ]);
}

/** Takes note of the end, once; after that its descriptor is no longer polled. */
function endStep({ pidfd, line }: Attended, siginfo: Room, ended: Room, polled: Room): Step {
  const pid = slot("si_pid");
  const entry = slot("entry"), ready = slot("ready");
  const seen = line === undefined
    ? [
      call("waitid", [flags({ P_PIDFD }), pidfd, siginfo, flags({ WEXITED, WNOHANG }), 0]),
      call("load32", [place(siginfo, 16)], { to: pid, on: [{ value: 0, goto: "wait" }] }),
    ]
    : [
      call("load64", [place(polled, 0)], { to: entry }),
      call("and", [entry, REVENTS], { to: ready, on: [{ value: 0, goto: "wait" }] }),
    ];
  return step("see whether the container has ended", [
    call("load64", [ended], { on: [{ value: 1, goto: "next" }] }),
    call("load64", [ended], { on: [{ value: 2, goto: "next" }] }),
    ...seen,
    call("store64", [ended, 1]),
    call("store32", [place(polled, 0), -1]),
  ]);
}
