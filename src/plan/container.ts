import type { CgroupPlan } from "../cgroup/plan.ts";
import type { LinuxCapabilities, Spec } from "../spec/types.ts";
import { SpecError } from "../spec/error.ts";
import { cgroupSteps, joinCgroup, openCgroup } from "./cgroup.ts";
import { failureHandler, MESSAGE, reportTrace } from "./channel.ts";
import {
  becomeUser,
  boundCapabilities,
  loadFilter,
  noNewPrivileges,
  setCapabilities,
} from "./credentials.ts";
import { deviceSteps, nodesOf, openNodes } from "./devices.ts";
import { setDomainname, setHostname, sysctlSteps } from "./identity.ts";
import { maskSteps, prepareMask, readonlySteps } from "./masks.ts";
import {
  type MountSlots,
  mountSteps,
  openHierarchies,
  openSources,
  type PlannedMount,
  sortMounts,
} from "./mounts.ts";
import {
  becomeSecond,
  enterNamespaces,
  type Namespaces,
  newCgroupNamespace,
  openNamespaces,
  sortNamespaces,
} from "./namespaces.ts";
import { loopbackUp } from "./network.ts";
import {
  closeDescriptors,
  dieWithParent,
  enterDirectory,
  execute,
  newSession,
  oomScore,
  resetSignals,
  rlimitSteps,
  setUmask,
} from "./process.ts";
import {
  attachRoot,
  enterRoot,
  openRoot,
  privateMounts,
  readonlyRoot,
  type RootSource,
} from "./root.ts";
import { call, type Flags, type Slot, slot, type Step, step } from "./step.ts";
import { ensureTarget, type TargetKind } from "./target.ts";
import {
  nullStreams,
  openChannel,
  openPipe,
  openTerminal,
  type Stream,
  useStream,
} from "./terminal.ts";

/** What was found out about the host, and decided, beside the spec. */
export interface Surroundings {
  root: RootSource;
  cgroup?: CgroupPlan;
  /** Compiled `linux.seccomp`, and SECCOMP_FILTER_FLAG_*. */
  seccomp?: { filter: Uint8Array; flags: Record<string, number> };
  /** /proc/sys/kernel/cap_last_cap */
  lastCapability: number;
  kindOf(source: string): TargetKind;
  /** Standard input, output and error; with `process.terminal` all three are the pty. */
  streams: [Stream, Stream, Stream];
  /** Whether the container ends with minictr. */
  foreground: boolean;
  /** Whether each call's time is noted and told. */
  trace: boolean;
}

/** A container's start, as data. */
export interface ContainerPlan {
  /** Carried out by minictr before the stage is started. */
  host: Step[];
  /** Carried out by the stage. */
  stage: Step[];
  /** What the stage does after a failure. */
  handler: Step[];
  namespaces: Flags;
  /** cgroup v2: what the stage is born in. */
  cgroup?: Slot;
  /** minictr's ends: of the channel, and of the pipes to the standard streams. */
  channel: Slot;
  pipes: (Slot | undefined)[];
  /** Descriptors that minictr closes when the stage has them. */
  given: Slot[];
}

/**
 * The plan of a container's start: a pure function of its spec and its surroundings.
 *
 * The order is the only one that works. Sources are opened before any target is touched; what needs
 * the host's files comes before the root is entered; capabilities are bounded while they are held;
 * the filter comes as late as the rights that loading it needs allow.
 */
export function planContainer(spec: Spec, around: Surroundings): ContainerPlan {
  const { linux = {}, mounts = [] } = spec;
  const namespaces = sortNamespaces(
    linux.namespaces ?? [],
    Object.keys(linux.timeOffsets ?? {}).length > 0,
  );
  if (namespaces.of("mount") !== "new") {
    throw new SpecError("linux.namespaces", "a mount namespace of its own is needed");
  }
  const planned = sortMounts(mounts, around.kindOf);
  const parts: Parts = {
    spec,
    around,
    namespaces,
    planned,
    root: slot("root"),
    dev: slot("/dev"),
    mask: slot("empty directory"),
    ours: slot("channel"),
    channel: slot("channel to minictr"),
    streams: around.streams.map((stream, n) => stream === "pipe" ? slot(`pipe ${n}`) : undefined),
    slots: { hierarchies: new Map() },
    trees: new Map(),
  };
  const plan = hostSteps(parts);
  return { ...plan, stage: stageSteps(parts), handler: failureHandler(parts.channel) };
}

/** What both sides' steps share. */
interface Parts {
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
  slots: MountSlots;
  /** With a user namespace: the host's device nodes. */
  trees: Map<string, Slot>;
}

function hostSteps(parts: Parts): Omit<ContainerPlan, "stage" | "handler"> {
  const { spec, around, namespaces, planned, root, ours, channel, streams, slots, trees } = parts;
  const { cgroup } = around;
  const born = cgroup?.join.kind === "into" ? cgroup.join.directory : undefined;
  const cgroupFd = slot("cgroup");
  const nodes = nodesOf(spec.linux?.devices ?? []);
  const userNamespace = namespaces.of("user") !== "host";
  const pipes = streams.map((theirs, n) => theirs && slot(`minictr's end of pipe ${n}`));
  const host = [
    ...cgroup ? cgroupSteps(cgroup) : [],
    ...openNamespaces(namespaces),
    ...openSources(planned),
    ...cgroup ? planned.flatMap((mount) => openHierarchies(mount, cgroup.mounts, slots)) : [],
    ...userNamespace ? openNodes(nodes, trees) : [],
    openRoot(around.root, root),
    openChannel(ours, channel),
    ...streams.flatMap((theirs, n) => {
      const end = pipes[n];
      const name = ["stdin", "stdout", "stderr"][n] ?? "";
      return theirs && end ? [openPipe(name, n === 0, end, theirs)] : [];
    }),
    ...born === undefined ? [] : [openCgroup(born, cgroupFd)],
  ];
  const given = [
    root,
    channel,
    ...streams,
    ...planned.map(({ tree }) => tree),
    ...namespaces.joined.map(({ handle }) => handle),
    ...slots.hierarchies.values(),
    ...trees.values(),
    born === undefined ? undefined : cgroupFd,
  ].filter((slot) => slot !== undefined);
  const plan = { host, namespaces: namespaces.born, channel: ours, pipes, given };
  return born === undefined ? plan : { ...plan, cgroup: cgroupFd };
}

