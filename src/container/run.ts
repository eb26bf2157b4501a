import { catchSignals, F_SETFL, O_NONBLOCK, SIGKILL, syscall } from "../../ffi/mod.ts";
import { type CgroupHost, cgroupPath, readCgroupHost } from "../cgroup/host.ts";
import { planCgroup } from "../cgroup/plan.ts";
import {
  type ContainerPlan,
  DEFAULT_RULES,
  planContainer,
  type RootSource,
  type Stream,
  type Surroundings,
} from "../plan/mod.ts";
import type { LinuxIDMapping, Spec } from "../spec/mod.ts";
import { attend, type Copy, type End, statusOf } from "./attend.ts";
import { isTerminal, rawTerminal } from "./console.ts";
import { assemblePlan, start, type Started, type StartOptions } from "./start.ts";
import { makeUserNamespace, wantsUserNamespace, withUserNamespace } from "./user_namespace.ts";
import { createState, type Roots, type State, writeState } from "./state.ts";

/** What the engine knows of a container beside its spec. */
export interface RunOptions {
  id: string;
  name: string;
  roots: Roots;
  root: RootSource;
  /** Whether the container reads the caller's standard input. */
  interactive: boolean;
  seccomp?: { filter: Uint8Array; flags: Record<string, number> };
  timeoutMs?: number;
  /** Whether an init of minictr's is the first process, and the command its child. */
  init?: boolean;
  /** Whether root in the container's user namespace owns what the host's root owns. */
  mapRoot?: boolean;
  /** Files that are made for this container, in its state directory, which mounts refer to. */
  files?: { path: string; content: string }[];
  /** Sources of bind mounts that are made, as directories, where they are missing. */
  createSources?: string[];
  /** A new file for the id. */
  cidfile?: string;
  /** A file for the first process's id. */
  pidfile?: string;
  /** Told what the user should know, one line each. */
  onNotice?(text: string): void;
  trace?: StartOptions["onTrace"];
}

