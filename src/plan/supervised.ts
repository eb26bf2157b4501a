/**
 * The birth of a supervised container: a stage that starts the container as its child, keeps what a
 * supervisor needs, and then executes the supervisor's own program (`supervise.ts`), so that nothing
 * of the start stays in its memory.
 */
import {
  AF_UNIX,
  CLONE_INTO_CGROUP,
  CLONE_PIDFD,
  O_CLOEXEC,
  SIG_SETMASK,
  SOCK_CLOEXEC,
  SOCK_STREAM,
} from "../../ffi/constants.ts";
import type { Spec } from "../spec/types.ts";
import { become } from "./become.ts";
import { CLONE_ARGS_SIZE, cloneArguments } from "./calls.ts";
import { failureHandler, MESSAGE } from "./channel.ts";
import { type ContainerPlan, hostSteps, partsOf, planContainer } from "./container.ts";
import type { Surroundings } from "./parts.ts";
import { newSession, resetSignals } from "./process.ts";
import { stageSteps } from "./stage_side.ts";
import {
  type Call,
  call,
  type Flags,
  flags,
  place,
  room,
  type Slot,
  slot,
  type Step,
  step,
  struct,
} from "./step.ts";
import { type Supervision, SUPERVISOR_FD } from "./supervision.ts";
import { type Handed, openForSupervisor } from "./handed.ts";

const PROGRAM_FD = 11;

/**
 * The plan of a start one level lower than `planContainer`'s: what is born of minictr becomes the
 * supervisor.
 */
export function planSupervised(spec: Spec, around: Surroundings): ContainerPlan {
  const { supervision } = around;
  if (!supervision) return planContainer(spec, around);
  const all = partsOf(spec, around);
  const { channel, second, terminal } = all;
  const { namespaces, cgroup, ...rest } = hostSteps(all);
  const { steps, handed, line, pipes } = openForSupervisor(supervision);
  // A pipe of the container's that minictr has the other end of is none of the supervisor's.
  const streams = all.streams.map((stream, n) => rest.pipes[n] ? undefined : stream);
  const parts = { supervision, channel, streams, namespaces, cgroup, second, terminal };
  const { program, echo, ...others } = handed;
  return {
    ...rest,
    host: [...rest.host, ...steps],
    stage: supervisedStage(parts, handed, stageSteps(all)),
    handler: failureHandler(channel),
    namespaces: flags({}),
    pipes: rest.pipes.map((pipe, n) => pipe ?? pipes[n]),
    supervisor: { program: supervision.program, executable: program, line },
    given: [...rest.given, ...Object.values(others), ...echo.filter((end) => end !== undefined)],
  };
}

/** What a supervised container is made of, beside the steps of an unsupervised one. */
interface SupervisedParts {
  supervision: Supervision;
  /** The stage's end of the channel. */
  channel: Slot;
  /** The container's ends of its standard streams; standard input's if it is kept open. */
  streams: (Slot | undefined)[];
  /** Where the container tells which of its descriptors is its pty's master, if it has a pty. */
  terminal: Slot | undefined;
  namespaces: Flags;
  cgroup: Slot | undefined;
  /** Where the process id of a second process is told, if there is to be one. */
  second: Slot | undefined;
}

/** Whether the container's standard input is a pipe whose other end the supervisor holds. */
type Ends = [input: Slot | undefined, output: Slot | undefined, error: Slot | undefined];

/**
 * The stage of a supervised container: until it becomes the supervisor, and in a child the container.
 *
 * @param container the container's own steps
 */
function supervisedStage(
  parts: SupervisedParts,
  handed: Handed,
  container: Step[],
): Step[] {
  const { supervision, streams, second, terminal } = parts;
  const ends: Ends = [
    streams[0] && slot("input"),
    terminal || streams[1] ? slot("output") : undefined,
    streams[2] && slot("error"),
  ];
  const pidfd = slot("pidfd");
  const telling = slot("where a second process is awaited");
  const terminalTold = slot("where a terminal is awaited");
  const [first, ...rest] = container;
  if (!first) return [];
  return [
    resetSignals(),
    newSession(),
    step("block every signal", [
      call("rt_sigprocmask", [
        flags({ SIG_SETMASK }),
        new Uint8Array(8).fill(0xff),
        0,
        8,
      ]),
    ]),
    step("open pipes for the container's streams", [
      ...ends.flatMap((end, n) => {
        const theirs = streams[n];
        if (!end || !theirs) return [];
        return n === 0 ? pipe(theirs, end) : pipe(end, theirs);
      }),
      ...second ? pipe(telling, second) : [],
      ...terminal ? pair(terminalTold, terminal) : [],
    ]),
    startStep(parts, pidfd),
    ...second ? [secondStep(telling, second, pidfd)] : [],
    ...terminal && ends[1] ? [takeTerminal(terminalTold, terminal, pidfd, ends[1])] : [],
    becomeSupervisor(supervision, handed, pidfd, ends),
    {
      ...first,
      calls: first.calls.map((made, n) => n === 0 ? { ...made, id: "container" } : made),
    },
    ...rest,
  ];
}

