import { AT_FDCWD, O_RDWR, POLLIN } from "../../ffi/constants.ts";
import { goto } from "./calls.ts";
import { call, flags, place, room, slot, type Step, step, strings } from "./step.ts";

/** The descriptor that a sleeper keeps, for itself and for the program that it becomes. */
export const KEPT_DESCRIPTOR = 5;

/** A wait that costs some kilobytes, and what comes after it. */
export interface Sleep {
  ms: number;
  /** What is executed then: argv, its path first. */
  argv: string[];
  env: string[];
  /** Another descriptor, which goes on as KEPT_DESCRIPTOR. */
  keep: number;
  /** What is kept is a pidfd, and the end of its process ends the sleeper. */
  untilEnd: boolean;
}

/**
 * A stage that sleeps and then becomes a program; ppoll(2), execve(2). No signal is blocked: whoever
 * kills it ends the wait.
 */
export function sleepSteps({ ms, argv, env, keep, untilEnd }: Sleep): Step[] {
  const null_ = slot("null");
  const polled = room("struct pollfd", 8);
  const limit = room("struct timespec", 16);
  const [path = ""] = argv;
  const others: [number, number][] = [[3, KEPT_DESCRIPTOR - 1], [
    KEPT_DESCRIPTOR + 1,
    0xffff_ffff,
  ]];
  return [
    step("leave the caller's session", [
      // What was a supervisor leads one of its own already.
      call("setsid", [], { on: [{ errno: "any", goto: "next" }] }),
    ]),
    step("keep one descriptor only", [
      call("dup3", [keep, KEPT_DESCRIPTOR, 0]),
      call("openat", [flags({ AT_FDCWD }), "/dev/null", flags({ O_RDWR }), 0], {
        to: null_,
      }),
      ...[0, 1, 2].map((number) => call("dup3", [null_, number, 0])),
      ...others.map(([first, last]) => call("close_range", [first, last, 0])),
    ]),
    step("sleep", [
      call("store64", [limit, Math.floor(ms / 1000)]),
      call("store64", [place(limit, 8), Math.round(ms % 1000) * 1_000_000]),
      call("store32", [place(polled, 0), KEPT_DESCRIPTOR]),
      call("store32", [place(polled, 4), POLLIN]),
      // The kernel writes into `limit` what is left when a stop interrupts the wait.
      call("ppoll", [polled, untilEnd ? 1 : 0, limit, 0, 8], {
        id: ".sleep",
        on: [{ value: 0, goto: "next" }, { errno: "EINTR", goto: ".sleep" }],
      }),
      call("exit_group", [0]),
    ]),
    step(`become ${argv.join(" ")}`, [
      call("execve", [path, strings(argv), strings(env)], { on: [{ errno: "any", goto: ".end" }] }),
      goto("next"),
      call("exit_group", [1], { id: ".end" }),
    ]),
  ];
}
