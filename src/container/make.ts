import { type CgroupHost, cgroupPath } from "../cgroup/host.ts";
import { planCgroup } from "../cgroup/plan.ts";
import {
  type ContainerPlan,
  DEFAULT_RULES,
  planContainer,
  type RootSource,
  type Surroundings,
} from "../plan/mod.ts";
import { attributesOf } from "../plan/privileges.ts";
import type { LinuxIDMapping, Spec } from "../spec/mod.ts";
import { streamsFor } from "./foreground.ts";
import type { EtcFiles } from "./etc_files.ts";
import type { Happening } from "./events.ts";
import type { NetworkRequest } from "./networking.ts";
import type { StartOptions } from "./start.ts";
import { type Roots, type State, stateDirectory } from "./state.ts";
import type { VolumeUse } from "./volumes.ts";

/** What the engine knows of a container beside its spec. */
export interface RunOptions {
  id: string;
  name: string;
  /** Whether somebody chose the name, which another container may have; else it is made up. */
  named?: boolean;
  roots: Roots;
  root: RootSource;
  /** The root filesystem as the user named it. */
  image?: string;
  labels?: Record<string, string>;
  /** Whether the container reads the caller's standard input. */
  interactive: boolean;
  seccomp?: { filter: Uint8Array; flags: Record<string, number> };
  timeoutMs?: number;
  /** Whether an init of minictr's is the first process, and the command its child. */
  init?: boolean;
  /** Whether root in the container's user namespace owns what the host's root owns. */
  mapRoot?: boolean;
  /** Files of /etc that are made in its state directory, which mounts refer to. */
  etc?: EtcFiles;
  /** The networks that it is to be on; absent: none, or another's. */
  network?: NetworkRequest;
  /** Sources of bind mounts that are made, as directories, where they are missing. */
  createSources?: string[];
  /** Its volumes, which are made where they are missing. */
  volumes?: VolumeUse[];
  /** Whether the user does not want to be told where ports are reached. */
  quiet?: boolean;
  /** A new file for the id. */
  cidfile?: string;
  /** A file for the first process's id. */
  pidfile?: string;
  /** Told what the user should know, one line each. */
  onNotice?(text: string): void;
  trace?: StartOptions["onTrace"];
  /** For a container in the background: what its supervisor is told. */
  supervision?: Surroundings["supervision"];
}

/**
 * The plan of a container on this host, and what else it takes to carry it out.
 *
 * @param plan `planSupervised` for one that has a supervisor
 */
