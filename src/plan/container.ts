import type { Spec } from "../spec/types.ts";
import { SpecError } from "../spec/error.ts";
import { cgroupSteps, openCgroup } from "./cgroup.ts";
import { failureHandler } from "./channel.ts";
import { nodesOf, openNodes } from "./devices.ts";
import { openHierarchies, openSources, sortMounts } from "./mounts.ts";
import { openNamespaces, sortNamespaces } from "./namespaces.ts";
import { openRoot } from "./root.ts";
import { type Flags, flags, type Slot, slot, type Step } from "./step.ts";
import { openForSupervisor, type SupervisedParts, supervisedStage } from "./supervised.ts";
import { openChannel, openPipe } from "./terminal.ts";
import { refuseUnsupported } from "./unsupported.ts";

import type { Parts, Surroundings } from "./parts.ts";
import { stageSteps } from "./stage_side.ts";
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
  /** Whether what is born of minictr is a supervisor, and the container its child. */
  supervised: boolean;
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
  refuseUnsupported(spec);
  const { linux = {}, mounts = [] } = spec;
  const namespaces = sortNamespaces(
    linux.namespaces ?? [],
    linux.timeOffsets ?? {},
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
    streams: around.streams.map((stream, n) =>
      stream === "pipe" || stream === "log" ? slot(`pipe ${n}`) : undefined
    ),
    second: around.supervision && namespaces.second ? slot("pipe to the supervisor") : undefined,
    slots: { hierarchies: new Map() },
    trees: new Map(),
  };
  const plan = hostSteps(parts);
  const handler = failureHandler(parts.channel);
  const stage = stageSteps(parts);
  return around.supervision
    ? { ...supervised(parts, plan, around.supervision, stage), handler }
    : { ...plan, stage, handler };
}

/** The same start one level lower: what is born of minictr is the supervisor. */
function supervised(
  { channel, streams, second }: Parts,
  plan: Omit<ContainerPlan, "stage" | "handler">,
  supervision: SupervisedParts["supervision"],
  container: Step[],
): Omit<ContainerPlan, "handler"> {
  const { steps, handed } = openForSupervisor(supervision);
  const { namespaces, cgroup, ...rest } = plan;
  const parts = { supervision, channel, streams, namespaces, cgroup, second };
  return {
    ...rest,
    host: [...plan.host, ...steps],
    stage: supervisedStage(parts, handed, container),
    namespaces: flags({}),
    given: [...plan.given, ...Object.values(handed)],
  };
}

function hostSteps(parts: Parts): Omit<ContainerPlan, "stage" | "handler"> {
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
    ...openRoot(around.root, root, around.mapRoot ? userNamespace : undefined),
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
    supervised: around.supervision !== undefined,
    given,
  };
  return born === undefined ? plan : { ...plan, cgroup: cgroupFd };
}
