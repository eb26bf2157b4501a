import {
  AF_UNIX,
  AT_EMPTY_PATH,
  F_DUPFD,
  O_CLOEXEC,
  O_NOCTTY,
  O_NOFOLLOW,
  O_RDWR,
  OPEN_TREE_CLONE,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  TIOCGPTPEER,
  TIOCSCTTY,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from "../../ffi/constants.ts";
import type { Box, User } from "../spec/types.ts";
import { attach, emptyNode } from "./calls.ts";
import {
  type Call,
  call,
  flags,
  place,
  room,
  type Slot,
  slot,
  type Step,
  step,
  struct,
} from "./step.ts";
import { openInside } from "./target.ts";

/** Where a standard stream of the container comes from. */
export type Stream =
  /** The caller's own descriptor: nothing is copied on the way. */
  | "inherit"
  /** /dev/null of the container. */
  | "null"
  /** A pipe whose other end is the supervisor's: output goes to the log, input is kept open. */
  | "supervisor"
  /** A pipe that minictr copies: the caller's terminal is never handed in (CVE-2017-5226). */
  | "pipe";

const STREAM_NAMES = ["stdin", "stdout", "stderr"];

/** Two descriptors as socketpair(2) and pipe2(2) write them, taken apart. */
function pair(fds: ReturnType<typeof room>, first: Slot, second: Slot): Call[] {
  return [
    call("load32", [place(fds, 0)], { to: first }),
    call("load32", [place(fds, 4)], { to: second }),
  ];
}

/** Host's side: a line between minictr and the stage; both ends, `theirs` without O_CLOEXEC. */
export function openChannel(
  ours: Slot,
  theirs: Slot,
  label = "open a channel to the stage",
): Step {
  const fds = room("channel", 8);
  const end = slot("stage's end");
  return step(label, [
    call("socketpair", [flags({ AF_UNIX }), flags({ SOCK_STREAM, SOCK_CLOEXEC }), 0, fds]),
    ...pair(fds, ours, end),
    call("fcntl", [end, flags({ F_DUPFD }), 3], { to: theirs }),
    call("close", [end]),
  ]);
}

/** Host's side: a pipe of which the container has one end, `theirs`. */
export function openPipe(name: string, input: boolean, ours: Slot, theirs: Slot): Step {
  const fds = room(name, 8);
  const end = slot(`container's end of ${name}`);
  return step(`open a pipe for ${name}`, [
    call("pipe2", [fds, flags({ O_CLOEXEC })]),
    ...input ? pair(fds, end, ours) : pair(fds, ours, end),
    call("fcntl", [end, flags({ F_DUPFD }), 3], { to: theirs }),
    call("close", [end]),
  ]);
}

/** Stage: a descriptor becomes a standard stream; dup3(2). */
function useStream(fd: Slot, number: 0 | 1 | 2): Call {
  return call("dup3", [fd, number, 0]);
}

/** Names for the container's ends of the pipes that some streams are. */
export function pipesOf(streams: Stream[]): (Slot | undefined)[] {
  return streams.map((stream, n) => stream === "pipe" ? slot(`pipe ${n}`) : undefined);
}

/** Host's side: the pipes, `ours` and `theirs` by the number of the stream. */
export function openPipes(ours: (Slot | undefined)[], theirs: (Slot | undefined)[]): Step[] {
  return theirs.flatMap((theirEnd, n) => {
    const end = ours[n];
    return theirEnd && end ? [openPipe(STREAM_NAMES[n] ?? "", n === 0, end, theirEnd)] : [];
  });
}

/**
 * Stage: the standard streams of a command without a terminal.
 *
 * @param pipes the container's ends
 * @param null_ where /dev/null is: the container's own, never the host's, whose mode it could change
 */
export function takeStreams(
  streams: Stream[],
  pipes: (Slot | undefined)[],
  null_: { directory: Slot; path: string },
): Step[] {
  const numbers = [0, 1, 2] as const;
  const nulls = numbers.filter((n) => streams[n] === "null");
  const ends = numbers.flatMap((n) => {
    const end = pipes[n];
    return end ? [useStream(end, n)] : [];
  });
  return [
    ...nulls.length > 0 ? [nullStreams(null_.directory, null_.path, nulls)] : [],
    ...ends.length > 0 ? [step("take the standard streams", ends)] : [],
  ];
}

/** Streams that are /dev/null. */
function nullStreams(directory: Slot, path: string, numbers: (0 | 1 | 2)[]): Step {
  const opened = slot("null");
  return step(`open /dev/null for ${numbers.map((n) => STREAM_NAMES[n]).join()}`, [
    openInside(directory, path, { to: opened, how: flags({ O_RDWR, O_CLOEXEC }) }),
    ...numbers.map((number) => useStream(opened, number)),
  ]);
}

/**
 * Stage: a pty of the container's own devpts. The other end is reached through TIOCGPTPEER and never
 * by its path, which another container might have put a link at (CVE-2025-52565); its master goes
 * to minictr, which takes it with pidfd_getfd(2) when it is told its number. pty(7), ioctl_tty(2).
 *
 * @param dev where it is bound on `console`; absent for a process that joins a container
 * @param kind of the message that tells the number; the answer is one byte
 */
export function openTerminal(
  root: Slot,
  { devpts, dev, channel }: { devpts?: Slot | undefined; dev?: Slot; channel: Slot },
  { kind, user, size }: { kind: number; user: User; size: Box | undefined },
): Step[] {
  const master = slot("pty master");
  const peer = slot("pty");
  const pts = devpts ?? slot("/dev/pts");
  const answer = room("answer", 8);
  const box = struct("winsize", [
    ["ws_row", 2, size?.height ?? 0],
    ["ws_col", 2, size?.width ?? 0],
    ["ws_xpixel", 2, 0],
    ["ws_ypixel", 2, 0],
  ]);
  const unlocked = new Uint8Array(4);
  const rw = flags({ O_RDWR, O_NOCTTY, O_CLOEXEC });
  const ptmx = flags({ O_RDWR, O_NOCTTY, O_NOFOLLOW, O_CLOEXEC });
  return [
    step("open a pseudoterminal", [
      ...devpts ? [] : [openInside(root, "dev/pts", { to: pts })],
      call("openat", [pts, "ptmx", ptmx, 0], { to: master }),
      call("ioctl", [master, flags({ TIOCSPTLCK }), unlocked]),
      call("ioctl", [master, flags({ TIOCGPTPEER }), rw], { to: peer }),
      ...size ? [call("ioctl", [peer, flags({ TIOCSWINSZ }), box])] : [],
      call("fchown", [peer, user.uid, -1]),
    ], { ENOENT: "a terminal needs devpts on /dev/pts" }),
    ...dev ? [bindConsole(peer, dev)] : [],
    step("give its other end away", [
      call("write", [channel, struct("message", [["kind", 4, kind], ["fd", 4, master]]), 8]),
      call("read", [channel, answer, 1]),
      call("close", [master]),
    ]),
    step("make it the controlling terminal", [
      useStream(peer, 0),
      useStream(peer, 1),
      useStream(peer, 2),
      call("ioctl", [0, flags({ TIOCSCTTY }), 0]),
    ]),
  ];
}

function bindConsole(peer: Slot, dev: Slot): Step {
  const console = slot("/dev/console");
  const tree = slot("pty's node");
  return step("bind it on /dev/console", [
    ...emptyNode(dev, "console"),
    { ...openInside(dev, "console", { to: console }), id: ".exists" },
    call("open_tree", [peer, "", flags({ OPEN_TREE_CLONE, AT_EMPTY_PATH })], { to: tree }),
    attach(tree, console),
  ]);
}
