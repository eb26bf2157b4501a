import { call, room, type Slot, type Step, step, struct } from "./step.ts";

/** What a message on the channel says: its first 4 bytes; the next 4 are its number. */
export const MESSAGE = {
  /** A call failed; the number is the length of the stage's table, which follows. */
  failed: 1,
  /** The container's process has this process id: the first one of the stage has ended. */
  second: 2,
  /** The pty's master is this descriptor of the stage; answered by one byte. */
  terminal: 3,
  /** All is made, and the stage waits for one byte before it gives up its privileges. */
  ready: 5,
  /** A supervised container's first process has this process id. */
  started: 7,
  /** A fault that is tried: minictr is to be killed now. */
  kill: 6,
  /** The times of a traced stage: a length, and the stage's memory follows. */
  trace: 4,
} as const;

/**
 * What a stage does when a call has failed: it reports its whole table, in which the header names
 * the call, and stays, so that its root can be looked at, until minictr closes the channel.
 */
export function failureHandler(channel: Slot): Step[] {
  const message = struct("message", [
    ["kind", 4, MESSAGE.failed],
    ["length", 4, { kind: "self", what: "tableLength" }],
  ]);
  const answer = room("end of the channel", 8);
  return [
    step("report the failure", [
      call("write", [channel, message, 8], { on: [{ errno: "any", goto: "give up" }] }),
      call("write", [
        channel,
        { kind: "self", what: "address" },
        { kind: "self", what: "tableLength" },
      ], { on: [{ errno: "any", goto: "give up" }] }),
      call("read", [channel, answer, 1], { on: [{ errno: "any", goto: "give up" }] }),
      call("exit_group", [125], { id: "give up" }),
    ]),
  ];
}

/** Waits until minictr has done its part, such as the network, or writing down the process id. */
export function awaitMinictr(channel: Slot): Step {
  const message = struct("message", [["kind", 4, MESSAGE.ready], ["(padding)", 4, 0]]);
  const answer = room("answer", 8);
  return step("wait for minictr", [
    call("write", [channel, message, 8]),
    call("read", [channel, answer, 1], { on: [{ value: 1, goto: "next" }] }),
    call("exit_group", [125]), // It was killed, and has not done its part.
  ]);
}

/** Reports the stage's memory, results and times in it, before the command starts. */
export function reportTrace(channel: Slot): Step {
  const message = struct("message", [
    ["kind", 4, MESSAGE.trace],
    ["length", 4, { kind: "self", what: "length" }],
  ]);
  return step("report times", [
    call("write", [channel, message, 8]),
    call("write", [channel, { kind: "self", what: "address" }, { kind: "self", what: "length" }]),
  ]);
}