function stageSteps(parts: Parts): Step[] {
  const { spec, around, root } = parts;
  const { linux = {} } = spec;
  return [
    ...birthSteps(parts),
    privateMounts(linux.rootfsPropagation),
    attachRoot(root),
    ...filesystemSteps(parts),
    ...linux.maskedPaths?.length ? [prepareMask(parts.mask)] : [],
    ...coverSteps(parts),
    enterRoot(root),
    ...privilegeSteps(parts),
    ...around.trace ? [reportTrace(parts.channel)] : [],
    execute(spec.process ?? { cwd: "/", user: { uid: 0, gid: 0 } }),
  ];
}

/** From birth to being in all namespaces. */
function birthSteps({ spec, around, namespaces, channel }: Parts): Step[] {
  const { process, hostname, domainname } = spec;
  const join = around.cgroup ? joinCgroup(around.cgroup.join) : [];
  return [
    resetSignals(),
    step("let modes of new files be as given", [call("umask", [0])]),
    ...process?.oomScoreAdj === undefined ? [] : [oomScore(process.oomScoreAdj)],
    ...join,
    ...enterNamespaces(namespaces),
    ...namespaces.second ? [becomeSecond(channel, MESSAGE.second)] : [],
    ...around.foreground ? [dieWithParent()] : [],
    newSession(),
    ...namespaces.of("cgroup") === "new" ? [newCgroupNamespace()] : [],
    ...hostname ? [setHostname(hostname)] : [],
    ...domainname ? [setDomainname(domainname)] : [],
    ...namespaces.of("network") === "new" ? [loopbackUp()] : [],
  ];
}

/** Mounts, devices, and the standard streams that are made of them. */
function filesystemSteps(parts: Parts): Step[] {
  const { spec, around, planned, root, dev, channel, streams, slots, trees } = parts;
  const { process, linux = {} } = spec;
  const ownDev = !planned.some(({ mount, tree }) => mount.destination === "/dev" && tree);
  const nodes = ownDev ? nodesOf(linux.devices ?? []) : [];
  const mounted = mountSteps(root, planned, around.cgroup?.mounts, slots);
  const nulls = ([0, 1, 2] as const).filter((n) => around.streams[n] === "null");
  return [
    ...mounted,
    ...deviceSteps(root, dev, nodes, trees),
    ...process?.terminal
      ? openTerminal(root, { devpts: slots.devpts, dev, channel }, {
        kind: MESSAGE.terminal,
        user: process.user,
        size: process.consoleSize,
      })
      : [
        ...nulls.length > 0 ? [nullStreams(dev, nulls)] : [],
        step(
          "take the standard streams",
          ([0, 1, 2] as const).flatMap((n) => {
            const end = streams[n];
            return end ? [useStream(end, n)] : [];
          }),
        ),
      ],
    ...cwdSteps(root, process?.cwd ?? "/"),
  ].filter(({ calls }) => calls.length > 0);
}

/** The working directory is made where it is missing, as runc and docker do. */
function cwdSteps(root: Slot, cwd: string): Step[] {
  if (cwd === "/" || cwd === "") return [];
  return [
    step(`see that ${cwd} exists`, [
      ...ensureTarget(root, cwd, "directory", slot(cwd)),
    ], { EROFS: `"${cwd}" is missing and the root filesystem is read-only` }),
  ];
}

/** What is changed or covered when all is mounted; the mask needs the host's root to be there. */
function coverSteps({ spec, root, dev, mask, slots }: Parts): Step[] {
  const { linux = {} } = spec;
  const sysctl = linux.sysctl ?? {};
  if (Object.keys(sysctl).length > 0 && !slots.proc) {
    throw new SpecError("linux.sysctl", "needs a proc mount on /proc");
  }
  return [
    ...slots.proc ? sysctlSteps(slots.proc, sysctl) : [],
    ...maskSteps(root, linux.maskedPaths ?? [], { directory: mask, dev }),
    ...readonlySteps(root, linux.readonlyPaths ?? []),
    ...spec.root?.readonly ? [readonlyRoot(root)] : [],
  ];
}

/** From everything to what the command may do. */
function privilegeSteps({ spec, around }: Parts): Step[] {
  const { process } = spec;
  if (!process) throw new SpecError("process", "is missing");
  const { capabilities = {} as LinuxCapabilities, user, noNewPrivileges: nnp } = process;
  const filter = around.seccomp ? [loadFilter(around.seccomp.filter, around.seccomp.flags)] : [];
  return [
    ...rlimitSteps(process.rlimits ?? []),
    boundCapabilities(capabilities, around.lastCapability),
    // Without no_new_privs the filter needs CAP_SYS_ADMIN, which the next steps give up.
    ...nnp ? [] : filter,
    becomeUser(user, true),
    setCapabilities(capabilities),
    ...around.foreground ? [dieWithParent()] : [], // A change of user had cleared it.
    ...nnp ? [noNewPrivileges(), ...filter] : [],
    setUmask(user.umask ?? 0o022),
    enterDirectory(process.cwd),
    closeDescriptors(0),
  ];
}
