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
  O_CLOEXEC,
  P_PIDFD,
  POLLIN,
  POLLOUT,
  SIGKILL,
  SIGWINCH,
  SyscallError,
  TIOCGWINSZ,
  TIOCSWINSZ,
  WEXITED,
} from "../../ffi/mod.ts";
import { goto } from "../plan/calls.ts";
import {
  type Call,
  call,
  flags,
  type On,
  place,
  type Room,
  room,
  type Slot,
  slot,
  type Step,
  step,
} from "../plan/step.ts";
import { assemble, roomOf, runHere } from "../stage/mod.ts";

/** How a process ended: by itself with an exit code, or by a signal. */
export interface End {
  code?: number;
  signal?: number;
}

/** The status that a shell would show: the exit code, or 128 plus the signal's number. */
export function statusOf({ code, signal }: End): number {
  return code ?? 128 + (signal ?? 0);
}

/** A stream that is copied from one descriptor to another. */
export interface Copy {
  from: number;
  to: number;
  /** Whether the container writes it: its end is waited for. */
  output: boolean;
  /** Closed when the input has ended or nobody reads the output, so that the container learns it. */
  close?: number;
}

/** What to attend to. */
export interface Attended {
  pidfd: number;
  /** Yields one byte for each signal that this process got. */
  signals: number;
  copies: Copy[];
  /** The pty's master, whose size follows that of the terminal `size`. */
  terminal?: { master: number; size: number };
  /** After so long the container is killed. */
  timeoutMs?: number;
}

const WNOHANG = 1;
const CLOCK_MONOTONIC = 1;
const BUFFER_SIZE = 4096; // Bytes; a pipe that is ready for output takes as many at once.
/** A process that outlives the container may hold its output open: no longer quiet than this. */
const AFTER_END_MS = 50;
const REVENTS = 0xffff_0000_0000_0000n;

/** Attends to a child until it has ended and its output is through; waitid(2), poll(2). */
export function attend(attended: Attended): End {
  const siginfo = room("siginfo_t", 128);
  const program = assemble(attendSteps(attended, siginfo), { base: "here", arch: ARCH });
  const failure = runHere(program);
  if (failure) throw new SyscallError("ppoll", failure.errno);
  const info = roomOf(program, siginfo);
  const view = new DataView(info.buffer, info.byteOffset);
  const status = view.getInt32(24, true); // si_status
  return view.getInt32(8, true) === CLD_EXITED ? { code: status } : { signal: status };
}

function attendSteps(attended: Attended, siginfo: Room): Step[] {
  const { pidfd, signals, copies, timeoutMs } = attended;
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
  return [
    step("begin to attend", [
      ...watch(0, pidfd),
      ...watch(1, signals),
      ...watch(2, -1),
      ...copies.flatMap(({ from }, index) => watch(3 + index, from)),
      call("store64", [outputs, copies.filter(({ output }) => output).length]),
      call("store64", [place(limit, 8), AFTER_END_MS * 1_000_000]),
      ...timeoutMs === undefined ? [] : startTimer(timeoutMs, timer, polled),
    ]),
    waitStep(polled, 3 + copies.length, ended, limit),
    signalStep(attended, polled),
    ...copiers.flatMap((copier) => copier.steps()),
    endStep(pidfd, siginfo, ended, polled),
    step("see whether all output is through", [
      ...copiers.flatMap((copier) => copier.pending("wait")),
      call("load64", [outputs], { on: [{ value: 0, goto: "next" }] }),
      call("load64", [ended], { on: [{ value: 2, goto: "next" }] }),
      goto("wait"),
    ]),
  ];
}

