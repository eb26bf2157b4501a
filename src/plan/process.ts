import {
  CLOSE_RANGE_CLOEXEC,
  MSG_DONTWAIT,
  MSG_PEEK,
  PR_SET_DUMPABLE,
  PR_SET_PDEATHSIG,
  SIG_SETMASK,
  SIGKILL,
} from "../../ffi/constants.ts";
import { goto, openToWrite, writeFile, writeText } from "./calls.ts";
import { SpecError } from "../spec/error.ts";
import type { POSIXRlimit, Process } from "../spec/types.ts";
import {
  type Call,
  call,
  flags,
  mode,
  type On,
  place,
  room,
  type Slot,
  slot,
  type Step,
  step,
  struct,
} from "./step.ts";

const LAST_SIGNAL = 64;

/**
 * Every signal does by default what it does, and none is blocked. Ignored ones outlive execve(2):
 * the Rust runtime ignores SIGPIPE, and a shell's nohup SIGHUP; signal(7).
 */
export function resetSignals(): Step {
  const number = room("signal number", 8);
  const now = slot("signal");
  const later = slot("next signal");
  const byDefault = new Uint8Array(32); // struct sigaction, all zero: SIG_DFL.
  const none = new Uint8Array(8);
  return step("give every signal its default action", [
    call("store64", [number, 1]),
    call("load64", [number], { to: now, id: ".loop" }),
    call("rt_sigaction", [now, byDefault, 0, 8], { on: [{ errno: "any", goto: ".on" }] }),
    call("add", [now, 1], { to: later, id: ".on" }),
    call("store64", [number, later], { on: [{ value: LAST_SIGNAL + 1, goto: ".mask" }] }),
    goto(".loop"),
    call("rt_sigprocmask", [flags({ SIG_SETMASK }), none, 0, 8], { id: ".mask" }),
  ]);
}

/**
 * The container does not outlive the command in whose foreground it runs; prctl(2). If minictr died
 * before this, its end of the channel is closed.
 */
export function dieWithParent(channel: Slot): Step {
  const answer = room("answer", 8);
  return step("end when minictr does", [
    call("prctl", [flags({ PR_SET_PDEATHSIG }), flags({ SIGKILL }), 0, 0, 0]),
    call("recvfrom", [channel, answer, 1, flags({ MSG_PEEK, MSG_DONTWAIT }), 0, 0], {
      on: [{ errno: "EAGAIN", goto: "next" }],
    }),
    call("exit_group", [125]), // It returned 0: the end of the stream.
  ]);
}

/**
 * Others in the container can neither trace a process on its way in nor look into its /proc/PID, where
 * descriptors of the host's side are (CVE-2016-9962); prctl(2). The execution of the command, or a
 * change of user on the way there, sets it anew.
 */
export function hideFromOthers(): Step {
  return step("hide from the container's processes", [
    call("prctl", [flags({ PR_SET_DUMPABLE }), 0, 0, 0, 0]),
  ]);
}

/** A session of its own, so that the caller's terminal is not the container's; setsid(2). */
export function newSession(): Step {
  // A process group leader cannot: only when the stage was started as one, which is no failure.
  return step("start a session", [call("setsid", [])]);
}

/** What the kernel is told of a process by files of /proc, while that is the host's. */
export function tellByProc({ oomScoreAdj, apparmorProfile }: Process): Step[] {
  return [
    ...oomScoreAdj === undefined ? [] : [oomScore(oomScoreAdj)],
    ...apparmorProfile ? confinement(apparmorProfile) : [],
  ];
}

/** `process.oomScoreAdj`; proc(5). */
function oomScore(score: number): Step {
  return step(
    `set oom_score_adj to ${score}`,
    writeFile("/proc/self/oom_score_adj", String(score)),
    {
      EACCES: "lowering it below the caller's own needs CAP_SYS_RESOURCE",
    },
  );
}

/**
 * `process.apparmorProfile`, for the execution that comes; proc_pid_attr(5), since Linux 5.1. By the
 * host's /proc: a container's own may be anything (CVE-2019-16884). A process inherits it, so whoever
 * asks for it executes nothing else before.
 */
