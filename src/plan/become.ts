import { AT_EMPTY_PATH, AT_FDCWD, O_CLOEXEC, O_RDWR } from "../../ffi/constants.ts";
import { type Call, call, flags, type Slot, slot, strings } from "./step.ts";

/** What becomes of a stage's descriptors when it becomes another program, by number. */
export interface Places {
  /** What the program keeps. */
  kept: readonly (readonly [number: number, fd: Slot])[];
  /** The program itself, which it does not keep. */
  program: readonly [number: number, fd: Slot];
  /** Where /dev/null is put. */
  nulls: readonly number[];
  /** Numbers between these that are closed; all behind them are. */
  absent?: readonly number[];
}

/** First out of the way: the numbers wanted may be in use. */
const FAR = 500;

/**
 * A stage executes another program, so that nothing of the start stays in its memory; dup3(2),
 * close_range(2), execveat(2).
 *
 * @param argv what ps(1) shows of it
 */
export function become({ kept, program, nulls, absent = [] }: Places, argv: string[]): Call[] {
  const null_ = slot("null");
  const all = [...kept, program];
  const last = Math.max(...all.map(([number]) => number));
  return [
    ...all.map(([number, fd]) => call("dup3", [fd, FAR + number, 0])),
    ...all.map(([number]) =>
      call("dup3", [FAR + number, number, number === program[0] ? flags({ O_CLOEXEC }) : 0])
    ),
    call("openat", [flags({ AT_FDCWD }), "/dev/null", flags({ O_RDWR, O_CLOEXEC }), 0], {
      to: null_,
    }),
    ...nulls.map((number) => call("dup3", [null_, number, 0])),
    call("close_range", [last + 1, 0xffff_ffff, 0]),
    ...absent.map((number) => call("close_range", [number, number, 0])),
    call("execveat", [program[0], "", strings(argv), strings([]), flags({ AT_EMPTY_PATH })]),
  ];
}
