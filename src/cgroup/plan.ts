/**
 * What makes a cgroup with its limits, as data; nothing is done here.
 * @module
 */
import { SpecError } from "../spec/error.ts";
import type { LinuxNetwork, LinuxPids, LinuxRdma, LinuxResources } from "../spec/types.ts";
import { cpuSettings } from "./cpu.ts";
import { deviceProgram } from "./device_program.ts";
import { v1DeviceSettings } from "./devices.ts";
import {
  allHierarchies,
  cgroupDirectories,
  type CgroupHost,
  type CgroupJoin,
  checkCgroupPath,
  controllerDirectory,
  joinOf,
  whyMissing,
} from "./host.ts";
import { ioSettings } from "./io.ts";
import { hugepageSettings, type MemoryNow, memorySettings } from "./memory.ts";
import { inWords, type Setting } from "./setting.ts";

/** One write of a whole small file. */
export interface CgroupFile {
  /** Absolute. */
  path: string;
  content: string;
  /** What it does, in plain words that can follow "cannot": "limit memory to 1024 bytes". */
  label: string;
  /** What was asked for holds without this file: ENOENT is fine. */
  optional?: boolean;
  /** Nothing that was asked for hangs on it: any failure is fine. */
  mayFail?: boolean;
  /** Written instead where `path` does not exist. */
  otherwise?: CgroupFile;
  /** The parent's file whose content is taken, `path` being empty so far; `content` is "" then. */
  inheritFrom?: string;
}

/** What the container should find at /sys/fs/cgroup. */
export type CgroupMounts =
  /** A cgroup2 mount inside a cgroup namespace, or else a bind mount of `directory`. */
  | { kind: "unified"; directory: string }
  /** A tmpfs, and in it for each hierarchy a bind mount `name` of `source`, and links to it. */
  | { kind: "hierarchies"; hierarchies: { name: string; source: string; links: string[] }[] };

/** All there is to do for one cgroup, in this order: directories, files, devices, join. */
export interface CgroupPlan {
  /** Absolute, parents first; existing ones are fine. */
  directories: string[];
  files: CgroupFile[];
  join: CgroupJoin;
  /** v2: BPF_PROG_TYPE_CGROUP_DEVICE instructions, to be loaded and attached to `directory`. */
  devices?: { directory: string; program: Uint8Array };
  mounts: CgroupMounts;
}

/**
 * The plan for a new cgroup `path` ("/minictr/ID") with `linux.resources`.
 *
 * Device rules begin with none allowed, as soon as there is one; those every container needs are
 * the caller's to add. Without a mounted cgroup filesystem, and without limits, the plan is empty.
 * @throws SpecError for resources that make no sense, or that this cgroup version does not know
 * @throws Error for a limit whose controller is not available, with what to do about it
 */
export function planCgroup(
  host: CgroupHost,
  path: string,
  resources: LinuxResources = {},
): CgroupPlan {
  checkCgroupPath(path);
  const settings = settingsOf(host.version, resources);
  const deviceList = resources.devices ?? [];
  if (host.version === 1) settings.push(...v1DeviceSettings(deviceList));
  const limits = settings.map((setting) => fileOf(host, path, setting));
  const plan: CgroupPlan = {
    directories: cgroupDirectories(host, "/x").flatMap((directory) =>
      levels(path).map((level) => directory.slice(0, -"/x".length) + level)
    ),
    files: [
      ...(host.version === 2 ? enabling(host, path, settings) : inheriting(host, path, resources)),
      ...limits,
    ],
    join: joinOf(host, path),
    mounts: mountsOf(host, path),
  };
  if (host.version === 2 && host.unified !== undefined && deviceList.length > 0) {
    const directory = host.unified.mountPoint + path;
    plan.devices = { directory, program: deviceProgram(deviceList) };
  }
  return plan;
}

