/**
 * What a plan is made from: what was found out beside the spec, and what both sides share.
 */
import type { CgroupPlan } from "../cgroup/plan.ts";
import type { Spec } from "../spec/types.ts";
import type { MountSlots, PlannedMount } from "./mounts.ts";
import type { Namespaces } from "./namespaces.ts";
import type { RootSource } from "./root.ts";
import type { Slot, Step } from "./step.ts";
import type { Supervision } from "./supervision.ts";
import type { TargetKind } from "./target.ts";
import type { Stream } from "./terminal.ts";

/** What was found out about the host, and decided, beside the spec. */
export interface Surroundings {
  root: RootSource;
  cgroup?: CgroupPlan;
  /** Compiled `linux.seccomp`, and SECCOMP_FILTER_FLAG_*. */
  seccomp?: { filter: Uint8Array; flags: Record<string, number> };
  /** /proc/sys/kernel/cap_last_cap */
  lastCapability: number;
  /** Steps for what few specs ask for; `privileges.ts`. */
  attributes?: Step[];
  kindOf(source: string): TargetKind;
  /** Whether the root's files are mapped into the user namespace, so that its root owns them. */
  mapRoot: boolean;
  /** Standard input, output and error; with `process.terminal` all three are the pty. */
  streams: [Stream, Stream, Stream];
  /** Whether the container ends with minictr. */
  foreground: boolean;
  /** Whether the stage stays as the first process, with the command as its child. */
  init: boolean;
  /** Whether the stage waits for minictr before it gives up its privileges. */
  barrier: boolean;
  /** For a container that is kept: what its supervisor is made of. */
  supervision?: Supervision;
  /** Whether each call's time is noted and told. */
  trace: boolean;
}

/** What both sides' steps share. */
export interface Parts {
  spec: Spec;
  around: Surroundings;
  namespaces: Namespaces;
  planned: PlannedMount[];
  root: Slot;
  dev: Slot;
  /** What covers masked directories. */
  mask: Slot;
  ours: Slot;
  channel: Slot;
  /** The container's ends of pipes. */
  streams: (Slot | undefined)[];
  /** Where a supervisor awaits the process id of a second process. */
  second: Slot | undefined;
  /** Where a supervisor awaits the master of the pty. */
  terminal: Slot | undefined;
  slots: MountSlots;
  /** With a user namespace: the host's device nodes. */
  trees: Map<string, Slot>;
}
