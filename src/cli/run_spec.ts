/**
 * From the flags of `run` to an OCI spec: what the container is, and beside it what only the engine
 * needs to know.
 *
 * Pure: what must be asked of the host is asked through {@link RunContext}, so that all of it is
 * tested without privilege. Each group of flags has a module of its own, which is loaded only if
 * one of its flags was given.
 *
 * @module
 */

import type { VolumeSource, VolumeUse } from "../container/volumes.ts";
import { DEFAULT_PATH, defaultSpec, thermalThrottlePaths } from "../spec/defaults.ts";
import type { Linux, LinuxNamespaceType, Mount, Process, Spec } from "../spec/mod.ts";
import type { LogOptions, RestartPolicy } from "../container/definition.ts";
import type { HealthCheck } from "../container/health.ts";
import type { CommandLine } from "./grammar.ts";
import type { RUN } from "./run_flags.ts";
import { UsageError } from "./usage_error.ts";
import type { IdMap, UserName } from "./user.ts";

/** A device node of the host. */
export interface HostDevice {
  path: string;
  type: "c" | "b";
  major: number;
  minor: number;
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
}

/** Another container, as `--pid container:NAME` and the like need it. */
export interface OtherContainer {
  id: string;
  /** Its PID 1 as the host sees it. */
  pid: number;
  /** The host directory behind its /dev/shm, if there is one. */
  shm?: string;
}

/** What of an image's config.json concerns `run`; config.md of the OCI image specification. */
export interface ImageConfig {
  env?: readonly string[];
  entrypoint?: readonly string[];
  cmd?: readonly string[];
  workingDir?: string;
  user?: string;
  stopSignal?: string;
}

/** What the flags mean depends on the host and on the engine's state: both are asked here. */
export interface RunContext {
  /** The container's id, 64 hexadecimal digits. */
  id: string;
  root: { path: string };
  /** The operands behind the root filesystem. */
  command: readonly string[];
  image?: ImageConfig;
  /** The caller's working directory. */
  cwd: string;
  /** The host's name. */
  hostname: string;
  /** CPUs that are online. */
  cpus: number;
  /**
   * CPUs that there can be, as in /sys/devices/system/cpu/possible, if they show their throttling
   * history, which is to be masked; absent: they do not.
   */
  possibleCpus?: number;
  /** The value of the caller's environment variable. */
  env(name: string): string | undefined;
  /** The bytes of a file that a flag names. */
  readFile(path: string): Uint8Array;
  /** The device at a path, or those in the directory there; none: it is neither. */
  devices(path: string): readonly HostDevice[];
  container(name: string): OtherContainer | undefined;
  /** What is mounted for a named volume, or for a new anonymous one. */
  volume?(name: string | undefined): Promise<VolumeSource>;
  /** What another container has mounted, with its volumes, as `--volumes-from` needs it. */
  mountsOf?(name: string): Promise<{ mounts: readonly Mount[]; volumes: readonly VolumeUse[] }>;
  /** The id maps of `--userns private`; absent: the user must give them. */
  idMaps?: { uid: readonly IdMap[]; gid: readonly IdMap[] };
  /** The cgroup above each container's; absent: "/minictr". */
  cgroupParent?: string;
  /** False where the kernel counts no swap, so that a default limit on it would be an error. */
  swapAccounting?: boolean;
  /** The capabilities that there are to give; absent: all. */
  capabilities?: readonly string[];
}

/** What the engine does about a container besides what the spec says. */
export interface EngineOptions {
  name?: string;
  detach: boolean;
  interactive: boolean;
  tty: boolean;
  detachKeys?: string;
  remove: boolean;
  /** Absent: it is not started again. */
  restart?: RestartPolicy;
  health?: HealthCheck;
  init: boolean;
  /** Number; 15 is TERM. */
  stopSignal: number;
  stopTimeoutMs: number;
  timeoutMs?: number;
  labels: Record<string, string>;
  /** Absent: the default. */
  log?: LogOptions;
  cidfile?: string;
  pidfile?: string;
  /** As written: "none", "host", "container:ID", "ns:PATH", or networks; empty: the default. */
  network: readonly string[];
  networkAliases: readonly string[];
  /** As written. */
  subnet?: string;
  /** As written; port.ts reads them. */
  publish: readonly string[];
  publishAll: boolean;
  expose: readonly string[];
  addHosts: readonly string[];
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOptions: readonly string[];
  ip?: string;
  ip6?: string;
  macAddress?: string;
  /** Sources of `-v` to be made as directories where they are missing. */
  createSources: string[];
  volumes: VolumeUse[];
  /** Ids of the containers whose namespaces are joined. */
  joins: string[];
}

/** What the flags made. */
export interface RunSpec {
  spec: Draft;
  /** Who the process is to be; names are resolved inside the root filesystem, ids are in spec. */
  user: UserName;
  /** Supplementary groups by name; those by id are in spec. */
  groups: string[];
  /** A filter that the caller puts into `linux.seccomp`; a path is of a profile in JSON. */
  seccomp: "default" | "unconfined" | { path: string };
  engine: EngineOptions;
  /** For the user to read; nothing was refused. */
  warnings: string[];
}

