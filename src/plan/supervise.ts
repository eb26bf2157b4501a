/**
 * The supervisor of a container: a stage that stays, as the parent of its first process.
 *
 * It copies the container's output to a log (`supervise_log.ts`) and on to whoever started it in the
 * foreground (`supervise_echo.ts`), waits for the end, writes down how it came, and then becomes
 * minictr once, to clean up, unless the minictr that started it still waits and does. It is a
 * program of its own, of a few kilobytes and no runtime.
 *
 * On the line to minictr it says "r" when it is there, and at the end what it also writes down; minictr
 * says "g" when it has written down all that a later command needs, and the supervisor does not end
 * before. If minictr is gone without it, nobody would know of the container: it is killed.
 *
 * @see poll(2), waitid(2), pidfd_open(2)
 */
import {
  O_CLOEXEC,
  O_CREAT,
  O_TRUNC,
  O_WRONLY,
  P_PIDFD,
  POLLIN,
  POLLOUT,
  SIG_SETMASK,
  SIGPIPE,
  WEXITED,
  WNOHANG,
} from "../../ffi/constants.ts";
import { goto } from "./calls.ts";
import {
  call,
  flags,
  mode,
  place,
  type Room,
  room,
  slot,
  type Step,
  step,
  strings,
} from "./step.ts";
import { echoStep, hearMinictr, readOn } from "./supervise_echo.ts";
import { type LogLimits, logStep, makeFrame } from "./supervise_log.ts";
import {
  ECHO,
  IGNORED,
  LINE,
  NOT_POLLED,
  POLLED,
  type Rooms,
  supervisorRooms,
  TIMER,
} from "./supervise_rooms.ts";
import { startClock, type TimeLimit, timeStep } from "./supervise_timeout.ts";
import { type Supervision, SUPERVISOR_FD } from "./supervision.ts";

/**
 * Size of an exit record:
 * `struct { u32 code; u32 status; u64 seconds; u64 nanoseconds; u32 timed_out; u32 unused; }`.
 */
export const EXIT_RECORD_SIZE = 32;

/** What a supervisor is told. */
export interface SupervisorOrders extends LogLimits {
  /** Whether the container's output is its pty's, in which both streams are one. */
  terminal: boolean;
  echo?: Supervision["echo"];
  /** Absent: it may run as long as it likes. */
  limit?: TimeLimit;
  /** Whether the minictr that started it cleans up, if it is still there at the end. */
  handsOver: boolean;
  /** The program that the supervisor becomes otherwise: argv, its path first. */
  afterwards: string[];
  env: string[];
}

const CLOCK_REALTIME = 0;
const AFTER_END_MS = 50;

/** From the container's start to its end, and what comes after. */
export function superviseSteps(orders: SupervisorOrders): Step[] {
  const { echo, limit } = orders;
  const rooms = supervisorRooms();
  const siginfo = room("siginfo_t", 128);
  const record = room("exit record", EXIT_RECORD_SIZE);
  return [
    begin(orders, rooms),
    waitStep(rooms, orders.terminal ? "hear minictr" : "log 2"),
    logStep(1, rooms, orders, echo !== undefined),
    ...orders.terminal ? [] : [logStep(2, rooms, orders, echo !== undefined)],
    hearMinictr(rooms, echo !== undefined),
    ...limit ? [timeStep(rooms, record, limit)] : [],
    ...echo ? [echoStep(rooms, echo)] : [],
    seeEnd(rooms, siginfo),
    ...echo ? [readOn(rooms)] : [],
    noteEnd(siginfo, record),
    tellMinictr(rooms, record, orders.handsOver),
    afterwards(orders),
    step("end", [call("exit_group", [1])]),
  ];
}

function begin({ terminal, echo, limit }: SupervisorOrders, rooms: Rooms): Step {
  const { polled, open, sources, echoing, size } = rooms;
  const length = slot("length of the log");
  const watch = (index: number, fd: number, events: number) => [
    call("store32", [place(polled, 8 * index), fd]),
    call("store32", [place(polled, 8 * index + 4), events]),
  ];
  const error = terminal ? -1 : SUPERVISOR_FD.error;
  return step("begin to supervise", [
    ...makeFrame(rooms),
    call("lseek", [SUPERVISOR_FD.log, 0, 2], {
      to: length,
      on: [{ errno: "any", goto: ".watch" }],
    }),
    call("store64", [size, length]),
    call("store32", [polled, SUPERVISOR_FD.pidfd], { id: ".watch" }),
    call("store32", [place(polled, 4), POLLIN]),
    ...watch(1, SUPERVISOR_FD.output, POLLIN),
    ...watch(2, error, POLLIN),
    ...watch(ECHO, -1, POLLOUT),
    ...watch(LINE, SUPERVISOR_FD.minictr, POLLIN),
    ...limit ? startClock(rooms, limit) : watch(TIMER, -1, 0),
    call("store32", [sources, SUPERVISOR_FD.output]),
    call("store32", [place(sources, 4), error]),
    call("store64", [open, terminal ? 1 : 2]),
    ...(echo ?? []).map((_, n) => call("store64", [place(echoing, 8 * n), 1])),
    call("write", [SUPERVISOR_FD.minictr, "r", 1], { on: IGNORED }),
  ]);
}

