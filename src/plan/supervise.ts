/**
 * The supervisor of a detached container: a stage that stays, as the parent of its first process.
 *
 * It copies the container's output to a log of frames, rotates the log, waits for the end, writes
 * down how it came, and then becomes minictr once, to clean up. A few kilobytes, no runtime.
 *
 * Descriptors of a supervisor, always the same: 0, 1 and 2 are /dev/null, 3 the log, 4 the container's
 * directory, 5 its lock, 6 the first process's pidfd, 7 and 8 what the container writes to its
 * standard output and error, or 7 the master of its pty.
 *
 * A frame of the log, all little-endian:
 * ```c
 * struct frame { u64 seconds; u64 nanoseconds; u32 length; u32 stream; u8 data[length]; };
 * ```
 * Time is CLOCK_REALTIME as it was when the data was read; stream is 1 or 2.
 *
 * @see signal(7), poll(2), waitid(2), clock_gettime(2)
 */
import {
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  P_PIDFD,
  POLLIN,
  SIG_SETMASK,
  WEXITED,
  WNOHANG,
} from "../../ffi/constants.ts";
import { goto } from "./calls.ts";
import {
  type Call,
  call,
  flags,
  mode,
  type On,
  place,
  type Room,
  room,
  type Slot,
  slot,
  type Step,
  step,
  strings,
} from "./step.ts";

/** The descriptors of a supervisor. */
export const SUPERVISOR_FD = { log: 3, directory: 4, lock: 5, pidfd: 6, output: 7, error: 8 };

/** Bytes in front of a frame's data. */
export const FRAME_HEADER_SIZE = 24;
/** Most data of one frame, in bytes: docker's copier has the same. */
const FRAME_DATA_LIMIT = 16_384;

/** Size of an exit record: `struct { u32 code; u32 status; u64 seconds; u64 nanoseconds; }`. */
export const EXIT_RECORD_SIZE = 24;

/** What a supervisor is told. */
export interface Supervision {
  /** The log grows to this size before it is rotated, in bytes. */
  logLimitBytes: number;
  /** How many logs are kept, the current one included. */
  logFiles: number;
  /** The program that the supervisor becomes when the container has ended: argv, its path first. */
  afterwards: string[];
  env: string[];
}

const CLOCK_REALTIME = 0;
const REVENTS = 0xffff_0000_0000_0000n;
const AFTER_END_MS = 50;
const IGNORED: On[] = [{ errno: "any", goto: "next" }];

/** Puts the supervisor's descriptors where they belong and closes all others; dup3(2). */
export function settleDescriptors(
  from: { log: Slot; directory: Slot; lock: Slot; pidfd: Slot; output?: Slot; error?: Slot },
): Step {
  // First out of the way: the numbers wanted may be in use.
  const FAR = 500;
  const wanted = Object.entries(from) as [keyof typeof SUPERVISOR_FD, Slot][];
  const null_ = slot("null");
  return step("keep the supervisor's descriptors only", [
    ...wanted.map(([name, fd]) => call("dup3", [fd, FAR + SUPERVISOR_FD[name], 0])),
    ...wanted.map(([name]) => call("dup3", [FAR + SUPERVISOR_FD[name], SUPERVISOR_FD[name], 0])),
    call("openat", [-100, "/dev/null", flags({ O_RDWR }), 0], { to: null_ }),
    ...[0, 1, 2].map((number) => call("dup3", [null_, number, 0])),
    call("close_range", [SUPERVISOR_FD.error + 1, 0xffff_ffff, 0]),
  ]);
}

/** From the container's start to its end, and what comes after. */
export function superviseSteps(supervision: Supervision): Step[] {
  const polled = room("struct pollfd[3]", 24);
  const ended = room("ended", 8);
  const open = room("open outputs", 8);
  const size = room("size of the log", 8);
  const limit = room("struct timespec", 16);
  const siginfo = room("siginfo_t", 128);
  const watch = (index: number, fd: number) => [
    call("store32", [place(polled, 8 * index), fd]),
    call("store32", [place(polled, 8 * index + 4), POLLIN]),
  ];
  const length = slot("length of the log");
  return [
    step("begin to supervise", [
      call("lseek", [SUPERVISOR_FD.log, 0, 2], { to: length, on: IGNORED }),
      call("store64", [size, length]),
      ...watch(0, SUPERVISOR_FD.pidfd),
      ...watch(1, SUPERVISOR_FD.output),
      ...watch(2, SUPERVISOR_FD.error),
      call("store64", [open, 2]),
      call("store64", [place(limit, 8), AFTER_END_MS * 1_000_000]),
    ]),
    step("wait for output and for the end", [
      call("load64", [ended], { id: "supervise", on: [{ value: 0, goto: ".running" }] }),
      call("load64", [open], { on: [{ value: 0, goto: "note the end" }] }),
      call("ppoll", [polled, 3, limit, 0, 8], {
        on: [{ value: 0, goto: "note the end" }, { errno: "any", goto: "supervise" }],
      }),
      goto("next"),
      call("ppoll", [polled, 3, 0, 0, 8], {
        id: ".running",
        on: [{ errno: "any", goto: "supervise" }],
      }),
    ]),
    logStep(1, polled, open, size, supervision),
    logStep(2, polled, open, size, supervision),
    step("see whether the container has ended", [
      call("load64", [ended], { on: [{ value: 1, goto: "supervise" }] }),
      call("waitid", [
        flags({ P_PIDFD }),
        SUPERVISOR_FD.pidfd,
        siginfo,
        flags({ WEXITED, WNOHANG }),
        0,
      ], { on: [{ errno: "any", goto: "supervise" }] }),
      call("load32", [place(siginfo, 16)], { on: [{ value: 0, goto: "supervise" }] }),
      call("store64", [ended, 1]),
      call("store32", [place(polled, 0), -1]),
      goto("supervise"),
    ]),
    noteEnd(siginfo),
    afterwards(supervision),
    step("end", [call("exit_group", [1])]),
  ];
}

