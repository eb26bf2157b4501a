import { AT_FDCWD, F_DUPFD, O_CLOEXEC, O_DIRECTORY, O_PATH } from "../../ffi/constants.ts";
import type { CgroupJoin } from "../cgroup/host.ts";
import type { Process } from "../spec/types.ts";
import { joinCgroup, openCgroup } from "./cgroup.ts";
import { failureHandler, MESSAGE, reportTrace } from "./channel.ts";
import type { ContainerPlan } from "./container.ts";
import { becomeSecond, joinNamespacesOf } from "./namespaces.ts";
import { type Privileges, privilegeSteps } from "./privileges.ts";
import {
  dieWithParent,
  execute,
  hideFromOthers,
  newSession,
  resetSignals,
  tellByProc,
} from "./process.ts";
import { call, flags, type Slot, slot, type Step, step } from "./step.ts";
import {
  openChannel,
  openPipes,
  openTerminal,
  pipesOf,
  type Stream,
  takeStreams,
} from "./terminal.ts";

/** What a process that joins a container finds there, and how it is started. */
export interface ExecSurroundings extends Privileges {
  /** The container's first process. */
  pid: number;
  /** A descriptor of it that this process holds; pidfd_open(2). */
  pidfd: number;
  /** Its namespaces that are not minictr's own, as config.json calls them. */
  namespaces: string[];
  /** Into its cgroup. */
  cgroup?: CgroupJoin;
  /** What sets its CPUs before and after that. */
  affinity?: { initial: Step[]; final: Step[] };
  /** Standard input, output and error; with `process.terminal` all three are the pty. */
  streams: [Stream, Stream, Stream];
  /** Whether each call's time is noted and told. */
  trace: boolean;
}

/**
 * The plan of a further process in a running container: a pure function, of the same mechanisms as
 * the container's own start.
 *
 * What needs the host's /proc and cgroups comes before its mounts are left behind; from then on
 * nothing of the host is open but the channel, and what others in the container may do to a process
 * that is half inside is prevented before (CVE-2016-9962).
 */
export function planExec(process: Process, around: ExecSurroundings): ContainerPlan {
  const first = slot("the container's first process");
  const ours = slot("channel"), channel = slot("channel to minictr");
  const theirs = process.terminal ? [] : pipesOf(around.streams);
  const pipes = theirs.map((end, n) => end && slot(`minictr's end of pipe ${n}`));
  const join = around.cgroup;
  const born = join?.kind === "into" ? join.directory : join?.born;
  const cgroup = slot("cgroup");
  const plan = {
    host: [
      holdFirst(around, first),
      openChannel(ours, channel),
      ...openPipes(pipes, theirs),
      ...born === undefined ? [] : [openCgroup(born, cgroup, !around.foreground)],
    ],
    stage: execSteps(process, around, { first, channel, pipes: theirs }),
    handler: failureHandler(channel),
    namespaces: flags({}),
    channel: ours,
    toMinictr: channel,
    announced: around.namespaces.includes("pid"),
    networkAtBirth: false,
    pipes,
    given: [first, channel, ...theirs, born === undefined ? undefined : cgroup]
      .filter((slot) => slot !== undefined),
  };
  return born === undefined ? plan : { ...plan, cgroup };
}

/** Host's side: a descriptor of the first process for the stage, without O_CLOEXEC. */
function holdFirst({ pid, pidfd }: ExecSurroundings, to: Slot): Step {
  return step(`hold process ${pid}, the container's first`, [
    call("fcntl", [pidfd, flags({ F_DUPFD }), 3], { to }),
  ]);
}

interface Handed {
  first: Slot;
  channel: Slot;
  pipes: (Slot | undefined)[];
}

/** All that the stage does, from its birth to the execution of the command. */
function execSteps(process: Process, around: ExecSurroundings, handed: Handed): Step[] {
  const { first, channel, pipes } = handed;
  const { namespaces, cgroup, affinity, streams, foreground, trace } = around;
  const root = slot("root");
  return [
    resetSignals(),
    hideFromOthers(),
    ...tellByProc(process),
    ...affinity?.initial ?? [],
    ...cgroup ? joinCgroup(cgroup) : [],
    ...affinity?.final ?? [],
    joinNamespacesOf(first, namespaces),
    ...namespaces.includes("pid") ? [becomeSecond(channel, MESSAGE.second)] : [],
    ...foreground ? [dieWithParent(channel)] : [],
    newSession(),
    openOwnRoot(root),
    ...process.terminal
      ? openTerminal(root, { channel }, {
        kind: MESSAGE.terminal,
        user: process.user,
        size: process.consoleSize,
      })
      : takeStreams(streams, pipes, { directory: root, path: "dev/null" }),
    ...privilegeSteps(process, around, channel),
    ...trace ? [reportTrace(channel)] : [],
    execute(process),
  ];
}

/** The root that joining the mount namespace has led to; setns(2). */
function openOwnRoot(root: Slot): Step {
  return step("open the container's root", [
    call("openat", [flags({ AT_FDCWD }), "/", flags({ O_PATH, O_DIRECTORY, O_CLOEXEC }), 0], {
      to: root,
    }),
  ]);
}
