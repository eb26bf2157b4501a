import {
  AT_RECURSIVE,
  MS_PRIVATE,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
  OPEN_TREE_CLONE,
} from "../../ffi/constants.ts";
import type { CgroupMounts } from "../cgroup/plan.ts";
import type { Mount } from "../spec/types.ts";
import { attach, goto, newFilesystem, setAttributes, WORKING_DIRECTORY } from "./calls.ts";
import { SpecError } from "../spec/error.ts";
import { type MountOptions, parseMountOptions } from "./mount_options.ts";
import { type Call, call, flags, mode, type Slot, slot, type Step, step } from "./step.ts";
import { ensureTarget, freshTarget, openPlain, type TargetKind } from "./target.ts";

const CLONE = flags({ OPEN_TREE_CLONE });
const CLONE_BELOW = flags({ OPEN_TREE_CLONE, AT_RECURSIVE });
const NEW_DIRECTORY = mode(0o755);
const OPEN_MADE = flags({ O_PATH, O_NOFOLLOW, O_CLOEXEC });

/** A mount of the container, its parts sorted, and what the host's side opened for it. */
export interface PlannedMount {
  mount: Mount;
  options: MountOptions;
  /** Bind mounts: the detached tree that the host's side cloned. */
  tree?: Slot;
  kind: TargetKind;
}

/** Sorts `mounts` of config.json; `kindOf` tells whether a bind's source is a directory. */
export function sortMounts(
  mounts: Mount[],
  kindOf: (source: string) => TargetKind,
): PlannedMount[] {
  return mounts.map((mount, index) => {
    const options = parseMountOptions(mount.options ?? [], `mounts[${index}].options`);
    const bound = options.bind !== undefined || mount.type === "bind";
    if (!bound) return { mount, options, kind: "directory" };
    options.bind ??= { below: false };
    const source = mount.source ?? "";
    return { mount, options, tree: slot(`tree of ${source}`), kind: kindOf(source) };
  });
}

/**
 * Host's side: opens every bind source before any target is touched (CVE-2021-30465), as a detached
 * copy with its attributes; open_tree(2).
 *
 * @param userNamespace what `idmap` maps into
 */
export function openSources(mounts: PlannedMount[], userNamespace: Slot | undefined): Step[] {
  const steps: Step[] = [];
  for (const { mount, options, tree } of mounts) {
    if (!tree) continue;
    const source = mount.source ?? "";
    const how = options.bind?.below ? CLONE_BELOW : CLONE;
    steps.push(step(`open ${source} for ${mount.destination}`, [
      call("open_tree", [WORKING_DIRECTORY, source, how], { to: tree }),
      ...bindAttributes(tree, options),
      ...options.idmap ? [mapInto(tree, userNamespace, options.idmap.below)] : [],
    ], {
      ENOENT: `"${source}" does not exist on the host`,
      EINVAL: `"${source}" lies on a mount that cannot be copied (an unbindable one)`,
    }));
  }
  return steps;
}

function mapInto(tree: Slot, idmap: Slot | undefined, below: boolean): Call {
  if (!idmap) throw new SpecError("mounts", '"idmap" needs a user namespace');
  return setAttributes(tree, { idmap, below });
}

function bindAttributes(tree: Slot, options: MountOptions): Call[] {
  const { set, clear, setBelow, clearBelow } = options;
  const some = (...records: Record<string, number>[]) =>
    records.some((record) => Object.keys(record).length > 0);
  const propagation = options.propagation ?? { flag: { MS_PRIVATE }, below: true };
  return [
    setAttributes(tree, { propagation: propagation.flag, below: propagation.below }),
    ...some(set, clear) ? [setAttributes(tree, { set, clear, below: false })] : [],
    ...some(setBelow, clearBelow)
      ? [setAttributes(tree, { set: setBelow, clear: clearBelow, below: true })]
      : [],
  ];
}

/** Descriptors that later steps need. */
export interface MountSlots {
  proc?: Slot;
  devpts?: Slot;
  /** cgroup v1: the container's own cgroup in each hierarchy, by the hierarchy's name. */
  hierarchies: Map<string, Slot>;
}

const PLAIN_TARGETS = new Set(["proc", "sysfs"]);

/** Container's side: the mounts of config.json, in their order. */
export function mountSteps(
  root: Slot,
  mounts: PlannedMount[],
  cgroup: CgroupMounts | undefined,
  slots: MountSlots,
): Step[] {
  const places = new Places(root);
  return mounts.flatMap((planned) => {
    const { mount, tree } = planned;
    if (tree) return [bindStep(places, planned, tree)];
    if (mount.type === "cgroup" && cgroup?.kind === "hierarchies") {
      return hierarchySteps(places, planned, cgroup.hierarchies, slots);
    }
    const made = slot(`${mount.type} for ${mount.destination}`);
    return [filesystemStep(places, planned, slots, made)];
  });
}

/** Where mounts go: inside the root, or in a filesystem that the plan itself has made just before. */
class Places {
  /** By destination: filesystems in which only this plan has been so far. */
  readonly #fresh = new Map<string, Slot>();
  /** Destinations of proc and sysfs, where no link of the image's is. */
  readonly #kernel: string[] = [];

  constructor(readonly root: Slot) {}

  /** Opens a destination, made where it is missing. */
  open(destination: string, kind: TargetKind, to: Slot): Call[] {
    const [parent, name] = split(destination);
    const made = this.#fresh.get(parent);
    return made && kind === "directory" && name !== "" && name !== "." && name !== ".."
      ? freshTarget(made, name, to)
      : ensureTarget(this.root, destination, kind, to);
  }

