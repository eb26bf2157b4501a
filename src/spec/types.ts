/**
 * The OCI runtime specification 1.3.0's config.json, as far as it concerns Linux.
 *
 * Names of types are those of specs-go/config.go, names of fields those of config.json. An absent
 * field is `undefined`, never null. Integers are numbers, except where 2^53 is really exceeded
 * ({@link Uint64}). Types only: nothing of this file exists at run time.
 *
 * @see config.md, config-linux.md of the OCI runtime specification
 * @module
 */

import type { Linux, LinuxCapabilities, LinuxIDMapping, LinuxIOPriority } from "./linux_types.ts";
export type * from "./linux_types.ts";

/**
 * An unsigned 64-bit integer of config.json: a bigint where a number cannot hold it exactly, as
 * for RLIM_INFINITY or a mask of seccomp. `BigInt(value)` accepts both.
 */
export type Uint64 = number | bigint;

/** The whole of config.json; config.md. */
export interface Spec {
  /** Semantic version of the specification, "1.3.0". */
  ociVersion: string;
  /** Absent in a container that is only ever joined by `exec`; `start` then refuses. */
  process?: Process;
  root?: Root;
  hostname?: string;
  domainname?: string;
  /** In the order in which they are mounted. */
  mounts?: Mount[];
  hooks?: Hooks;
  annotations?: Record<string, string>;
  linux?: Linux;
}

/** What is run; config.md#process. */
export interface Process {
  terminal?: boolean;
  /** Ignored unless `terminal`. */
  consoleSize?: Box;
  user: User;
  /** execvp's argv; at least one element for `create` and `run`. */
  args?: string[];
  /** NAME=value, with execvp's meaning of the whole list: nothing is inherited. */
  env?: string[];
  /** Absolute path inside the container. */
  cwd: string;
  capabilities?: LinuxCapabilities;
  rlimits?: POSIXRlimit[];
  noNewPrivileges?: boolean;
  apparmorProfile?: string;
  /** -1000..1000; absent: inherited. */
  oomScoreAdj?: number;
  scheduler?: Scheduler;
  selinuxLabel?: string;
  ioPriority?: LinuxIOPriority;
  execCPUAffinity?: CPUAffinity;
}

/** Size of a terminal in characters; config.md#process. */
export interface Box {
  height: number;
  width: number;
}

/** Ids inside the container; config.md#posix-platform-user. */
export interface User {
  uid: number;
  gid: number;
  /** Mode bits as an integer, 0o022 = 18; absent: inherited. */
  umask?: number;
  /** Supplementary groups besides `gid`. */
  additionalGids?: number[];
}

/** A limit of setrlimit(2); `type` as "RLIMIT_NOFILE"; RLIM_INFINITY is 2^64-1. */
export interface POSIXRlimit {
  type: string;
  hard: Uint64;
  soft: Uint64;
}

/** sched_setattr(2); times in nanoseconds. */
export interface Scheduler {
  /** "SCHED_OTHER", "SCHED_FIFO" … */
  policy: string;
  nice?: number;
  priority?: number;
  /** "SCHED_FLAG_RESET_ON_FORK" … */
  flags?: string[];
  runtime?: Uint64;
  deadline?: Uint64;
  period?: Uint64;
}

/** CPU lists ("0-3,7") for `exec`, before and after the process is moved to its cgroup. */
export interface CPUAffinity {
  initial?: string;
  final?: string;
}

/** The root filesystem; `path` absolute or relative to the bundle; config.md#root. */
export interface Root {
  path: string;
  readonly?: boolean;
}

/** One mount(8) line; config.md#mounts. `source` absolute or relative to the bundle. */
export interface Mount {
  destination: string;
  type?: string;
  source?: string;
  options?: string[];
  uidMappings?: LinuxIDMapping[];
  gidMappings?: LinuxIDMapping[];
}

/** A program run on the way through the life cycle; config.md#posix-platform-hooks. */
export interface Hook {
  /** Absolute. */
  path: string;
  /** execv's argv; absent: the path alone. */
  args?: string[];
  env?: string[];
  /** Seconds, > 0; absent: no limit. */
  timeout?: number;
}

/** Hooks in the order in which they are reached. */
export interface Hooks {
  prestart?: Hook[];
  createRuntime?: Hook[];
  createContainer?: Hook[];
  startContainer?: Hook[];
  poststart?: Hook[];
  poststop?: Hook[];
}
