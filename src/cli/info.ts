import { readCgroupHost } from "../cgroup/host.ts";
import { knownContainers, type Status, statusOf } from "../container/list.ts";
import { type Roots, rootsBelow } from "../container/mod.ts";
import { listRootfs } from "../image/mod.ts";
import { type Grammar, parseCommandLine } from "./grammar.ts";
import { helpText } from "./help.ts";
import { TEXT_OR_JSON, VERSION } from "./version.ts";

/** `info` */
export const INFO = {
  command: "info",
  operands: "",
  summary: "Print what is kept here, and what the host is",
  examples: [
    ["minictr info", "for people"],
    ["minictr info --format json | jq .CgroupVersion", "for programs, in docker's words"],
  ],
  groups: [{
    name: "info",
    title: "Options",
    flags: [TEXT_OR_JSON],
  }],
} as const satisfies Grammar;

/** In place of a count, for a user who may not read what is counted. */
const UNSEEN = "only root can see them: `sudo minictr info`";

/** What `minictr info --format json` prints; the names are docker's. */
export interface Info {
  /** These four are null without leave to read the directories of containers. */
  Containers: number | null;
  ContainersRunning: number | null;
  ContainersPaused: number | null;
  ContainersStopped: number | null;
  /** Root filesystems in the store; null as above. */
  Images: number | null;
  Driver: string;
  /** The directory of all that lasts. */
  RootDir: string;
  /** Of what a reboot may lose. */
  StateDir: string;
  CgroupDriver: string;
  /** "1", "2", or "1 (hybrid)". */
  CgroupVersion: string;
  CgroupControllers: string[];
  SecurityOptions: string[];
  ServerVersion: string;
  KernelVersion: string;
  /** os-release(5)'s PRETTY_NAME. */
  OperatingSystem: string;
  OSType: string;
  Architecture: string;
  NCPU: number;
  /** Bytes. */
  MemTotal: number;
  /** The host's name. */
  Name: string;
}

/** `minictr info`: docker's words for what is kept here, and for the host. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseCommandLine(INFO, args);
  if (help) {
    console.log(helpText(INFO));
    return 0;
  }
  // `info NAME` is what some engines call `inspect NAME`.
  if (operands.length > 0) return await (await import("./inspect.ts")).run(args, root);
  const info = read(rootsBelow(root));
  console.log(flags.format === "json" ? JSON.stringify(info) : text(info));
  return 0;
}

function read(roots: Roots): Info {
  const cgroups = readCgroupHost();
  const isHybrid = cgroups.version === 1 && cgroups.unified !== undefined;
  return {
    ...countContainers(roots),
    Images: ifVisible(() => listRootfs(roots.data).length) ?? null,
    Driver: "overlay",
    RootDir: roots.data,
    StateDir: roots.run,
    CgroupDriver: "cgroupfs",
    CgroupVersion: `${cgroups.version}${isHybrid ? " (hybrid)" : ""}`,
    CgroupControllers: cgroups.controllers,
    SecurityOptions: ["name=seccomp,profile=builtin", "name=cgroupns"],
    ServerVersion: VERSION,
    KernelVersion: Deno.osRelease(),
    OperatingSystem: operatingSystem(),
    OSType: Deno.build.os,
    Architecture: Deno.build.arch,
    NCPU: navigator.hardwareConcurrency,
    MemTotal: Deno.systemMemoryInfo().total,
    Name: Deno.hostname(),
  };
}

function countContainers(roots: Roots) {
  const all = ifVisible(() => knownContainers(roots));
  const statuses = all?.map((known) => statusOf(roots, known));
  const count = (...wanted: Status[]) =>
    statuses?.filter((status) => wanted.includes(status)).length ?? null;
  return {
    Containers: statuses?.length ?? null,
    ContainersRunning: count("running", "restarting"),
    ContainersPaused: count("paused"),
    ContainersStopped: count("created", "exited", "dead"),
  };
}

function operatingSystem(): string {
  try {
    const release = Deno.readTextFileSync("/etc/os-release");
    return /^PRETTY_NAME="?(.*?)"?$/m.exec(release)?.[1] ?? "Linux";
  } catch {
    return "Linux";
  }
}

/** What `read` returns; undefined where this user may not read it. */
function ifVisible<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}

function text(of: Info): string {
  const containers = of.Containers === null ? [`Containers: ${UNSEEN}`] : [
    `Containers: ${of.Containers}`,
    ` Running: ${of.ContainersRunning}`,
    ` Paused: ${of.ContainersPaused}`,
    ` Stopped: ${of.ContainersStopped}`,
  ];
  return [
    ...containers,
    `Root filesystems: ${of.Images ?? UNSEEN}`,
    `Version: ${of.ServerVersion}`,
    `Storage Driver: ${of.Driver}`,
    `Root Dir: ${of.RootDir}`,
    `State Dir: ${of.StateDir}`,
    `Cgroup Driver: ${of.CgroupDriver}`,
    `Cgroup Version: ${of.CgroupVersion}`,
    `Cgroup Controllers: ${of.CgroupControllers.join(" ")}`,
    `Security Options: ${of.SecurityOptions.join(" ")}`,
    `Kernel Version: ${of.KernelVersion}`,
    `Operating System: ${of.OperatingSystem}`,
    `Architecture: ${of.Architecture}`,
    `CPUs: ${of.NCPU}`,
    `Total Memory: ${(of.MemTotal / 2 ** 30).toFixed(2)}GiB`,
    `Name: ${of.Name}`,
  ].join("\n");
}
