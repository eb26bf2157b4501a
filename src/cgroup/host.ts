/**
 * What control groups this host offers, and where; cgroups(7).
 * @module
 */
import { SpecError } from "../spec/error.ts";

/** One cgroup filesystem that is mounted. */
export interface Hierarchy {
  /** Bound controllers, as ["cpu", "cpuacct"], or ["name=systemd"]; none of its own for cgroup2. */
  controllers: string[];
  /** Where it is mounted, "/sys/fs/cgroup/memory". */
  mountPoint: string;
  /** The cgroup that is seen at `mountPoint`: "/" but for a bind mount of a part of the tree. */
  root: string;
  /** The calling process's own cgroup, as /proc/self/cgroup names it. */
  own: string;
}

/** The host's cgroups. Without any mounted cgroup filesystem: version 1 with no hierarchy. */
export interface CgroupHost {
  /** 2 where all controllers are in the unified hierarchy; a hybrid host counts as 1. */
  version: 1 | 2;
  /** The mounted hierarchies of version 1, those with a name only included; empty in version 2. */
  hierarchies: Hierarchy[];
  /** The mounted cgroup2: all of version 2, and beside version 1 on a hybrid host. */
  unified?: Hierarchy;
  /** What limits can be set here: of mounted hierarchies (1), of cgroup.controllers (2). */
  controllers: string[];
  /** Version 2: what cgroup.subtree_control of `unified` has on already. */
  enabled: string[];
  /** Known to the kernel, from /proc/cgroups; false: disabled at boot (cgroup_disable=). */
  known: Record<string, boolean>;
}

/** How a process gets into a cgroup. */
export type CgroupJoin =
  /**
   * Its only thread writes "0" to each of these `tasks`, in this order; on a hybrid host it is born
   * in the cgroup2 directory `born`, as with "into".
   *
   * A write to cgroup.procs would wait for all processors to pass a grace period, some 10 ms: whole
   * thread groups are moved under a lock that forks and exits read. A thread that moves itself needs
   * no such lock since Linux 5.5.
   */
  | { kind: "tasks"; paths: string[]; born?: string }
  /** clone3(2) with CLONE_INTO_CGROUP and a descriptor of this directory. */
  | { kind: "into"; directory: string };

/** The texts that {@link parseCgroupHost} reads; an empty one stands for a missing file. */
export interface CgroupTexts {
  mountinfo: string;
  selfCgroup: string;
  cgroups: string;
}

/**
 * Reads {@link CgroupHost} from proc(5)'s texts. `readUnified` is asked for "cgroup.controllers"
 * and "cgroup.subtree_control" at the mount point of cgroup2.
 */
export function parseCgroupHost(
  texts: CgroupTexts,
  readUnified: (path: string) => string,
): CgroupHost {
  const own = parseSelfCgroup(texts.selfCgroup);
  const hierarchies: Hierarchy[] = [];
  let unified: Hierarchy | undefined;
  for (const mount of cgroupMounts(texts.mountinfo)) {
    const { mountPoint, root } = mount;
    if (mount.type === "cgroup2") {
      unified ??= { controllers: [], mountPoint, root, own: own.get("") ?? "/" };
      continue;
    }
    const controllers = own.controllersAmong(mount.options);
    const key = controllers[0];
    // A second mount of a hierarchy, as inside another container's root, adds nothing.
    if (key === undefined || hierarchies.some((h) => h.controllers.includes(key))) continue;
    hierarchies.push({ controllers, mountPoint, root, own: own.get(key) ?? "/" });
  }
  const bound = hierarchies.flatMap((h) => h.controllers).filter((c) => !c.startsWith("name="));
  const known = parseProcCgroups(texts.cgroups);
  const version = unified !== undefined && bound.length === 0 ? 2 : 1;
  if (unified === undefined || version === 1) {
    const host: CgroupHost = { version: 1, hierarchies, controllers: bound, enabled: [], known };
    if (unified !== undefined) host.unified = unified;
    return host;
  }
  return {
    version,
    hierarchies: [],
    unified,
    controllers: words(readUnified(`${unified.mountPoint}/cgroup.controllers`)),
    enabled: words(readUnified(`${unified.mountPoint}/cgroup.subtree_control`)),
    known,
  };
}

/** The calling process's {@link CgroupHost}; a file that is not there counts as empty. */
export function readCgroupHost(): CgroupHost {
  return parseCgroupHost({
    mountinfo: textOf("/proc/self/mountinfo"),
    selfCgroup: textOf("/proc/self/cgroup"),
    cgroups: textOf("/proc/cgroups"),
  }, textOf);
}

/**
 * Refuses what would limit or remove other cgroups than one's own.
 * @throws SpecError for a path that is not absolute, is "/", or has "", "." or ".." in it
 */
export function checkCgroupPath(path: string): void {
  const [first, ...parts] = path.split("/");
  const plain = (part: string) => part !== "" && part !== "." && part !== "..";
  if (first === "" && parts.length > 0 && parts.every(plain)) return;
  throw new SpecError("linux.cgroupsPath", `"${path}" is not an absolute path of plain names`);
}

/**
 * The path within the hierarchies for config.json's `linux.cgroupsPath`.
 *
 * Absent: "/minictr/ID". "slice:prefix:name", systemd's notation, becomes the directory systemd
 * would choose: "a-b.slice:docker:ID" is "/a.slice/a-b.slice/docker-ID.scope". A relative path is
 * taken below "/minictr".
 * @throws SpecError as {@link checkCgroupPath}
 */
export function cgroupPath(cgroupsPath: string | undefined, id: string): string {
  const path = chosenPath(cgroupsPath ?? "", id);
  checkCgroupPath(path);
  return path;
}

