/**
 * What a supervisor does for the minictr that started its container in the foreground: it echoes the
 * output, byte for byte, and as slowly as it is read.
 *
 * No more is written at once than a pipe takes that is ready for output, so a write never waits, and
 * a reader that does not read holds up the container but not the supervisor.
 *
 * @see pipe(7), poll(2)
 */
import { SIGKILL } from "../../ffi/constants.ts";
import { goto } from "./calls.ts";
import { type Call, call, flags, type On, place, room, slot, type Step, step } from "./step.ts";
import { ECHO, LINE, NOT_POLLED, REVENTS, type Rooms } from "./supervise_rooms.ts";
import { type Echo, type Supervision, SUPERVISOR_FD } from "./supervision.ts";

/** PIPE_BUF, in bytes. */
const AT_ONCE = 4096;

/** Writes on what is held. */
export function echoStep(rooms: Rooms, echo: NonNullable<Supervision["echo"]>): Step {
  const { polled, held, start } = rooms;
  const entry = slot("entry"), ready = slot("ready"), left = slot("bytes left");
  const to = slot("where to"), at = slot("address"), moved = slot("new address");
  const wrote = slot("bytes written"), rest = slot("rest"), few = slot("few?");
  const refused: On[] = [{ errno: "EAGAIN", goto: "next" }, { errno: "any", goto: ".refused" }];
  return step("echo what has been read", [
    call("load64", [place(polled, 8 * ECHO)], { to: entry }),
    call("and", [entry, REVENTS], { to: ready, on: [{ value: 0, goto: "next" }] }),
    call("load32", [place(polled, 8 * ECHO)], { to }),
    call("load64", [held], { to: left }),
    call("load64", [start], { to: at }),
    call("less", [left, AT_ONCE], { to: few, on: [{ value: 1, goto: ".few" }] }),
    call("write", [to, at, AT_ONCE], { to: wrote, on: refused }),
    goto(".wrote"),
    call("write", [to, at, left], { id: ".few", to: wrote, on: refused }),
    call("add", [at, wrote], { id: ".wrote", to: moved }),
    call("store64", [start, moved]),
    call("subtract", [left, wrote], { to: rest }),
    call("store64", [held, rest]),
    call("load64", [held], { on: [{ value: 0, goto: "read on" }] }),
    goto("next"),
    call("load32", [place(polled, 8 * ECHO)], {
      id: ".refused",
      on: [{ value: 1, goto: ".stream 1" }],
    }),
    ...echo[1] ? endEcho(2, rooms, echo[1]) : [],
    ...endEcho(1, rooms, echo[0]),
  ]);
}

/**
 * Nobody reads a stream's echo any more. If that was a reader of the caller's own, the container learns
 * it as it would without minictr: by SIGPIPE.
 */
function endEcho(stream: 1 | 2, rooms: Rooms, kind: Echo): Call[] {
  const { polled, echoing, held, open, sources } = rooms;
  const before = slot("open outputs before"), fewer = slot("open outputs");
  const close = [
    call("load32", [place(polled, 8 * LINE)], { on: [{ value: NOT_POLLED, goto: "read on" }] }),
    call("close", [stream === 1 ? SUPERVISOR_FD.output : SUPERVISOR_FD.error]),
    call("store32", [place(sources, 4 * (stream - 1)), -1]),
    call("load64", [open], { to: before }),
    call("subtract", [before, 1], { to: fewer }),
    call("store64", [open, fewer]),
  ];
  return [
    call("dup3", [0, stream, 0], { id: `.stream ${stream}` }),
    call("store64", [place(echoing, 8 * (stream - 1)), 0]),
    call("store64", [held, 0]),
    ...kind === "direct" ? close : [],
    goto("read on"),
  ];
}

/** What minictr says, or that it is gone: then the echo ends, too. */
export function hearMinictr(rooms: Rooms, echoes: boolean): Step {
  const { polled, echoing, held, trusted } = rooms;
  const entry = slot("entry"), ready = slot("ready");
  const word = room("word", 8);
  return step("hear minictr", [
    call("load64", [place(polled, 8 * LINE)], { id: "hear minictr", to: entry }),
    call("and", [entry, REVENTS], { to: ready, on: [{ value: 0, goto: "next" }] }),
    call("read", [SUPERVISOR_FD.minictr, word, 1], {
      on: [{ value: 1, goto: ".go" }, { errno: "any", goto: ".gone" }],
    }),
    call("close", [SUPERVISOR_FD.minictr], { id: ".gone" }),
    call("store32", [place(polled, 8 * LINE), -1]),
    call("load64", [trusted], { on: [{ value: 1, goto: ".alone" }] }),
    call("store64", [trusted, 1]),
    call("pidfd_send_signal", [SUPERVISOR_FD.pidfd, flags({ SIGKILL }), 0, 0], {
      on: [{ errno: "any", goto: ".alone" }],
    }),
    ...echoes
      ? [
        call("dup3", [0, 1, 0], { id: ".alone" }),
        call("dup3", [0, 2, 0]),
        ...[0, 8].map((offset) => call("store64", [place(echoing, offset), 0])),
        call("store64", [held, 0]),
        goto("read on"),
      ]
      : [{ ...goto("next"), id: ".alone" }],
    call("store64", [trusted, 1], { id: ".go" }),
  ]);
}

/** The outputs are read again, as far as they are open. */
export function readOn({ polled, sources }: Rooms): Step {
  const first = slot("first output"), second = slot("second output");
  return step("read on", [
    call("load32", [sources], { id: "read on", to: first }),
    call("load32", [place(sources, 4)], { to: second }),
    call("store32", [place(polled, 8), first]),
    call("store32", [place(polled, 16), second]),
    call("store32", [place(polled, 8 * ECHO), -1]),
    goto("supervise"),
  ]);
}