/** A spec whose parts are all there. */
export interface Draft extends Spec {
  process: Process & { args: string[]; env: string[] };
  mounts: Mount[];
  linux: Linux & Required<Pick<Linux, "resources" | "namespaces" | "sysctl" | "devices">>;
}

/** What the user asked for, and where. */
export interface Wish {
  line: CommandLine<typeof RUN>;
  context: RunContext;
}

/** Changes what is made by what one group of flags says. */
type Mechanism = (made: RunSpec, wish: Wish) => void | Promise<void>;

/** By the names of the groups, in an order that matters. */
const MECHANISMS: readonly [
  group: string,
  load: () => Promise<Mechanism>,
][] = [
  // First, since what may be set depends on the namespaces that are the container's own.
  ["namespaces", async () => (await import("./spec_namespaces.ts")).applyNamespaces],
  ["network", async () => (await import("./spec_network.ts")).applyNetwork],
  ["container", async () => (await import("./spec_engine.ts")).applyEngine],
  ["lasting", async () => (await import("./spec_lasting.ts")).applyLasting],
  ["log", async () => (await import("./spec_log.ts")).applyLog],
  ["process", async () => (await import("./spec_process.ts")).applyProcess],
  ["security", async () => (await import("./spec_security.ts")).applySecurity],
  ["files", async () => (await import("./spec_files.ts")).applyFiles],
  ["resources", async () => (await import("./spec_resources.ts")).applyResources],
];

/**
 * The spec that the flags of `run` ask for.
 *
 * @throws {UsageError} that names the flag which is wrong, or two which exclude each other
 */
export async function specFromFlags(
  line: CommandLine<typeof RUN>,
  context: RunContext,
): Promise<RunSpec> {
  const wish = { line, context };
  const made = begin(wish);
  const needed = new Set(line.groups);
  if (context.image) needed.add("process").add("container");
  for (const [group, load] of MECHANISMS) {
    if (needed.has(group)) await (await load())(made, wish);
  }
  finish(made, wish);
  return made;
}

/** What holds if no flag says otherwise. */
function begin({ line: { flags }, context }: Wish): RunSpec {
  const { process, linux, mounts, ...rest } = defaultSpec();
  if (!process || !linux || !mounts) throw new Error("cannot begin: the default spec lacks parts");
  const { resources = {}, namespaces = [] } = linux;
  return {
    spec: {
      ...rest,
      hostname: flags.hostname ?? context.id.slice(0, 12),
      root: { path: context.root.path, readonly: false },
      process: { ...process, args: [], env: [DEFAULT_PATH], terminal: flags.tty },
      mounts,
      linux: {
        ...linux,
        maskedPaths: [
          ...linux.maskedPaths ?? [],
          ...thermalThrottlePaths(context.possibleCpus ?? 0),
        ],
        resources,
        namespaces,
        devices: [],
        sysctl: {},
        cgroupsPath: `${context.cgroupParent ?? "/minictr"}/${context.id}`,
      },
    },
    user: {},
    groups: [],
    seccomp: "default",
    engine: {
      detach: flags.detach,
      interactive: flags.interactive,
      tty: flags.tty,
      remove: flags.rm,
      init: flags.init,
      stopSignal: 15,
      stopTimeoutMs: 10_000,
      labels: {},
      network: [],
      networkAliases: [],
      publish: [],
      publishAll: false,
      expose: [],
      addHosts: [],
      dns: [],
      dnsSearch: [],
      dnsOptions: [],
      createSources: [],
      volumes: [],
      joins: [],
    },
    warnings: [],
  };
}

/** What follows from all the rest. */
function finish(made: RunSpec, { line: { flags }, context }: Wish): void {
  const { process, linux, hostname } = made.spec;
  if (process.args.length === 0) process.args.push(...context.command);
  if (process.args.length === 0) {
    throw new UsageError("no command was given, and the root filesystem names none");
  }
  const extra = [
    ...hostname === undefined ? [] : [`HOSTNAME=${hostname}`],
    ...flags.tty ? ["TERM=xterm"] : [],
  ];
  // Behind PATH and in front of the user's, as in docker, and only if the user set them not.
  const mine = extra.filter((entry) => !process.env.some((other) => sameName(entry, other)));
  process.env.splice(process.env[0]?.startsWith("PATH=") ? 1 : 0, 0, ...mine);
  if (isNew(linux, "network")) {
    // Root's ports and ping without capabilities, as in docker: the stack is the container's own.
    const mapped = linux.namespaces.some(({ type }) => type === "user");
    linux.sysctl = {
      "net.ipv4.ip_unprivileged_port_start": "0",
      ...!mapped && { "net.ipv4.ping_group_range": "0 2147483647" },
      ...linux.sysctl,
    };
  }
}

/** Whether the container gets a namespace that nobody had before. */
export function isNew(linux: Linux, type: LinuxNamespaceType): boolean {
  return linux.namespaces?.some((own) => own.type === type && own.path === undefined) ?? false;
}

function sameName(a: string, b: string): boolean {
  return a.slice(0, a.indexOf("=") + 1) === b.slice(0, b.indexOf("=") + 1);
}