/** A live cgroup, as far as it bears on changing limits. */
export interface LimitsNow {
  memory: MemoryNow;
  /** v2: the first word of cpu.max. */
  cpuQuota: string;
}

/**
 * The writes that change a live cgroup to `resources`; device rules stay as they are.
 * @throws as {@link planCgroup}; also SpecError for memory.checkBeforeUpdate
 */
export function planUpdate(
  host: CgroupHost,
  path: string,
  resources: LinuxResources,
  now: LimitsNow,
): CgroupFile[] {
  checkCgroupPath(path);
  const settings = settingsOf(host.version, resources, now);
  const enable = host.version === 2 ? enabling(host, path, settings) : [];
  return [...enable, ...settings.map((setting) => fileOf(host, path, setting))];
}

/** All but devices. A raw `unified` entry has the last word. */
function settingsOf(version: 1 | 2, resources: LinuxResources, now?: LimitsNow): Setting[] {
  const { memory, cpu, pids, blockIO, hugepageLimits, network, rdma, unified } = resources;
  return [
    ...(cpu ? cpuSettings(version, cpu, now?.cpuQuota) : []),
    ...(pids ? pidsSettings(pids) : []),
    ...(blockIO ? ioSettings(version, blockIO) : []),
    ...(hugepageLimits ? hugepageSettings(version, hugepageLimits) : []),
    ...(network ? networkSettings(version, network) : []),
    ...(rdma ? rdmaSettings(rdma) : []),
    // Late, for what is done before may need memory itself.
    ...(memory ? memorySettings(version, memory, now?.memory) : []),
    ...(unified ? unifiedSettings(version, unified) : []),
  ];
}

/** pids.max; 0, which would be a cgroup without any process, is taken for 1 as runc does. */
function pidsSettings({ limit }: LinuxPids): Setting[] {
  if (limit === undefined) return [];
  const content = limit < 0 ? "max" : String(Math.max(limit, 1));
  const label = `limit processes to ${inWords(limit, "processes and threads")}`;
  return [{ controller: "pids", file: "pids.max", content, label }];
}

/** net_cls and net_prio; the kernel's cgroup-v1/net_cls.rst and net_prio.rst. */
function networkSettings(version: 1 | 2, { classID, priorities = [] }: LinuxNetwork): Setting[] {
  const settings: Setting[] = priorities.map(({ name, priority }) => ({
    controller: "net_prio",
    file: "net_prio.ifpriomap",
    content: `${name} ${priority}`,
    label: `set the priority of packets to "${name}" to ${priority}`,
  }));
  if (classID !== undefined) {
    const label = `mark packets with class ${classID}`;
    const content = String(classID);
    settings.push({ controller: "net_cls", file: "net_cls.classid", content, label });
  }
  if (version === 2 && settings.length > 0) {
    throw new SpecError("linux.resources.network", "cgroup v2 has no such setting; use nftables");
  }
  return settings;
}

/** rdma.max, one device a write; the kernel's cgroup-v1/rdma.rst. */
function rdmaSettings(devices: Record<string, LinuxRdma>): Setting[] {
  return Object.entries(devices).flatMap(([device, { hcaHandles, hcaObjects }]) => {
    const handles = hcaHandles === undefined ? "" : ` hca_handle=${hcaHandles}`;
    const objects = hcaObjects === undefined ? "" : ` hca_object=${hcaObjects}`;
    if (handles === "" && objects === "") return [];
    const limits = handles + objects;
    return [{
      controller: "rdma",
      file: "rdma.max",
      content: device + limits,
      label: `limit RDMA device "${device}" to${limits}`,
    }];
  });
}

/** `linux.resources.unified`: file names of cgroup v2 and what is written to them, unchanged. */
function unifiedSettings(version: 1 | 2, unified: Record<string, string>): Setting[] {
  return Object.entries(unified).map(([file, content]) => {
    const field = `linux.resources.unified["${file}"]`;
    if (version === 1) throw new SpecError(field, "this host has cgroup v1; use its own settings");
    const [controller, ...rest] = file.split(".");
    if (controller === undefined || controller === "" || rest.length === 0 || file.includes("/")) {
      throw new SpecError(field, "this is not the name of a controller's file, as memory.high");
    }
    const label = `set ${file} to "${content}"`;
    return { controller, file, content, label };
  });
}