/** One output: what is there is read, framed and appended; then the log is rotated if it is due. */
function logStep(
  stream: 1 | 2,
  polled: Room,
  open: Room,
  size: Room,
  { logLimitBytes, logFiles }: Supervision,
): Step {
  const from = stream === 1 ? SUPERVISOR_FD.output : SUPERVISOR_FD.error;
  const frame = room(`frame of stream ${stream}`, FRAME_HEADER_SIZE + FRAME_DATA_LIMIT);
  const entry = slot("entry"), ready = slot("ready"), got = slot("bytes read");
  const total = slot("bytes of the frame"), wrote = slot("bytes written"), rest = slot("rest");
  const before = slot("size before"), after = slot("size after"), full = slot("full?");
  const outputs = slot("open outputs before"), fewer = slot("open outputs");
  return step(`log stream ${stream}`, [
    call("load64", [place(polled, 8 * stream)], { to: entry }),
    call("and", [entry, REVENTS], { to: ready, on: [{ value: 0, goto: "next" }] }),
    call("read", [from, place(frame, FRAME_HEADER_SIZE), FRAME_DATA_LIMIT], {
      to: got,
      on: [{ value: 0, goto: ".over" }, { errno: "EAGAIN", goto: "next" }, {
        errno: "any",
        goto: ".over",
      }],
    }),
    call("clock_gettime", [CLOCK_REALTIME, frame]),
    call("store32", [place(frame, 16), got]),
    call("store32", [place(frame, 20), stream]),
    call("add", [got, FRAME_HEADER_SIZE], { to: total }),
    call("load64", [size], { to: before }),
    call("write", [SUPERVISOR_FD.log, frame, total], {
      to: wrote,
      on: [{ errno: "any", goto: "next" }], // A full disk loses output, not the container.
    }),
    call("subtract", [total, wrote], { to: rest, on: [{ value: 0, goto: ".whole" }] }),
    call("ftruncate", [SUPERVISOR_FD.log, before], { on: IGNORED }),
    goto("next"),
    call("add", [before, total], { id: ".whole", to: after }),
    call("store64", [size, after]),
    call("less", [after, logLimitBytes], { to: full, on: [{ value: 1, goto: "next" }] }),
    ...rotate(logFiles, size),
    goto("next"),
    call("store32", [place(polled, 8 * stream), -1], { id: ".over" }),
    call("load64", [open], { to: outputs }),
    call("subtract", [outputs, 1], { to: fewer }),
    call("store64", [open, fewer]),
  ]);
}

/** log.1 becomes log.2 and so on, log becomes log.1, and a new one begins; renameat2(2). */
function rotate(files: number, size: Room): Call[] {
  const renames: Call[] = [];
  for (let number = files - 1; number >= 1; number--) {
    const older = number === 1 ? "log" : `log.${number - 1}`;
    const on: On[] = [{ errno: "any", goto: `.rename ${number - 1}` }];
    renames.push(call("renameat2", [
      SUPERVISOR_FD.directory,
      older,
      SUPERVISOR_FD.directory,
      `log.${number}`,
      0,
    ], { id: `.rename ${number}`, on }));
  }
  const fresh = slot("new log");
  const how = files > 1
    ? flags({ O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_CLOEXEC })
    : flags({ O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_CLOEXEC });
  return [
    ...renames,
    call("openat", [SUPERVISOR_FD.directory, "log", how, mode(0o640)], {
      id: ".rename 0",
      to: fresh,
      on: IGNORED,
    }),
    call("dup3", [fresh, SUPERVISOR_FD.log, 0]),
    call("close", [fresh]),
    call("store64", [size, 0]),
  ];
}

/** How the container ended, durably and whole: written beside, synced, and renamed. */
function noteEnd(siginfo: Room): Step {
  const record = room("exit record", EXIT_RECORD_SIZE);
  const code = slot("si_code"), status = slot("si_status"), file = slot("exit record's file");
  const how = flags({ O_WRONLY, O_CREAT, O_TRUNC, O_CLOEXEC });
  return step("note how the container ended", [
    call("load32", [place(siginfo, 8)], { id: "note the end", to: code }),
    call("load32", [place(siginfo, 24)], { to: status }),
    call("store32", [place(record, 0), code]),
    call("store32", [place(record, 4), status]),
    call("clock_gettime", [CLOCK_REALTIME, place(record, 8)]),
    call("openat", [SUPERVISOR_FD.directory, "exit.new", how, mode(0o600)], {
      to: file,
      on: IGNORED,
    }),
    call("write", [file, record, EXIT_RECORD_SIZE], { on: IGNORED }),
    call("fsync", [file], { on: [{ errno: "any", goto: ".rename" }] }),
    call("renameat2", [SUPERVISOR_FD.directory, "exit.new", SUPERVISOR_FD.directory, "exit", 0], {
      id: ".rename",
      on: IGNORED,
    }),
  ]);
}

/** The supervisor becomes minictr, which cleans up; the lock stays held by its descriptor. */
function afterwards({ afterwards, env }: Supervision): Step {
  const [path = ""] = afterwards;
  return step("become minictr to clean up", [
    call("close", [SUPERVISOR_FD.pidfd]),
    call("rt_sigprocmask", [flags({ SIG_SETMASK }), new Uint8Array(8), 0, 8]),
    call("execve", [path, strings(afterwards), strings(env)], {
      on: [{ errno: "any", goto: "next" }],
    }),
  ]);
}