function startTimer(timeoutMs: number, timer: Slot, polled: Room): Call[] {
  const setting = new Uint8Array(32); // struct itimerspec: interval, then value
  const view = new DataView(setting.buffer);
  view.setBigUint64(16, BigInt(Math.floor(timeoutMs / 1000)), true);
  view.setBigUint64(24, BigInt(timeoutMs % 1000) * 1_000_000n, true);
  return [
    call("timerfd_create", [CLOCK_MONOTONIC, flags({ O_CLOEXEC })], { to: timer }),
    call("timerfd_settime", [timer, 0, setting, 0]),
    call("store32", [place(polled, 16), timer]),
  ];
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
function signalStep({ pidfd, signals, terminal, timeoutMs }: Attended, polled: Room): Step {
  const number = room("signal", 8);
  const size = room("struct winsize", 8);
  const signal = slot("signal");
  const entry = slot("timer's entry"), expired = slot("expired?");
  const kill = [
    call("load64", [place(polled, 16)], { to: entry }),
    call("and", [entry, REVENTS], { to: expired, on: [{ value: 0, goto: ".signals" }] }),
    call("store32", [place(polled, 16), -1]), // Once.
    call("pidfd_send_signal", [pidfd, SIGKILL, 0, 0], { on: [{ errno: "any", goto: ".signals" }] }),
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
function endStep(pidfd: number, siginfo: Room, ended: Room, polled: Room): Step {
  const pid = slot("si_pid");
  return step("see whether the container has ended", [
    call("load64", [ended], { on: [{ value: 1, goto: "next" }] }),
    call("load64", [ended], { on: [{ value: 2, goto: "next" }] }),
    call("waitid", [flags({ P_PIDFD }), pidfd, siginfo, flags({ WEXITED, WNOHANG }), 0]),
    call("load32", [place(siginfo, 16)], { to: pid, on: [{ value: 0, goto: "wait" }] }),
    call("store64", [ended, 1]),
    call("store32", [place(polled, 0), -1]),
  ]);
}

/** The steps of one copy; labels carry its number. */
class Copier {
  readonly #buffer = room("buffer", BUFFER_SIZE);
  /** Bytes that wait to be written, and where they begin. */
  readonly #held = room("held", 8);
  readonly #start = room("start", 8);

  constructor(
    readonly copy: Copy,
    readonly polled: Room,
    readonly outputs: Room,
    readonly index: number,
  ) {}

  #watch(fd: number, events: number): Call[] {
    return [
      call("store32", [place(this.polled, 8 * this.index), fd]),
      call("store32", [place(this.polled, 8 * this.index + 4), events]),
    ];
  }

  steps(): Step[] {
    const { from, to, output, close } = this.copy;
    const open = slot("outputs that were open"), fewer = slot("outputs that are open");
    const entry = slot("entry"), ready = slot("ready"), got = slot("bytes read");
    const held = slot("bytes held"), start = slot("start"), wrote = slot("bytes written");
    const at = slot("address"), left = slot("bytes left"), moved = slot("new start");
    const done: On[] = [{ errno: "EAGAIN", goto: "next" }, { errno: "any", goto: ".over" }];
    return [
      step(`copy ${from} to ${to}`, [
        call("load64", [place(this.polled, 8 * this.index)], { to: entry }),
        call("and", [entry, REVENTS], { to: ready, on: [{ value: 0, goto: "next" }] }),
        call("load64", [this.#held], { to: held, on: [{ value: 0, goto: ".read" }] }),
        goto(".write"),
        call("read", [from, this.#buffer, BUFFER_SIZE], {
          id: ".read",
          to: got,
          on: [{ value: 0, goto: ".over" }, ...done],
        }),
        call("store64", [this.#held, got]),
        call("store64", [this.#start, 0]),
        ...this.#watch(to, POLLOUT),
        goto("next"),
        call("load64", [this.#start], { id: ".write", to: start }),
        call("add", [place(this.#buffer, 0), start], { to: at }),
        call("write", [to, at, held], { to: wrote, on: done }),
        call("add", [start, wrote], { to: moved }),
        call("store64", [this.#start, moved]),
        call("store64", [this.#start, moved]),
        call("subtract", [held, wrote], { to: left }),
        call("store64", [this.#held, left], { on: [{ value: 0, goto: ".empty" }] }),
        goto("next"),
        ...withId(this.#watch(from, POLLIN), ".empty"),
        goto("next"),
        // The end of the input, or nobody reads the output any more.
        ...withId(this.#watch(-1, 0), ".over"),
        call("store64", [this.#held, 0]),
        ...close === undefined ? [] : [call("close", [close])],
        ...output
          ? [
            call("load64", [this.outputs], { to: open }),
            call("subtract", [open, 1], { to: fewer }),
            call("store64", [this.outputs, fewer]),
          ]
          : [],
      ]),
    ];
  }

  /** Goes to a label while bytes are held back. */
  pending(label: string): Call[] {
    const next = `.free ${this.index}`;
    return [
      call("load64", [this.#held], { on: [{ value: 0, goto: next }] }),
      goto(label),
      call("add", [0, 0], { id: next }),
    ];
  }
}

function withId([first, ...rest]: Call[], id: string): Call[] {
  return first ? [{ ...first, id }, ...rest] : [];
}