/** @throws Error where the setting's controller is not available here */
function fileOf(host: CgroupHost, path: string, setting: Setting): CgroupFile {
  const { controller, file, content, label, optional, otherwise } = setting;
  const directory = controllerDirectory(host, controller, path);
  // cgroup.* files belong to no controller.
  const missing = controller !== "cgroup" && !host.controllers.includes(controller);
  if (directory === undefined || missing) {
    throw new Error(`cannot ${label}: ${whyMissing(host, controller)}`);
  }
  const result: CgroupFile = { path: `${directory}/${file}`, content, label };
  if (optional) result.optional = true;
  if (otherwise) result.otherwise = fileOf(host, path, otherwise);
  return result;
}

/** "/a/b" -> "/a", "/a/b". */
function levels(path: string): string[] {
  const parts = path.split("/").slice(1);
  return parts.map((_, i) => "/" + parts.slice(0, i + 1).join("/"));
}

/** What `stats` shows depends on these, limits or not. */
const statistics = ["cpu", "io", "memory", "pids"];

/** cgroup.subtree_control of each ancestor, top down, as children get only what parents pass on. */
function enabling(host: CgroupHost, path: string, settings: Setting[]): CgroupFile[] {
  const needed = new Set(settings.map(({ controller }) => controller));
  needed.delete("cgroup");
  const wanted = statistics.filter((c) => host.controllers.includes(c) && !needed.has(c));
  const root = host.unified?.mountPoint ?? "";
  return ["", ...levels(path).slice(0, -1)].flatMap((level) => {
    const on = (controllers: Iterable<string>): string[] =>
      [...controllers].filter((c) => level !== "" || !host.enabled.includes(c));
    return [
      ...enable(root + level, on(needed)),
      ...enable(root + level, on(wanted)).map((file) => ({ ...file, mayFail: true })),
    ];
  });
}

function enable(directory: string, controllers: string[]): CgroupFile[] {
  if (controllers.length === 0) return [];
  return [{
    path: `${directory}/cgroup.subtree_control`,
    content: controllers.map((controller) => `+${controller}`).join(" "),
    label: `enable ${controllers.join(", ")} below "${directory}"`,
  }];
}

/** v1: no process can enter a cpuset without CPUs and memory nodes, and a new one has none. */
function inheriting(host: CgroupHost, path: string, { cpu }: LinuxResources): CgroupFile[] {
  const root = host.hierarchies.find((h) => h.controllers.includes("cpuset"))?.mountPoint;
  if (root === undefined) return [];
  return levels(path).flatMap((level) => {
    const parent = root + level.slice(0, level.lastIndexOf("/"));
    const own = (file: string) => level === path && Boolean(cpu?.[file === "cpus" ? file : "mems"]);
    return ["cpus", "mems"].filter((file) => !own(file)).map((file) => ({
      path: `${root}${level}/cpuset.${file}`,
      content: "",
      label: `take cpuset.${file} over from the parent`,
      inheritFrom: `${parent}/cpuset.${file}`,
    }));
  });
}

function mountsOf(host: CgroupHost, path: string): CgroupMounts {
  if (host.version === 2 && host.unified !== undefined) {
    return { kind: "unified", directory: host.unified.mountPoint + path };
  }
  const hierarchies = allHierarchies(host).map(({ controllers, mountPoint }) => {
    const name = mountPoint.slice(mountPoint.lastIndexOf("/") + 1);
    const links = controllers.filter((c) => c !== name && !c.startsWith("name="));
    return { name, source: mountPoint + path, links };
  });
  return { kind: "hierarchies", hierarchies };
}