function chosenPath(path: string, id: string): string {
  if (path === "") return `/minictr/${id}`;
  if (path.startsWith("/")) return path.replace(/\/+$/, "");
  const [slice, prefix, name, ...rest] = path.split(":");
  if (slice !== undefined && prefix !== undefined && name !== undefined && rest.length === 0) {
    const unit = name.endsWith(".slice")
      ? name
      : prefix === ""
      ? `${name}.scope`
      : `${prefix}-${name}.scope`;
    return `${sliceDirectory(slice === "" ? "system.slice" : slice)}/${unit}`;
  }
  return `/minictr/${path}`;
}

/** systemd.slice(5): "a-b-c.slice" lies in "a-b.slice", which lies in "a.slice". */
function sliceDirectory(slice: string): string {
  if (slice === "-.slice") return "";
  const parts = slice.replace(/\.slice$/, "").split("-");
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join("-")}.slice`).join("");
}

/** All hierarchies a process is put into: those of version 1, then cgroup2. */
export function allHierarchies(host: CgroupHost): Hierarchy[] {
  return host.unified === undefined ? host.hierarchies : [...host.hierarchies, host.unified];
}

/** How a process gets into the existing cgroup `path`, as for `exec`. */
export function joinOf(host: CgroupHost, path: string): CgroupJoin {
  checkCgroupPath(path);
  const { version, hierarchies, unified } = host;
  const born = unified && unified.mountPoint + path;
  if (version === 2 && born !== undefined) return { kind: "into", directory: born };
  const paths = hierarchies.map(({ mountPoint }) => `${mountPoint}${path}/tasks`);
  return born === undefined ? { kind: "tasks", paths } : { kind: "tasks", paths, born };
}

/** The directories of the cgroup `path`, one per hierarchy: those that removal must rmdir. */
export function cgroupDirectories(host: CgroupHost, path: string): string[] {
  checkCgroupPath(path);
  return allHierarchies(host).map((hierarchy) => hierarchy.mountPoint + path);
}

/** Where the files of `controller` are for the cgroup `path`; undefined where it is not to be had. */
export function controllerDirectory(
  host: CgroupHost,
  controller: string,
  path: string,
): string | undefined {
  if (host.version === 2) return host.unified && host.unified.mountPoint + path;
  const hierarchy = host.hierarchies.find((h) => h.controllers.includes(controller));
  return hierarchy && hierarchy.mountPoint + path;
}

/** In words, why a controller cannot be used, and what would make it usable. */
export function whyMissing(host: CgroupHost, controller: string): string {
  const known = host.known[controller === "io" ? "blkio" : controller];
  const subject = `the cgroup controller "${controller}"`;
  if (known === false) return `${subject} is disabled; boot without cgroup_disable=${controller}`;
  if (host.version === 2) {
    const file = `${host.unified?.mountPoint}/cgroup.controllers`;
    return `${subject} is not in "${file}"; have the parent cgroup delegate it (in a systemd ` +
      "unit: Delegate=yes), and unmount it where it is in use as cgroup v1";
  }
  if (known === undefined) return `${subject} is not in this kernel; do without this limit`;
  const directory = `/sys/fs/cgroup/${controller}`;
  return `${subject} is not mounted; mount it: mkdir ${directory} && ` +
    `mount -t cgroup -o ${controller} cgroup ${directory}`;
}

interface CgroupMount {
  type: string;
  mountPoint: string;
  root: string;
  options: string[];
}

/** Lines as `31 23 0:28 / /sys/fs/cgroup rw - cgroup cgroup rw,memory`; proc_pid_mountinfo(5). */
function cgroupMounts(mountinfo: string): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of mountinfo.split("\n")) {
    const dash = line.indexOf(" - cgroup");
    if (dash === -1) continue;
    const [, , , root, mountPoint] = line.slice(0, dash).split(" ");
    const [type, , options] = line.slice(dash + 3).split(" ");
    if (root === undefined || mountPoint === undefined || type === undefined) continue;
    mounts.push({
      type,
      mountPoint: unescape(mountPoint),
      root: unescape(root),
      options: (options ?? "").split(","),
    });
  }
  return mounts;
}

/** Blanks, tabs, newlines and backslashes are octal in mountinfo. */
function unescape(text: string): string {
  return text.includes("\\")
    ? text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))
    : text;
}

/** Which cgroup the process is in, by controller or "name=…"; "" is the unified hierarchy. */
interface OwnCgroups {
  get(controller: string): string | undefined;
  /** Mount options name controllers among others ("rw", "xattr"); this tells which they are. */
  controllersAmong(options: string[]): string[];
}

/** Lines as `4:cpu,cpuacct:/path`; cgroups(7). */
function parseSelfCgroup(text: string): OwnCgroups {
  const own = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, ...path] = line.split(":");
    if (controllers === undefined) continue;
    // The path may hold colons itself.
    for (const controller of controllers.split(",")) own.set(controller, path.join(":"));
  }
  return {
    get: (controller) => own.get(controller),
    controllersAmong: (options) => options.filter((option) => option !== "" && own.has(option)),
  };
}

/** Lines as `memory 4 19 1`: name, hierarchy, number of cgroups, enabled. */
function parseProcCgroups(text: string): Record<string, boolean> {
  const known: Record<string, boolean> = {};
  for (const line of text.split("\n")) {
    const [name, , , enabled] = line.split("\t");
    if (name && enabled !== undefined && !name.startsWith("#")) known[name] = enabled === "1";
  }
  return known;
}

function words(text: string): string[] {
  return text.trim() === "" ? [] : text.trim().split(" ");
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
