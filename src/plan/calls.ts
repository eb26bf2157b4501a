/**
 * Calls that several mechanisms are made of.
 */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  MOUNT_ATTR_IDMAP,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  SIGCHLD,
} from "../../ffi/constants.ts";
import { type MountOptions, newMountAttributes } from "./mount_options.ts";
import {
  type Call,
  call,
  type Flags,
  flags,
  mode,
  type On,
  type Slot,
  slot,
  type Struct,
  struct,
  type Value,
} from "./step.ts";

const MOUNT_ATTR_SIZE = 32; // Bytes; struct mount_attr.
const encoder = new TextEncoder();

/** Where relative paths begin, of which there are none here. */
export const WORKING_DIRECTORY = flags({ AT_FDCWD });
const TO_WRITE = flags({ O_WRONLY, O_CLOEXEC });
const BY_DESCRIPTOR = flags({ AT_EMPTY_PATH });
const BY_DESCRIPTOR_BELOW = flags({ AT_EMPTY_PATH, AT_RECURSIVE });
const FROM_TO_DESCRIPTOR = flags({ MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH });

/** Bytes of a text in UTF-8, without a NUL. */
export function lengthOf(text: string): number {
  return encoder.encode(text).length;
}

/** Goes on elsewhere, whatever happened before. */
export function goto(label: string): Call {
  return call("add", [0, 0], { on: [{ value: 0, goto: label }] });
}

/** mount_setattr(2) on a mount that is held by a descriptor. */
export function setAttributes(
  tree: Slot,
  { set = {}, clear = {}, propagation, idmap, below }: {
    set?: Record<string, number>;
    clear?: Record<string, number>;
    propagation?: Record<string, number>;
    /** A user namespace into whose ids those of the filesystem are mapped; since Linux 5.12. */
    idmap?: Slot;
    below: boolean;
  },
): Call {
  const attributes = struct("mount_attr", [
    ["attr_set", 8, flags(idmap ? { ...set, MOUNT_ATTR_IDMAP } : set)],
    ["attr_clr", 8, flags(clear)],
    ["propagation", 8, propagation ? flags(propagation) : 0],
    ["userns_fd", 8, idmap ?? 0],
  ]);
  const how = below ? BY_DESCRIPTOR_BELOW : BY_DESCRIPTOR;
  return call("mount_setattr", [tree, "", how, attributes, MOUNT_ATTR_SIZE]);
}

/** Puts a detached mount on what a descriptor refers to; move_mount(2). */
export function attach(tree: Slot, target: Slot): Call {
  return call("move_mount", [tree, "", target, "", FROM_TO_DESCRIPTOR]);
}

/**
 * A new filesystem as a detached mount; fsopen(2), fsconfig(2), fsmount(2).
 *
 * @param inherited whether a program that is executed keeps it: the host's side makes it for the stage
 */
export function newFilesystem(
  type: string,
  source: string | undefined,
  options: MountOptions,
  to: Slot,
  inherited = false,
): Call[] {
  const context = slot(`new ${type}`);
  const set = (how: Record<string, number>, key: string, value: string | 0) =>
    call("fsconfig", [context, flags(how), key, value, 0]);
  return [
    call("fsopen", [type, flags({ FSOPEN_CLOEXEC })], { to: context }),
    ...source ? [set({ FSCONFIG_SET_STRING }, "source", source)] : [],
    ...options.data.map((option) => {
      const equals = option.indexOf("=");
      return equals < 0
        ? set({ FSCONFIG_SET_FLAG }, option, 0)
        : set({ FSCONFIG_SET_STRING }, option.slice(0, equals), option.slice(equals + 1));
    }),
    call("fsconfig", [context, flags({ FSCONFIG_CMD_CREATE }), 0, 0, 0]),
    call("fsmount", [
      context,
      flags(inherited ? {} : { FSMOUNT_CLOEXEC }),
      newMountAttributes(options),
    ], { to }),
    call("close", [context]),
  ];
}

/** openat(2) of a small file that is there, by its absolute path. */
export function openToWrite(path: string, to: Slot, more: { on?: On[] } = {}): Call {
  return call("openat", [WORKING_DIRECTORY, path, TO_WRITE, 0], { to, ...more });
}

/** write(2) of a text as a whole. */
export function writeText(file: Slot, content: string, more: { on?: On[] } = {}): Call {
  return call("write", [file, content, lengthOf(content)], more);
}

/** openat(2), write(2), close(2) of a whole small file by its absolute path. */
export function writeFile(path: string, content: string, more: { on?: On[] } = {}): Call[] {
  const file = slot(path);
  return [
    openToWrite(path, file, more),
    writeText(file, content, more),
    call("close", [file]),
  ];
}

const CLOCK_MONOTONIC = 1;

/** A timer that is readable once, after so long, also when the clock is set; timerfd_settime(2). */
export function startTimer(timeoutMs: number, timer: Slot): Call[] {
  const setting = new Uint8Array(32); // struct itimerspec: interval, then value
  const view = new DataView(setting.buffer);
  view.setBigUint64(16, BigInt(Math.floor(timeoutMs / 1000)), true);
  view.setBigUint64(24, BigInt(timeoutMs % 1000) * 1_000_000n, true);
  return [
    call("timerfd_create", [CLOCK_MONOTONIC, flags({ O_CLOEXEC })], { to: timer }),
    call("timerfd_settime", [timer, 0, setting, 0]),
  ];
}

/** An empty file in /dev to bind on. */
export function emptyNode(dev: Slot, name: string): Call[] {
  const made = slot(`/dev/${name}`);
  const create = flags({ O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_CLOEXEC });
  return [
    call("openat", [dev, name, create, mode(0o620)], {
      to: made,
      on: [{ errno: "EEXIST", goto: ".exists" }],
    }),
    call("close", [made]),
  ];
}

/** Bytes of `struct clone_args`, as clone3(2) is told. */
export const CLONE_ARGS_SIZE = 88;

/** `struct clone_args` of a child that is a process of its own, with a stack as its parent's; clone3(2). */
export function cloneArguments(
  cloneFlags: Flags,
  { pidfd, cgroup }: { pidfd: Value; cgroup: Slot | undefined },
): Struct {
  return struct("clone_args", [
    ["flags", 8, cloneFlags],
    ["pidfd", 8, pidfd],
    ["child_tid", 8, 0],
    ["parent_tid", 8, 0],
    ["exit_signal", 8, flags({ SIGCHLD })],
    ["stack", 8, 0],
    ["stack_size", 8, 0],
    ["tls", 8, 0],
    ["set_tid", 8, 0],
    ["set_tid_size", 8, 0],
    ["cgroup", 8, cgroup ?? 0],
  ]);
}