/**
 * Waits without end; when the container has ended briefly, for output that is still on its way.
 *
 * @param second where to go on when it is not the first stream's turn
 */
function waitStep({ polled, ended, trusted, held, open, turn }: Rooms, second: string): Step {
  const limit = new Uint8Array(16); // struct timespec
  new DataView(limit.buffer).setBigUint64(8, BigInt(AFTER_END_MS * 1_000_000), true);
  return step("wait for output and for the end", [
    call("load64", [ended], { id: "supervise", on: [{ value: 0, goto: ".forever" }] }),
    call("load64", [trusted], { on: [{ value: 0, goto: ".forever" }] }),
    call("load64", [held], { on: [{ value: 0, goto: ".brief" }] }),
    goto(".forever"),
    call("load64", [open], { id: ".brief", on: [{ value: 0, goto: "note the end" }] }),
    call("ppoll", [polled, POLLED, limit, 0, 8], {
      on: [{ value: 0, goto: "note the end" }, { errno: "any", goto: "supervise" }],
    }),
    goto(".turn"),
    call("ppoll", [polled, POLLED, 0, 0, 8], {
      id: ".forever",
      on: [{ errno: "any", goto: "supervise" }],
    }),
    call("load64", [turn], { id: ".turn", on: [{ value: 2, goto: ".second" }] }),
    goto("next"),
    call("store64", [turn, 1], { id: ".second" }),
    goto(second),
  ]);
}

function seeEnd({ ended, polled }: Rooms, siginfo: Room): Step {
  return step("see whether the container has ended", [
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
  ]);
}

/** How the container ended, durably and whole: written beside, synced, and renamed. */
function noteEnd(siginfo: Room, record: Room): Step {
  const code = slot("si_code"), status = slot("si_status"), file = slot("exit record's file");
  const how = flags({ O_WRONLY, O_CREAT, O_TRUNC, O_CLOEXEC });
  const { directory } = SUPERVISOR_FD;
  return step("note how the container ended", [
    call("load32", [place(siginfo, 8)], { id: "note the end", to: code }),
    call("load32", [place(siginfo, 24)], { to: status }),
    call("store32", [place(record, 0), code]),
    call("store32", [place(record, 4), status]),
    call("clock_gettime", [CLOCK_REALTIME, place(record, 8)]),
    call("openat", [directory, "exit.new", how, mode(0o600)], { to: file, on: IGNORED }),
    call("write", [file, record, EXIT_RECORD_SIZE], { on: IGNORED }),
    call("fsync", [file], { on: [{ errno: "any", goto: ".rename" }] }),
    call("renameat2", [directory, "exit.new", directory, "exit", 0], {
      id: ".rename",
      on: IGNORED,
    }),
  ]);
}

/** If minictr is still there it is told, and cleans up; nobody else then does. */
function tellMinictr({ polled }: Rooms, record: Room, handsOver: boolean): Step {
  return step("tell minictr", [
    call("load32", [place(polled, 8 * LINE)], { on: [{ value: NOT_POLLED, goto: "next" }] }),
    call("write", [SUPERVISOR_FD.minictr, record, EXIT_RECORD_SIZE], { on: IGNORED }),
    ...handsOver ? [call("exit_group", [0])] : [],
  ]);
}

/** The supervisor becomes minictr, which cleans up; the lock stays held by its descriptor. */
function afterwards({ afterwards, env }: SupervisorOrders): Step {
  const [path = ""] = afterwards;
  const ignore = new Uint8Array(32); // struct sigaction: SIG_IGN.
  ignore[0] = 1;
  return step("become minictr to clean up", [
    // One that waits, of a write to a minictr or a reader that had just ended, is forgotten with it.
    call("rt_sigaction", [flags({ SIGPIPE }), ignore, 0, 8]),
    ...[1, 2].map((number) => call("dup3", [0, number, 0])),
    call("close_range", [SUPERVISOR_FD.pidfd, 0xffff_ffff, 0]),
    call("rt_sigprocmask", [flags({ SIG_SETMASK }), new Uint8Array(8), 0, 8]),
    call("execve", [path, strings(afterwards), strings(env)], {
      on: [{ errno: "any", goto: "next" }],
    }),
  ]);
}
