import type { Spec } from "../spec/types.ts";
import { SpecError } from "../spec/error.ts";
import { cgroupSteps, openCgroup } from "./cgroup.ts";
import { failureHandler } from "./channel.ts";
import { nodesOf, openNodes } from "./devices.ts";
import { openHierarchies, openSources, sortMounts } from "./mounts.ts";
import { openNamespaces, sortNamespaces } from "./namespaces.ts";
import { openRoot } from "./root.ts";
import { type Flags, type Slot, slot, type Step } from "./step.ts";
import { openChannel, openPipe } from "./terminal.ts";
import { refuseUnsupported } from "./unsupported.ts";

import type { Parts, Surroundings } from "./parts.ts";
import { stageSteps } from "./stage_side.ts";
/** Settings of interfaces, which there are when minictr has made them. */
const OF_INTERFACES = /^net[./]ipv[46][./](conf|neigh)\b/;

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
  /** The stage's end of the channel. */
  toMinictr: Slot;
  /** minictr's ends: of the channel, and of the pipes to the standard streams. */
  channel: Slot;
  pipes: (Slot | undefined)[];
  /** What the stage executes in place of itself when the container is started, and minictr's line to it. */
  supervisor?: { program: Step[]; executable: Slot; line: Slot };
  /** Whether a message tells which process is the container's: it may come behind that process's own. */
  announced: boolean;
  /** Whether its network namespace is there as soon as that process is, and no step sets up interfaces. */
  networkAtBirth: boolean;
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
  const parts = partsOf(spec, around);
  const plan = hostSteps(parts);
  return { ...plan, stage: stageSteps(parts), handler: failureHandler(parts.channel) };
}

/** What both sides of a start share. */
export function partsOf(spec: Spec, around: Surroundings): Parts {
  refuseUnsupported(spec);
  if (spec.linux?.seccomp && !around.seccomp) throw new Error("linux.seccomp is not compiled");
  const { linux = {}, mounts = [] } = spec;
  const namespaces = sortNamespaces(
    linux.namespaces ?? [],
    linux.timeOffsets ?? {},
  );
  if (namespaces.of("mount") !== "new") {
    throw new SpecError("linux.namespaces", "a mount namespace of its own is needed");
  }
  return {
    spec,
    around,
    namespaces,
    planned: sortMounts(mounts, around.kindOf),
    root: slot("root"),
    dev: slot("/dev"),
    mask: slot("empty directory"),
    ours: slot("channel"),
    channel: slot("channel to minictr"),
    streams: around.streams.map((stream, n) =>
      stream === "pipe" || stream === "supervisor" ? slot(`pipe ${n}`) : undefined
    ),
    second: around.supervision && namespaces.second ? slot("pipe to the supervisor") : undefined,
    terminal: around.supervision && spec.process?.terminal
      ? slot("line to the supervisor")
      : undefined,
    slots: { hierarchies: new Map() },
    trees: new Map(),
  };
}

/** minictr's side of a start. */
export function hostSteps(parts: Parts): Omit<ContainerPlan, "stage" | "handler"> {
  const { spec, around, namespaces, planned, root, ours, channel, streams, slots, trees } = parts;
  const { cgroup } = around;
  const born = cgroup?.join.kind === "into" ? cgroup.join.directory : cgroup?.join.born;
  const cgroupFd = slot("cgroup");
  const nodes = nodesOf(spec.linux?.devices ?? []);
  const userNamespace = namespaces.joined.find(({ type }) => type === "user")?.handle;
  const pipes = streams.map((theirs, n) =>
    theirs && around.streams[n] === "pipe" ? slot(`minictr's end of pipe ${n}`) : undefined
  );
  const host = [
    ...cgroup ? cgroupSteps(cgroup) : [],
    ...openNamespaces(namespaces),
    ...openSources(planned, userNamespace),
    ...cgroup ? planned.flatMap((mount) => openHierarchies(mount, cgroup.mounts, slots)) : [],
    ...userNamespace ? openNodes(nodes, trees) : [],
    ...openRoot(around.root, root, {
      idmap: around.mapRoot ? userNamespace : undefined,
      propagation: spec.linux?.rootfsPropagation,
    }),
    openChannel(ours, channel),
    ...streams.flatMap((theirs, n) => {
      const end = around.streams[n] === "pipe" ? pipes[n] : undefined;
      const name = ["stdin", "stdout", "stderr"][n] ?? "";
      return theirs && end ? [openPipe(name, n === 0, end, theirs)] : [];
    }),
    ...born === undefined ? [] : [openCgroup(born, cgroupFd, around.supervision !== undefined)],
  ];
  const given = [
    root,
    channel,
    ...streams.filter((_, n) => around.streams[n] === "pipe"),
    ...planned.map(({ tree }) => tree),
    ...namespaces.joined.map(({ handle }) => handle),
    ...slots.hierarchies.values(),
    ...trees.values(),
    born === undefined ? undefined : cgroupFd,
  ].filter((slot) => slot !== undefined);
  const plan = {
    host,
    namespaces: namespaces.born,
    channel: ours,
    toMinictr: channel,
    pipes,
    announced: around.supervision !== undefined || namespaces.second,
    networkAtBirth: "CLONE_NEWNET" in namespaces.born.named &&
      !Object.keys(spec.linux?.sysctl ?? {}).some((name) => OF_INTERFACES.test(name)),
    given,
  };
  return born === undefined ? plan : { ...plan, cgroup: cgroupFd };
}