  /** /proc and /sys must be real directories at the top of the root (CVE-2019-19921). */
  openPlain(destination: string, to: Slot): Call[] {
    this.#kernel.push(`${destination}/`);
    return plainTarget(this.root, destination.slice(1), to);
  }

  /** Takes note of a mount: what lay below is out of reach, and through a link that may be anything. */
  cover(destination: string, made?: Slot): void {
    const isPlain = this.#fresh.has(split(destination)[0]) ||
      this.#kernel.some((path) => `${destination}/`.startsWith(path));
    for (const path of this.#fresh.keys()) {
      if (!isPlain || `${path}/`.startsWith(`${destination}/`)) this.#fresh.delete(path);
    }
    if (made) this.#fresh.set(destination, made);
  }
}

/** A path's parent, and the name in it. */
function split(path: string): [parent: string, name: string] {
  const slash = path.lastIndexOf("/");
  return [path.slice(0, slash), path.slice(slash + 1)];
}

function bindStep(places: Places, { mount, kind }: PlannedMount, tree: Slot): Step {
  const target = slot(mount.destination);
  const calls = places.open(mount.destination, kind, target);
  places.cover(mount.destination);
  return step(`bind ${mount.source} on ${mount.destination}`, [
    ...calls,
    attach(tree, target),
  ], {
    EINVAL: "a directory can be bound only on a directory, a file only on a file",
    EROFS: `the root filesystem is read-only and has no "${mount.destination}" to mount on`,
  });
}

function filesystemStep(
  places: Places,
  { mount, options }: PlannedMount,
  slots: MountSlots,
  made: Slot,
): Step {
  const { destination } = mount;
  const type = mount.type === "cgroup" ? "cgroup2" : mount.type ?? "none";
  const target = slot(destination);
  if (type === "proc" && destination === "/proc") slots.proc = made;
  if (type === "devpts" && destination === "/dev/pts") slots.devpts = made;
  const plain = PLAIN_TARGETS.has(type) && !destination.slice(1).includes("/");
  const calls = plain
    ? places.openPlain(destination, target)
    : places.open(destination, "directory", target);
  places.cover(destination, type === "tmpfs" ? made : undefined);
  return step(`mount ${type} on ${destination}`, [
    ...newFilesystem(type, mount.source ?? type, options, made),
    ...calls,
    attach(made, target),
    ...options.propagation
      ? [setAttributes(made, {
        propagation: options.propagation.flag,
        below: options.propagation.below,
      })]
      : [],
  ], {
    ENODEV: `the kernel has no filesystem "${type}"; modprobe ${type} may load it`,
    EINVAL: `"${type}" does not know one of the options ${options.data.join(",") || "(none)"}`,
    ELOOP: `"${destination}" in the root filesystem is a symbolic link, which is refused`,
    ENOTDIR: `"${destination}" in the root filesystem is not a directory`,
  });
}

/** cgroup v1: a tmpfs with a bind mount for each hierarchy, of the container's own cgroup. */
function hierarchySteps(
  places: Places,
  { mount, options }: PlannedMount,
  hierarchies: Extract<CgroupMounts, { kind: "hierarchies" }>["hierarchies"],
  slots: MountSlots,
): Step[] {
  const { destination } = mount;
  const outer: PlannedMount = {
    mount: { destination, type: "tmpfs", source: "tmpfs" },
    options: { ...options, set: withoutReadonly(options.set), data: ["mode=755"] },
    kind: "directory",
  };
  const links = hierarchies.flatMap(({ name, links }) =>
    links.map((link) => [name, link] as const)
  );
  const made = slot(`tmpfs for ${destination}`);
  const mounted = filesystemStep(places, outer, slots, made);
  places.cover(destination); // Links will be in it: who mounts there later looks for the place.
  return [
    mounted,
    ...hierarchies.map(({ name }) => {
      const target = slot(`${destination}/${name}`);
      const tree = slots.hierarchies.get(name) ?? slot(name);
      return step(`bind the container's ${name} cgroup on ${destination}/${name}`, [
        call("mkdirat", [made, name, NEW_DIRECTORY]),
        call("openat", [made, name, OPEN_MADE, 0], { to: target }),
        attach(tree, target),
      ]);
    }),
    step(`link the other names of hierarchies in ${destination}`, [
      ...links.map(([name, link]) => call("symlinkat", [name, made, link])),
      setAttributes(made, { set: options.set, below: false }),
    ]),
  ];
}

function withoutReadonly(set: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(set).filter(([name]) => name !== "MOUNT_ATTR_RDONLY"));
}

/** Host's side, v1: the container's own cgroups, to be bound; where they do not exist none is. */
export function openHierarchies(
  { mount, options }: PlannedMount,
  cgroup: CgroupMounts,
  slots: MountSlots,
): Step[] {
  if (mount.type !== "cgroup" || cgroup.kind !== "hierarchies") return [];
  return cgroup.hierarchies.map(({ name, source }) => {
    const tree = slot(`tree of ${source}`);
    slots.hierarchies.set(name, tree);
    return step(`open ${source} for ${mount.destination}/${name}`, [
      call("open_tree", [WORKING_DIRECTORY, source, CLONE], { to: tree }),
      setAttributes(tree, { set: options.set, propagation: { MS_PRIVATE }, below: false }),
    ]);
  });
}

function plainTarget(root: Slot, name: string, to: Slot): Call[] {
  return [
    openPlain(root, name, { to, on: [{ errno: "ENOENT", goto: ".make" }] }),
    goto(".made"),
    call("mkdirat", [root, name, NEW_DIRECTORY], { id: ".make" }),
    openPlain(root, name, { to }),
    call("add", [0, 0], { id: ".made" }),
  ];
}