export async function planRun(
  spec: Spec,
  options: RunOptions,
  host: CgroupHost,
  plan: typeof planContainer = planContainer,
): Promise<ContainerPlan> {
  const { root, seccomp } = options;
  const own = `${stateDirectory(options.roots, options.id)}/`;
  const resources = spec.linux?.resources ?? {};
  const around: Surroundings = {
    root,
    cgroup: planCgroup(host, cgroupPath(spec.linux?.cgroupsPath, options.id), {
      ...resources,
      devices: [...resources.devices ?? [], ...DEFAULT_RULES],
    }),
    ...seccomp ? { seccomp } : {},
    lastCapability: Number(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap")),
    ...await attributesOf(spec.process, spec.linux),
    kindOf: (source) =>
      source.startsWith(own)
        ? "file" // Of /etc, and not there yet.
        : kindOf(source) ?? (options.createSources?.includes(source) ? "directory" : "file"),
    streams: spec.process?.terminal
      ? ["inherit", "inherit", "inherit"] // The pty takes their place.
      : streamsFor(options.interactive, options.supervision),
    mapRoot: options.mapRoot ?? false,
    foreground: true,
    init: options.init ?? false,
    barrier: options.pidfile !== undefined || options.network !== undefined ||
      options.supervision !== undefined,
    trace: options.trace !== undefined,
    ...options.supervision ? { supervision: options.supervision } : {},
  };
  return plan(spec, around);
}

/** What a bind source is; undefined where it is missing, and opening it is the step that fails. */
function kindOf(source: string): "directory" | "file" | undefined {
  try {
    return Deno.statSync(source).isDirectory ? "directory" : "file";
  } catch {
    return undefined;
  }
}

/** What is written down of a container before anything is made for it. */
export function stateOf(
  spec: Spec,
  { id, name, root, image, labels, network, volumes }: RunOptions,
): State {
  const layer = layerOf(root);
  return {
    version: 1,
    id,
    name,
    created: new Date().toISOString(),
    ...image === undefined ? {} : { image },
    ...labels ? { labels } : {},
    cgroup: cgroupPath(spec.linux?.cgroupsPath, id),
    ...network ? { networked: true } : {},
    ...layer === undefined ? {} : { layer },
    ...volumes
      ? {
        volumes: volumes.map((use) => use.name),
        anonymous: volumes.filter((use) => use.anonymous).map((use) => use.name),
      }
      : {},
  };
}

/**
 * Makes what has to be there before the plan is carried out: the writable layer, places on networks,
 * files.
 *
 * @returns what is to be done when the container's first process is there (`onNetwork`) and ready
 * (`onReady`); `happened`: what then is to be noted before its start
 */
export async function makeFiles(
  spec: Spec,
  options: RunOptions,
  directory: string,
): Promise<Required<Pick<StartOptions, "onNetwork" | "onReady">> & { happened: Happening[] }> {
  const { root, roots, etc, network } = options;
  const happened: Happening[] = [];
  if (root.kind === "overlay") makeLayer(root, options.mapRoot ? spec : undefined);
  if (options.volumes) {
    const { mountEvents, prepareVolumes } = await import("./volumes.ts");
    happened.push(
      ...await prepareVolumes(roots, options.volumes, { id: options.id, root, spec }),
      ...mountEvents(options.volumes, options.id, spec),
    );
  }
  for (const path of options.createSources ?? []) {
    if (kindOf(path) === undefined) Deno.mkdirSync(path, { recursive: true });
  }
  const networking = network ? await import("./networking.ts") : undefined;
  const prepared = network && await networking?.setAside(roots, network);
  if (etc) {
    const { writeEtcFiles } = await import("./etc_files.ts");
    const notice = writeEtcFiles(directory, etc, prepared);
    if (notice) options.onNotice?.(notice);
  }
  if (prepared && networking && !options.quiet) {
    for (const line of await networking.reachableLines(prepared, options.name)) {
      options.onNotice?.(line);
    }
  }
  return {
    onNetwork({ pid }) {
      if (prepared && networking) happened.push(...networking.plugIn(prepared, pid));
    },
    onReady({ pid }) {
      if (options.pidfile !== undefined) Deno.writeTextFileSync(options.pidfile, `${pid}`);
    },
    happened,
  };
}

/** The directory that holds a writable layer with its work directory. */
function layerOf(root: RootSource): string | undefined {
  return root.kind === "overlay" ? root.upper.slice(0, root.upper.lastIndexOf("/")) : undefined;
}

/**
 * Makes the directories of a writable layer where they are missing.
 *
 * @param mapped a spec whose user namespace's root is to own the layer
 */
export function makeLayer(
  { upper, work }: Extract<RootSource, { kind: "overlay" }>,
  mapped: Spec | undefined,
): void {
  Deno.mkdirSync(upper, { recursive: true, mode: 0o755 });
  Deno.mkdirSync(work, { recursive: true, mode: 0o700 });
  const uid = hostId(mapped?.linux?.uidMappings), gid = hostId(mapped?.linux?.gidMappings);
  if (uid !== 0 || gid !== 0) Deno.chownSync(upper, uid, gid);
}

/** The host's id of the container's root. */
function hostId(mappings: LinuxIDMapping[] = []): number {
  return mappings.find(({ containerID }) => containerID === 0)?.hostID ?? 0;
}

/**
 * The spec as it is planned: a new user namespace is made by itself, and becomes one to be joined; it
 * lives as long as the scope, or as what has joined it.
 */
export async function ownUserNamespace(
  spec: Spec,
  fallbackPath: string,
): Promise<{ spec: Spec } & Disposable> {
  const user = spec.linux?.namespaces?.find(({ type }) => type === "user");
  if (!user) return { spec, [Symbol.dispose]: () => {} };
  if (user.path) return { spec: withoutOwn(spec, user.path), [Symbol.dispose]: () => {} };
  const { makeUserNamespace, withUserNamespace } = await import("./user_namespace.ts");
  const namespace = makeUserNamespace(spec, fallbackPath);
  return {
    spec: withUserNamespace(spec, namespace.path),
    [Symbol.dispose]: () => namespace[Symbol.dispose](),
  };
}

/** The user namespace that this process is in cannot be joined; user_namespaces(7), setns(2). */
function withoutOwn(spec: Spec, path: string): Spec {
  try {
    if (Deno.statSync(path).ino !== Deno.statSync("/proc/self/ns/user").ino) return spec;
  } catch {
    return spec; // Opening it is the step that fails.
  }
  const namespaces = spec.linux?.namespaces?.filter(({ type }) => type !== "user") ?? [];
  return { ...spec, linux: { ...spec.linux, namespaces } };
}
