/**
 * What a supervisor does with its container's output: frames of a log, which is rotated.
 *
 * A frame of the log, all little-endian:
 * ```c
 * struct frame { u64 seconds; u64 nanoseconds; u32 length; u8 stream; char mark[3]; u8 data[length]; };
 * ```
 * Time is CLOCK_REALTIME as it was when the data was read; stream is 1 or 2; mark is "MCL", by which
 * a reader finds its way behind a piece that is damaged.
 *
 * @see read(2), clock_gettime(2), renameat2(2)
 */
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  PROT_READ,
  PROT_WRITE,
} from "../../ffi/constants.ts";
import { goto } from "./calls.ts";
import { ECHO, REVENTS, type Rooms } from "./supervise_rooms.ts";
import { type Call, call, flags, mode, type On, place, slot, type Step, step } from "./step.ts";
import { SUPERVISOR_FD } from "./supervision.ts";

/** Bytes in front of a frame's data. */
export const FRAME_HEADER_SIZE = 24;
/** Most data of one frame, in bytes: a frame fits into two pages. */
export const FRAME_DATA_LIMIT = 8192 - FRAME_HEADER_SIZE;
/** The upper three bytes of the last word of a frame's header: "MCL". */
export const FRAME_MARK = 0x4c43_4d00;

/** Memory for the frame that is being made; mmap(2). */
export function makeFrame({ frame }: Rooms): Call[] {
  const protection = flags({ PROT_READ, PROT_WRITE });
  const how = flags({ MAP_PRIVATE, MAP_ANONYMOUS });
  const size = FRAME_HEADER_SIZE + FRAME_DATA_LIMIT;
  return [
    call("mmap", [0, size, protection, how, -1, 0], { to: frame.at }),
    call("add", [frame.at, 16], { to: frame.length }),
    call("add", [frame.at, 20], { to: frame.stream }),
    call("add", [frame.at, FRAME_HEADER_SIZE], { to: frame.data }),
  ];
}

/** How much is kept of a container's output. */
export interface LogLimits {
  /** The log grows to this size before it is rotated, in bytes. */
  logLimitBytes: number;
  /** How many logs are kept, the current one included. */
  logFiles: number;
}

const CLOCK_REALTIME = 0;

/**
 * One output: what is there is read, framed and appended; then the log is rotated if it is due, and what
 * was read is echoed, if anybody wants it.
 *
 * @param echoes whether there may be an echo at all
 */
export function logStep(
  stream: 1 | 2,
  rooms: Rooms,
  limits: LogLimits,
  echoes: boolean,
): Step {
  const { polled, open, size, frame, sources } = rooms;
  const from = stream === 1 ? SUPERVISOR_FD.output : SUPERVISOR_FD.error;
  const entry = slot("entry"), ready = slot("ready"), got = slot("bytes read");
  const total = slot("bytes of the frame"), wrote = slot("bytes written"), rest = slot("rest");
  const before = slot("size before"), after = slot("size after"), full = slot("full?");
  const outputs = slot("open outputs before"), fewer = slot("open outputs");
  const read: On[] = [
    { value: 0, goto: ".over" },
    { errno: "EAGAIN", goto: "next" },
    { errno: "any", goto: ".over" },
  ];
  return step(`log stream ${stream}`, [
    call("load64", [place(polled, 8 * stream)], { id: `log ${stream}`, to: entry }),
    call("and", [entry, REVENTS], { to: ready, on: [{ value: 0, goto: "next" }] }),
    call("read", [from, frame.data, FRAME_DATA_LIMIT], { to: got, on: read }),
    call("clock_gettime", [CLOCK_REALTIME, frame.at]),
    call("store32", [frame.length, got]),
    call("store32", [frame.stream, FRAME_MARK + stream]),
    call("add", [got, FRAME_HEADER_SIZE], { to: total }),
    call("load64", [size], { to: before }),
    call("write", [SUPERVISOR_FD.log, frame.at, total], {
      to: wrote,
      on: [{ errno: "any", goto: ".echo" }], // A full disk loses what is logged, not the container.
    }),
    call("subtract", [total, wrote], { to: rest, on: [{ value: 0, goto: ".whole" }] }),
    call("ftruncate", [SUPERVISOR_FD.log, before], { on: [{ errno: "any", goto: ".echo" }] }),
    goto(".echo"),
    call("add", [before, total], { id: ".whole", to: after }),
    call("store64", [size, after]),
    call("less", [after, limits.logLimitBytes], { to: full, on: [{ value: 1, goto: ".echo" }] }),
    ...rotate(limits.logFiles, rooms),
    ...echoes ? beginEcho(stream, rooms, got) : [{ ...goto("next"), id: ".echo" }],
    call("store32", [place(polled, 8 * stream), -1], { id: ".over" }),
    call("store32", [place(sources, 4 * (stream - 1)), -1]),
    call("load64", [open], { to: outputs }),
    call("subtract", [outputs, 1], { to: fewer }),
    call("store64", [open, fewer]),
  ]);
}

/** Nothing more is read until what has been read is echoed, and then the other stream first. */
function beginEcho(stream: 1 | 2, rooms: Rooms, got: ReturnType<typeof slot>): Call[] {
  const { polled, echoing, held, start, turn, frame } = rooms;
  return [
    call("load64", [place(echoing, 8 * (stream - 1))], {
      id: ".echo",
      on: [{ value: 0, goto: "next" }],
    }),
    call("store64", [held, got]),
    call("store64", [start, frame.data]),
    call("store64", [turn, 3 - stream]),
    call("store32", [place(polled, 8), -1]),
    call("store32", [place(polled, 16), -1]),
    call("store32", [place(polled, 8 * ECHO), stream]),
    goto("supervise"),
  ];
}

/** log.1 becomes log.2 and so on, log becomes log.1, and a new one begins; one alone begins anew. */
function rotate(files: number, { size }: Rooms): Call[] {
  if (files === 1) {
    return [
      call("ftruncate", [SUPERVISOR_FD.log, 0], { on: [{ errno: "any", goto: ".echo" }] }),
      call("store64", [size, 0]),
    ];
  }
  const renames: Call[] = [];
  for (let number = files - 1; number >= 1; number--) {
    const older = number === 1 ? "log" : `log.${number - 1}`;
    const on: On[] = [{ errno: "any", goto: `.rename ${number - 1}` }];
    const { directory } = SUPERVISOR_FD;
    const args = [directory, older, directory, `log.${number}`, 0];
    renames.push(call("renameat2", args, { id: `.rename ${number}`, on }));
  }
  const fresh = slot("new log");
  const how = flags({ O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_CLOEXEC });
  return [
    ...renames,
    call("openat", [SUPERVISOR_FD.directory, "log", how, mode(0o640)], {
      id: ".rename 0",
      to: fresh,
      on: [{ errno: "any", goto: ".echo" }], // It goes on in the old one.
    }),
    call("dup3", [fresh, SUPERVISOR_FD.log, 0]),
    call("close", [fresh]),
    call("store64", [size, 0]),
  ];
}
