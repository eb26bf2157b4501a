/**
 * A further process in a container that minictr does not wait for: a stage of some kilobytes is its
 * parent, waits for it, and becomes minictr once, so that its end is told of.
 */
import {
  CLONE_INTO_CGROUP,
  CLONE_PIDFD,
  MFD_NOEXEC_SEAL,
  SIG_SETMASK,
} from "../../ffi/constants.ts";
import type { Process } from "../spec/types.ts";
import { become } from "./become.ts";
import { CLONE_ARGS_SIZE, cloneArguments, goto } from "./calls.ts";
import { MESSAGE } from "./channel.ts";
import type { ContainerPlan } from "./container.ts";
import { type ExecSurroundings, planExec } from "./exec.ts";
import { newSession, resetSignals } from "./process.ts";
import { KEPT_DESCRIPTOR } from "./sleep.ts";
import { call, flags, room, type Slot, slot, type Step, step, strings, struct } from "./step.ts";
import { openChannel } from "./terminal.ts";

/** What waits for a process, and what it becomes then. */
export interface Awaiting {
  /** What is handed on in a memory file, as KEPT_DESCRIPTOR, behind 4 bytes for how it ended. */
  note: Uint8Array<ArrayBuffer>;
  /** What is executed in the end: argv, its path first. */
  argv: string[];
  env: string[];
  /** What ps(1) shows of it. */
  title: string;
}

/** Bytes of a wait status before the note; wait(2). */
export const WAIT_STATUS_SIZE = 4;

const LINE_FD = 3, PROGRAM_FD = 4;
const EVERY_SIGNAL = new Uint8Array(8).fill(0xff);

/** The plan of a further process one level lower than `planExec`'s: what is born of minictr waits. */
export function planAwaited(
  process: Process,
  around: ExecSurroundings,
  awaiting: Awaiting,
): ContainerPlan {
  const { cgroup, ...plan } = planExec(process, around);
  const handed = { note: slot("note"), line: slot("line to minictr"), program: slot("waiter") };
  const line = slot("line to the waiter");
  return {
    ...plan,
    host: [
      ...plan.host,
      holdNote(awaiting, handed.note),
      openChannel(line, handed.line, "open a line to the waiter"),
    ],
    stage: awaitedStage(plan, { cgroup, second: plan.announced, awaiting, handed }),
    supervisor: { program: awaitSteps(awaiting), executable: handed.program, line },
    announced: true,
    given: [...plan.given, handed.note, handed.line],
  };
}

/** What the stage inherits for the one that waits. */
interface Handed {
  note: Slot;
  line: Slot;
  program: Slot;
}

/** Host's side: what is to be told of the end, ready but for how it came; memfd_create(2). */
function holdNote({ note }: Awaiting, to: Slot): Step {
  return step("hold what is told of its end", [
    call("memfd_create", ["note", flags({ MFD_NOEXEC_SEAL })], {
      to,
      on: [{ errno: "EINVAL", goto: ".old" }],
    }),
    goto(".write"),
    call("memfd_create", ["note", flags({})], { to, id: ".old" }),
    call("pwrite64", [to, note, note.length, WAIT_STATUS_SIZE], { id: ".write" }),
  ]);
}

/**
 * The stage of an awaited process: until it becomes the one that waits, and in a child the process.
 *
 * @param plan whose stage is the child
 */
function awaitedStage(
  { stage: [first, ...rest], toMinictr }: Pick<ContainerPlan, "stage" | "toMinictr">,
  { cgroup, second, awaiting, handed }: {
    cgroup: Slot | undefined;
    second: boolean;
    awaiting: Awaiting;
    handed: Handed;
  },
): Step[] {
  if (!first) return [];
  const pid = slot("first process");
  const how = flags({ CLONE_PIDFD, ...cgroup ? { CLONE_INTO_CGROUP } : {} });
  const cloneArgs = cloneArguments(how, { pidfd: room("pidfd", 8), cgroup });
  const message = struct("message", [["kind", 4, MESSAGE.started], ["pid", 4, pid]]);
  return [
    resetSignals(),
    newSession(),
    step("block every signal", [
      call("rt_sigprocmask", [flags({ SIG_SETMASK }), EVERY_SIGNAL, 0, 8]),
    ]),
    step("start a process", [
      call("clone3", [cloneArgs, CLONE_ARGS_SIZE], {
        to: pid,
        on: [{ value: 0, goto: "container" }],
      }),
      // Of a second process it tells itself, and makes way for it.
      second ? call("wait4", [pid, 0, 0, 0]) : call("write", [toMinictr, message, 8]),
    ]),
    becomeWaiter(handed, awaiting),
    step("close what is not its own", [
      { ...call("close", [handed.note]), id: "container" },
      call("close", [handed.line]),
      call("close", [handed.program]),
    ]),
    first,
    ...rest,
  ];
}

/** Keeps its descriptors, in their places, and nothing else of the start. */
function becomeWaiter({ note, line, program }: Handed, { title }: Awaiting): Step {
  const kept = [[LINE_FD, line], [KEPT_DESCRIPTOR, note]] as const;
  const places = { kept, program: [PROGRAM_FD, program] as const, nulls: [0, 1, 2] };
  return step("become what waits", become(places, [title]));
}

/** The program of the one that waits: it has one child. */
function awaitSteps({ argv, env }: Awaiting): Step[] {
  const status = room("wait status", 8);
  const end = room("end of the line", 8);
  const [path = ""] = argv;
  return [
    step("wait for its end", [
      call("wait4", [-1, status, 0, 0], { id: ".wait", on: [{ errno: "EINTR", goto: ".wait" }] }),
    ]),
    step("wait until its beginning is told", [
      call("read", [LINE_FD, end, 1], { on: [{ errno: "any", goto: "next" }] }),
      goto("next"),
    ]),
    step("become minictr to tell of its end", [
      call("pwrite64", [KEPT_DESCRIPTOR, status, WAIT_STATUS_SIZE, 0]),
      call("close", [LINE_FD]),
      call("rt_sigprocmask", [flags({ SIG_SETMASK }), new Uint8Array(8), 0, 8]),
      call("execve", [path, strings(argv), strings(env)]),
    ]),
  ];
}