/** The plan of a container on this host, and what else it takes to carry it out. */
export function planRun(spec: Spec, options: RunOptions, host: CgroupHost): ContainerPlan {
  const { root, seccomp } = options;
  const resources = spec.linux?.resources ?? {};
  const around: Surroundings = {
    root,
    cgroup: planCgroup(host, cgroupPath(spec.linux?.cgroupsPath, options.id), {
      ...resources,
      devices: [...resources.devices ?? [], ...DEFAULT_RULES],
    }),
    ...seccomp ? { seccomp } : {},
    lastCapability: Number(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap")),
    kindOf,
    streams: spec.process?.terminal
      ? ["inherit", "inherit", "inherit"] // The pty takes their place.
      : streamsFor(options.interactive),
    mapRoot: options.mapRoot ?? false,
    foreground: true,
    init: options.init ?? false,
    barrier: options.pidfile !== undefined,
    trace: options.trace !== undefined,
  };
  return planContainer(spec, around);
}

/** A source that is missing is taken for a file here; opening it is the step that fails. */
function kindOf(source: string): "directory" | "file" {
  try {
    return Deno.statSync(source).isDirectory ? "directory" : "file";
  } catch {
    return "file";
  }
}

/** A terminal of the caller's is never handed in: what is written to it goes through a pipe. */
function streamsFor(interactive: boolean): [Stream, Stream, Stream] {
  const stream = (fd: number): Stream => isTerminal(fd) ? "pipe" : "inherit";
  return [interactive ? stream(0) : "null", stream(1), stream(2)];
}

/**
 * Runs a container in the foreground: makes it, waits for its end, takes it away.
 *
 * @returns the exit status as a shell shows it
 * @throws {StartError} when a step failed
 */
export async function runContainer(spec: Spec, options: RunOptions): Promise<number> {
  const { id, name, roots, root } = options;
  const host = readCgroupHost();
  const cgroup = cgroupPath(spec.linux?.cgroupsPath, id);
  const layer = layerOf(root);
  const state: State = {
    version: 1,
    id,
    name,
    created: new Date().toISOString(),
    cgroup,
    ...layer === undefined ? {} : { layer },
  };
  using namespace = wantsUserNamespace(spec)
    ? makeUserNamespace(spec, `${roots.run}/stage.${id}`)
    : undefined;
  const plan = planRun(namespace ? withUserNamespace(spec, namespace.path) : spec, options, host);
  const startOptions: StartOptions = {
    fallbackPath: `${roots.run}/stage.${id}`,
    onReady: ({ pid }) => {
      if (options.pidfile !== undefined) Deno.writeTextFileSync(options.pidfile, `${pid}`);
    },
  };
  if (options.trace) Object.assign(startOptions, { trace: true, onTrace: options.trace });
  const assembled = assemblePlan(plan, startOptions);
  if (options.cidfile !== undefined) {
    Deno.writeTextFileSync(options.cidfile, id, { createNew: true });
  }
  const signals = catchSignals();
  using held = createState(roots, state);
  try {
    if (root.kind === "overlay") makeLayer(root, options.mapRoot ? spec : undefined);
    for (const { path, content } of options.files ?? []) Deno.writeTextFileSync(path, content);
    for (const path of options.createSources ?? []) Deno.mkdirSync(path, { recursive: true });
    const started = start(assembled, startOptions);
    writeState(held.directory, { ...state, pid: started.pid });
    await import("./cleanup.ts"); // What comes afterwards is loaded while the container runs.
    const end = attendTo(started, signals, options);
    const notice = end.signal === SIGKILL ? await outOfMemory(spec, name, host, cgroup) : undefined;
    if (notice) options.onNotice?.(notice);
    return statusOf(end);
  } finally {
    const { cleanUp, repair } = await import("./cleanup.ts");
    cleanUp(held.directory, state, host);
    repair(roots, held.directory);
  }
}

/** What to say of a container that was killed, if it was for want of memory. */
async function outOfMemory(
  spec: Spec,
  name: string,
  host: CgroupHost,
  cgroup: string,
): Promise<string | undefined> {
  const { oomKills } = await import("../cgroup/oom.ts");
  if (oomKills(host, cgroup) === 0) return undefined;
  const limit = spec.linux?.resources?.memory?.limit;
  const told = limit === undefined || limit < 0
    ? "the host, or a cgroup above it, has no more"
    : `its limit is ${limit} bytes (${(limit / 2 ** 20).toFixed(1)} MiB)`;
  return `container "${name}" was killed, out of memory: ${told}`;
}

/** The directory that holds a writable layer with its work directory. */
function layerOf(root: RootSource): string | undefined {
  return root.kind === "overlay" ? root.upper.slice(0, root.upper.lastIndexOf("/")) : undefined;
}

/** @param mapped a spec whose user namespace's root is to own the layer */
function makeLayer(
  { upper, work }: Extract<RootSource, { kind: "overlay" }>,
  mapped: Spec | undefined,
): void {
  Deno.mkdirSync(upper, { recursive: true, mode: 0o755 });
  Deno.mkdirSync(work, { mode: 0o700 });
  const uid = hostId(mapped?.linux?.uidMappings), gid = hostId(mapped?.linux?.gidMappings);
  if (uid !== 0 || gid !== 0) Deno.chownSync(upper, uid, gid);
}

/** The host's id of the container's root. */
function hostId(mappings: LinuxIDMapping[] = []): number {
  return mappings.find(({ containerID }) => containerID === 0)?.hostID ?? 0;
}

function attendTo(started: Started, signals: number, options: RunOptions): End {
  const { pidfd, terminal, pipes } = started;
  const copies: Copy[] = [];
  using _ = terminal !== undefined && options.interactive && isTerminal(0)
    ? rawTerminal(0)
    : undefined;
  if (terminal !== undefined) {
    syscall("fcntl", terminal, F_SETFL, O_NONBLOCK);
    if (options.interactive) copies.push({ from: 0, to: terminal, output: false });
    copies.push({ from: terminal, to: 1, output: true });
  }
  for (const [number, pipe] of pipes.entries()) {
    if (pipe === undefined) continue;
    copies.push(
      number === 0
        ? { from: 0, to: pipe, output: false, close: pipe }
        : { from: pipe, to: number, output: true, close: pipe },
    );
  }
  return attend({
    pidfd,
    signals,
    copies,
    ...terminal === undefined ? {} : { terminal: { master: terminal, size: 0 } },
    ...options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs },
  });
}
