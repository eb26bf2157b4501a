/**
 * The time limit of a container that has a supervisor: when it is over, the container is killed. It
 * counts from the start on, also while the container is paused.
 *
 * @see timerfd_create(2), pidfd_send_signal(2)
 */
import { POLLIN, SIGKILL } from "../../ffi/constants.ts";
import { startTimer, writeFile } from "./calls.ts";
import { type Call, call, flags, place, type Room, slot, type Step, step } from "./step.ts";
import { IGNORED, REVENTS, type Rooms, TIMER } from "./supervise_rooms.ts";
import { SUPERVISOR_FD } from "./supervision.ts";

/** How long a container may run. */
export interface TimeLimit {
  timeoutMs: number;
  /** What thaws it, if it is frozen: a file of its cgroup, and what is written there. */
  thaw?: { file: string; text: string };
}

/** Where an exit record says that the time was over: 1, as u32. */
export const TIMED_OUT_OFFSET = 24;

/** Starts the clock; timerfd_settime(2). */
export function startClock({ polled }: Rooms, { timeoutMs }: TimeLimit): Call[] {
  const timer = slot("timer");
  return [
    ...startTimer(timeoutMs, timer),
    call("store32", [place(polled, 8 * TIMER), timer]),
    call("store32", [place(polled, 8 * TIMER + 4), POLLIN]),
  ];
}

/** Kills the container when its time is over, once; one that is frozen dies when it is thawed. */
export function timeStep({ polled, ended }: Rooms, record: Room, { thaw }: TimeLimit): Step {
  const entry = slot("timer's entry"), ready = slot("expired?");
  return step("see whether the container's time is over", [
    call("load64", [place(polled, 8 * TIMER)], { to: entry }),
    call("and", [entry, REVENTS], { to: ready, on: [{ value: 0, goto: "next" }] }),
    call("store32", [place(polled, 8 * TIMER), -1]),
    call("load64", [ended], { on: [{ value: 1, goto: "next" }] }),
    call("store32", [place(record, TIMED_OUT_OFFSET), 1]),
    call("pidfd_send_signal", [SUPERVISOR_FD.pidfd, flags({ SIGKILL }), 0, 0], { on: IGNORED }),
    ...thaw ? writeFile(thaw.file, thaw.text, { on: [{ errno: "any", goto: "next" }] }) : [],
  ]);
}