/** pipe2(2); neither end outlives an execution, and the container dup3(2)s the one that it keeps. */
function pipe(reading: Slot, writing: Slot): Call[] {
  const ends = room("pipe", 8);
  return [
    call("pipe2", [ends, flags({ O_CLOEXEC })]),
    call("load32", [place(ends, 0)], { to: reading }),
    call("load32", [place(ends, 4)], { to: writing }),
  ];
}

/** socketpair(2), as above. */
function pair(ours: Slot, theirs: Slot): Call[] {
  const ends = room("sockets", 8);
  return [
    call("socketpair", [flags({ AF_UNIX }), flags({ SOCK_STREAM, SOCK_CLOEXEC }), 0, ends]),
    call("load32", [place(ends, 0)], { to: ours }),
    call("load32", [place(ends, 4)], { to: theirs }),
  ];
}

/** clone3(2), this time with memory of its own: the child goes on as the container. */
function startStep({ channel, namespaces, cgroup, second }: SupervisedParts, pidfd: Slot): Step {
  const pid = slot("first process");
  const handle = room("pidfd", 8);
  const how = flags({ CLONE_PIDFD, ...cgroup ? { CLONE_INTO_CGROUP } : {}, ...namespaces.named });
  const cloneArgs = cloneArguments(how, { pidfd: handle, cgroup });
  const message = struct("message", [["kind", 4, MESSAGE.started], ["pid", 4, pid]]);
  return step("start the container's first process", [
    call("clone3", [cloneArgs, CLONE_ARGS_SIZE], {
      to: pid,
      on: [{ value: 0, goto: "container" }],
    }),
    call("load32", [place(handle, 0)], { to: pidfd }),
    ...second ? [] : [call("write", [channel, message, 8])],
  ]);
}

/** The first process makes way for a second one, whose process id comes through a pipe. */
function secondStep(telling: Slot, told: Slot, pidfd: Slot): Step {
  const number = room("process id", 8);
  const pid = slot("second process");
  return step("take the second process for the first", [
    call("close", [told]),
    call("wait4", [-1, 0, 0, 0]),
    call("read", [telling, number, 4]),
    call("load32", [number], { to: pid }),
    call("pidfd_open", [pid, 0], { to: pidfd }),
  ]);
}

/** The container tells which of its descriptors its pty's master is; pidfd_getfd(2). */
function takeTerminal(told: Slot, theirs: Slot, pidfd: Slot, master: Slot): Step {
  const message = room("message", 8);
  const number = slot("its descriptor");
  return step("take the terminal's master", [
    call("close", [theirs]), // So that the container's end ends the wait.
    call("read", [told, message, 8], { on: [{ value: 0, goto: "next" }] }),
    call("load32", [place(message, 4)], { to: number }),
    call("pidfd_getfd", [pidfd, number, 0], { to: master }),
    call("write", [told, message, 1]),
  ]);
}

/** Puts the supervisor's descriptors where they belong, closes all others, and executes its program. */
function becomeSupervisor(
  { echo, name }: Supervision,
  handed: Handed,
  pidfd: Slot,
  [input, output, error]: Ends,
): Step {
  const { directory, log, lock, minictr, program } = handed;
  const named = { log, directory, lock, pidfd, output, error, input, minictr };
  const wanted = Object.entries(SUPERVISOR_FD).map(([name, number]) =>
    [number, named[name as keyof typeof named]] as const
  );
  const echoes = ([1, 2] as const).map((n) => [n, handed.echo[n - 1]] as const);
  const nulls = [0, ...([1, 2] as const).filter((n) => echo?.[n - 1] === undefined)];
  const kept = [...wanted, ...echoes].flatMap(([number, fd]) => fd ? [[number, fd] as const] : []);
  const absent = wanted.flatMap(([number, fd]) => fd ? [] : [number]);
  const places = { kept, program: [PROGRAM_FD, program] as const, nulls, absent };
  return step("become the supervisor", become(places, ["minictr-supervisor", name]));
}
