import {
  AT_FDCWD,
  CLONE_INTO_CGROUP,
  CLONE_PIDFD,
  F_DUPFD,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  SIG_SETMASK,
} from "../../ffi/constants.ts";
import { CLONE_ARGS_SIZE, cloneArguments } from "./calls.ts";
import { MESSAGE } from "./channel.ts";
import { newSession, resetSignals } from "./process.ts";
import {
  call,
  type Flags,
  flags,
  mode,
  place,
  room,
  type Slot,
  slot,
  type Step,
  step,
  struct,
} from "./step.ts";
import { settleDescriptors, superviseSteps, type Supervision } from "./supervise.ts";

/** What a supervised container is made of, beside the steps of an unsupervised one. */
export interface SupervisedParts {
  /** What the supervisor is told. */
  supervision: Supervision & {
    /** Where the log and the exit record go. */
    directory: string;
    /** A descriptor of this process that holds the container's lock. */
    lock: number;
  };
  /** The stage's end of the channel. */
  channel: Slot;
  /** The container's ends of standard output and error. */
  streams: (Slot | undefined)[];
  namespaces: Flags;
  cgroup: Slot | undefined;
  /** Where the process id of a second process is told, if there is to be one. */
  second: Slot | undefined;
}

interface Handed {
  directory: Slot;
  log: Slot;
  lock: Slot;
}

/** Host's side: what the supervisor is handed. */
export function openForSupervisor(
  { directory, lock }: SupervisedParts["supervision"],
): { steps: Step[]; handed: Handed } {
  const handed = { directory: slot(directory), log: slot("log"), lock: slot("lock") };
  const append = flags({ O_WRONLY, O_CREAT, O_APPEND });
  return {
    handed,
    steps: [
      step("open the container's log", [
        call("openat", [flags({ AT_FDCWD }), directory, flags({ O_RDONLY, O_DIRECTORY }), 0], {
          to: handed.directory,
        }),
        call("openat", [handed.directory, "log", append, mode(0o640)], { to: handed.log }),
        call("fcntl", [lock, flags({ F_DUPFD }), 3], { to: handed.lock }),
      ]),
    ],
  };
}

/**
 * The stage of a supervised container: the supervisor, and in a child of it the container.
 *
 * @param container the container's own steps
 */
export function supervisedStage(
  parts: SupervisedParts,
  handed: Handed,
  container: Step[],
): Step[] {
  const { supervision, streams, second } = parts;
  const outputs = [slot("output"), slot("error")] as const;
  const pidfd = slot("pidfd");
  const telling = slot("where a second process is awaited");
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
    step("open pipes for the container's output", [
      ...outputs.flatMap((output, index) => pipe(output, streams[index + 1])),
      ...second ? pipe(telling, second) : [],
    ]),
    startStep(parts, pidfd),
    ...second ? [secondStep(telling, second, pidfd)] : [],
    settleDescriptors({ ...handed, pidfd, output: outputs[0], error: outputs[1] }),
    ...superviseSteps(supervision),
    {
      ...first,
      calls: first.calls.map((made, n) => n === 0 ? { ...made, id: "container" } : made),
    },
    ...rest,
  ];
}

/** pipe2(2); neither end outlives an execution, and the container dup3(2)s the one that it keeps. */
function pipe(reading: Slot, writing: Slot | undefined) {
  const ends = room("pipe", 8);
  return [
    call("pipe2", [ends, flags({ O_CLOEXEC })]),
    call("load32", [place(ends, 0)], { to: reading }),
    call("load32", [place(ends, 4)], writing ? { to: writing } : {}),
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