function confinement(profile: string): Step[] {
  const file = slot("AppArmor's file");
  const refused = "the profile that minictr runs under does not let it change to this one";
  return [
    step("open the file by which AppArmor is told of a profile", [
      openToWrite("/proc/thread-self/attr/apparmor/exec", file),
    ], { ENOENT: "AppArmor is not enabled on this host" }),
    step(`let AppArmor's profile ${profile} confine the command`, [
      writeText(file, `exec ${profile}`),
      call("close", [file]),
    ], {
      ENOENT: `no profile "${profile}" is loaded; \`apparmor_parser -r FILE\` loads one`,
      EACCES: refused,
      EPERM: refused,
    }),
  ];
}

const RESOURCES: Record<string, number> = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
};

/** `process.rlimits`; prlimit(2). */
export function rlimitSteps(limits: POSIXRlimit[]): Step[] {
  return limits.map(({ type, soft, hard }, index) => {
    const resource = RESOURCES[type];
    if (resource === undefined) {
      throw new SpecError(`process.rlimits[${index}].type`, `"${type}" is no resource limit`);
    }
    const limit = struct("rlimit64", [["rlim_cur", 8, soft], ["rlim_max", 8, hard]]);
    return step(`set ${type} to ${soft}:${hard}`, [
      call("prlimit64", [0, flags({ [type]: resource }), limit, 0]),
    ], { EPERM: "raising a hard limit above the caller's own needs CAP_SYS_RESOURCE" });
  });
}

/** `process.user.umask`; umask(2). */
export function setUmask(umask: number): Step {
  return step(`set the umask to ${umask.toString(8).padStart(4, "0")}`, [
    call("umask", [mode(umask)]),
  ]);
}

/**
 * Enters `process.cwd`, and makes sure that it lies inside the root: getcwd(2) fails, or its answer
 * does not begin with a slash, where a leaked descriptor led outside (CVE-2024-21626).
 */
export function enterDirectory(cwd: string): Step {
  const answer = room("working directory", 4096);
  const start = slot("first byte of the working directory");
  const slash = slot("slash?");
  return step(`enter ${cwd}`, [
    call("chdir", [cwd]),
    call("getcwd", [answer, 4096]),
    call("load32", [place(answer, 0)], { to: start }),
    call("and", [start, 0xff], { to: slash, on: [{ value: 0x2f, goto: "next" }] }),
    call("chdir", ["/proc/minictr: the working directory is outside of the root"]),
  ], {
    ENOENT: `"${cwd}" does not exist in the container, or leads outside of it`,
    ENOTDIR: `"${cwd}" is not a directory`,
    EACCES: `the user may not enter "${cwd}"`,
  });
}

/** Nothing but 0, 1 and 2 (and `preserved` more) is open in the container; close_range(2). */
export function closeDescriptors(preserved: number): Step {
  return step("close every other descriptor when the command starts", [
    call("close_range", [3 + preserved, 0xffff_ffff, flags({ CLOSE_RANGE_CLOEXEC })]),
  ]);
}

/** The paths at which a command is looked for, as execvp(3) does. */
export function candidates(command: string, env: string[]): string[] {
  if (command.includes("/")) return [command];
  const path = env.findLast((entry) => entry.startsWith("PATH="))?.slice(5) ??
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return path.split(":").map((directory) => `${directory === "" ? "." : directory}/${command}`);
}

/** Label of the step whose failure is told as 126 or 127. */
export const EXEC_LABEL = "start";

/** The last step: each place where the command may be, until one is executed; execve(2). */
export function execute(process: Process): Step {
  const args = process.args ?? [];
  const [command = ""] = args;
  const env = process.env ?? [];
  const argv = { kind: "strings", values: args } as const;
  const envp = { kind: "strings", values: env } as const;
  const paths = candidates(command, env);
  const calls = paths.map((path, index): Call => {
    const goto = `.${index + 1}`;
    const on: On[] = [
      { errno: "ENOENT", goto },
      { errno: "ENOTDIR", goto },
      { errno: "EACCES", goto },
    ];
    const last = index === paths.length - 1;
    return call("execve", [path, argv, envp], { id: `.${index}`, ...last ? {} : { on } });
  });
  return step(`${EXEC_LABEL} ${command}`, calls);
}
