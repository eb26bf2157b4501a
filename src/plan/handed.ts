import {
  AT_FDCWD,
  F_DUPFD,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
} from "../../ffi/constants.ts";
import { call, flags, mode, type Slot, slot, type Step, step } from "./step.ts";
import type { Supervision } from "./supervision.ts";
import { openChannel, openPipe } from "./terminal.ts";

/** What the stage inherits for the supervisor. */
export interface Handed {
  directory: Slot;
  log: Slot;
  lock: Slot;
  minictr: Slot;
  program: Slot;
  echo: [Slot | undefined, Slot | undefined];
}

/** The host's side of a supervised start. */
export interface ForSupervisor {
  steps: Step[];
  handed: Handed;
  /** minictr's end of the line to the supervisor. */
  line: Slot;
  /** minictr's ends of pipes to which output is echoed, by the number of the stream. */
  pipes: (Slot | undefined)[];
}

/** Host's side: what the supervisor is handed. */
export function openForSupervisor({ directory, log, lock, echo }: Supervision): ForSupervisor {
  const end = (n: 0 | 1, whose: string) =>
    echo?.[n] === "pipe" ? slot(`${whose} end of the echo of stream ${n + 1}`) : undefined;
  const theirs: Handed["echo"] = [end(0, "supervisor's"), end(1, "supervisor's")];
  const ours = [end(0, "minictr's"), end(1, "minictr's")];
  const handed = {
    directory: slot(directory),
    log: slot("log"),
    lock: slot("lock"),
    minictr: slot("line to minictr"),
    program: slot("supervisor"),
    echo: theirs,
  };
  const line = slot("line to the supervisor");
  const append = flags({ O_WRONLY, O_CREAT, O_APPEND });
  return {
    handed,
    line,
    pipes: [undefined, ...ours],
    steps: [
      step("open the container's log", [
        call("openat", [flags({ AT_FDCWD }), directory, flags({ O_RDONLY, O_DIRECTORY }), 0], {
          to: handed.directory,
        }),
        call("openat", [flags({ AT_FDCWD }), log, append, mode(0o640)], { to: handed.log }),
        call("fcntl", [lock, flags({ F_DUPFD }), 3], { to: handed.lock }),
      ]),
      openChannel(line, handed.minictr, "open a line to the supervisor"),
      ...theirs.flatMap((their, n) => {
        const our = ours[n];
        const name = n === 0 ? "stdout" : "stderr";
        return their && our ? [openPipe(`the echo of ${name}`, false, our, their)] : [];
      }),
    ],
  };
}
