/** The controllers of cgroups: where each is, and whether a limit of it can be set. */
import { AT_FDCWD, O_CLOEXEC, O_WRONLY } from "../../ffi/mod.ts";
import { type CgroupHost, whyMissing } from "../cgroup/mod.ts";
import { type Finding, lack, ok, type Probe, refused, skip } from "./check.ts";
import type { Host } from "./host.ts";
import { opened, writeText } from "./trial.ts";

/** A file of the throw-away cgroup and what is written to it; "=" keeps what is in the parent's. */
type Limit = readonly [file: string, content: string];

interface Controller {
  readonly name: string;
  /** In version 1, where it differs. */
  readonly v1Name?: string;
  readonly v1?: Limit;
  /** Absent: version 2 has no such controller. */
  readonly v2?: Limit;
  /** Without it, these do not work. */
  readonly lost: string;
  /** Seldom used: nothing is amiss when the kernel does not have it. */
  readonly rare?: true;
  /** With version 1 no container starts without it. */
  readonly essentialInV1?: true;
}

const GIB = String(1024 ** 3);

/** An empty content: the file only has to be there. */
const CONTROLLERS: readonly Controller[] = [
  {
    name: "memory",
    v1: ["memory.limit_in_bytes", GIB],
    v2: ["memory.max", GIB],
    lost: "--memory, --memory-swap, --memory-reservation and the memory column of stats",
  },
  {
    name: "cpu",
    v1: ["cpu.cfs_quota_us", "50000"],
    v2: ["cpu.max", "50000 100000"],
    lost: "--cpus, --cpu-quota, --cpu-period and --cpu-shares",
  },
  {
    name: "cpuset",
    v1: ["cpuset.cpus", "="],
    v2: ["cpuset.cpus", ""],
    lost: "--cpuset-cpus and --cpuset-mems",
  },
  { name: "pids", v1: ["pids.max", "100"], v2: ["pids.max", "100"], lost: "--pids-limit" },
  {
    name: "io",
    v1Name: "blkio",
    v1: ["blkio.throttle.read_bps_device", ""],
    v2: ["io.max", ""],
    lost: "--blkio-weight, --device-read-bps and its like",
  },
  {
    name: "hugetlb",
    v1: ["hugetlb.2MB.limit_in_bytes", ""],
    v2: ["hugetlb.2MB.max", ""],
    lost: "limits on huge pages (linux.resources.hugepageLimits)",
    rare: true,
  },
  {
    name: "rdma",
    v1: ["rdma.max", ""],
    v2: ["rdma.max", ""],
    lost: "limits on RDMA (linux.resources.rdma)",
    rare: true,
  },
  {
    name: "devices",
    v1: ["devices.list", ""],
    lost: "starting any container: it could reach the host's disks",
    essentialInV1: true,
  },
  { name: "freezer", v1: ["freezer.state", "THAWED"], lost: "pause and unpause" },
  { name: "cpuacct", v1: ["cpuacct.usage", ""], lost: "the CPU column of stats" },
  {
    name: "net_cls",
    v1: ["net_cls.classid", "1"],
    lost: "marking packets (linux.resources.network.classID)",
    rare: true,
  },
  {
    name: "net_prio",
    v1: ["net_prio.prioidx", ""],
    lost: "priorities of packets (linux.resources.network.priorities)",
    rare: true,
  },
];

/** One probe for each controller. */
export function controllerProbes(): Probe[] {
  return CONTROLLERS.map((controller) => {
    const { name, v1Name, v2, lost } = controller;
    const also = v1Name === undefined ? "" : ` (${v1Name} in version 1)`;
    return {
      id: `controller-${name.replace("_", "-")}`,
      what: `controller ${name}${also}`,
      how:
        "Looks where it is mounted, or in which cgroup.subtree_control it is, and sets a limit " +
        `of it in the throw-away cgroup${v2 === undefined ? "; version 1 only" : ""}`,
      consequence: `Without it these do not work: ${lost}`,
      remedy: "cgroup v1: mount it. cgroup v2: write its name with a + into the parents' " +
        "cgroup.subtree_control, or have systemd do that (Delegate=yes)",
      root: true,
      ...controller.essentialInV1 ? { essential: true } : {},
      look: (host) => lookAt(host, controller),
    };
  });
}

function lookAt(host: Host, controller: Controller): Finding {
  const { version, hierarchies } = host.cgroups;
  if (version === 2) return lookV2(host, controller);
  // To mount all of version 1 is no remedy for that: it is to mount version 2.
  if (hierarchies.length === 0) return skip("not tried: no cgroup filesystem is mounted");
  return lookV1(host, controller);
}

/** What {@link whyMissing} says, its remedy apart. */
function missing(cgroups: CgroupHost, name: string, rare: boolean): Finding {
  const [found = "", ...remedy] = whyMissing(cgroups, name).split("; ");
  const inKernel = cgroups.known[name === "io" ? "blkio" : name] !== undefined;
  if (rare && !inKernel) return skip(`${found} (seldom needed)`);
  return lack(found, remedy.join("; ").replace(/^mount it: /, ""));
}

function lookV1(host: Host, { name, v1Name = name, v1, rare }: Controller): Finding {
  const { cgroups, cgroup: { path, failures } } = host;
  const hierarchy = cgroups.hierarchies.find(({ controllers }) => controllers.includes(v1Name));
  if (!hierarchy) return missing(cgroups, v1Name, rare ?? false);
  const { mountPoint, own, root } = hierarchy;
  const directory = mountPoint + path;
  const part = root === "/" ? "" : ` (of the tree only "${root}")`;
  const where = `mounted on "${mountPoint}"${part}, this is in "${own}"`;
  const failure = failures.get(directory);
  if (failure !== undefined) {
    return lack(
      `${where}, but no cgroup can be made there: ${failure}`,
      `mount -o remount,rw ${mountPoint}`,
    );
  }
  return v1 ? setLimit(host, where, directory, mountPoint, v1) : ok(where);
}

function lookV2(host: Host, controller: Controller): Finding {
  const { name, v2, rare } = controller;
  const { cgroups, cgroup: { path, failures } } = host;
  if (!v2) return skip("version 2 needs no such controller");
  const root = cgroups.unified?.mountPoint ?? "";
  if (!cgroups.controllers.includes(name)) return missing(cgroups, name, rare ?? false);
  const file = `${root}/cgroup.subtree_control`;
  if (!cgroups.enabled.includes(name)) return notEnabled(host, root, name);
  const failure = failures.get(root + path);
  if (failure !== undefined) {
    return lack(`no cgroup can be made: ${failure}`, `mount -o remount,rw ${root}`);
  }
  const where = `enabled in "${file}"${belowMinictr(host, root, name)}`;
  return setLimit(host, where, root + path, root, v2);
}

/** What the second level says, the parent of all containers' cgroups, which minictr makes. */
function belowMinictr(host: Host, root: string, name: string): string {
  const control = host.text(`${root}/minictr/cgroup.subtree_control`);
  if (control === undefined) return "";
  const not = control.split(" ").includes(name) ? "" : " not yet";
  return ` and${not} in "${root}/minictr/cgroup.subtree_control"`;
}

/** Offered, but not passed on to children: whether minictr will be able to write that. */
function notEnabled(host: Host, root: string, name: string): Finding {
  const file = `${root}/cgroup.subtree_control`;
  const found = `in "${root}/cgroup.controllers", not in "${file}"`;
  const enable = `echo +${name} > ${file}`;
  try {
    using _ = opened("openat", AT_FDCWD, file, O_WRONLY | O_CLOEXEC, 0);
  } catch (error) {
    return lack(`${found}, which this process may not write: ${refused(error).found}`, enable);
  }
  // The root of the hierarchy has no cgroup.type, and may have processes; cgroups(7).
  const isRoot = host.text(`${root}/cgroup.type`) === undefined;
  if (isRoot || host.text(`${root}/cgroup.procs`) === "") {
    return ok(`${found} yet: minictr writes "+${name}" there when a limit needs it`);
  }
  const move = `mkdir ${root}/init; for p in $(cat ${root}/cgroup.procs); do ` +
    `echo $p > ${root}/init/cgroup.procs; done; ${enable}`;
  return lack(`${found}, and "${root}" has processes of its own (EBUSY)`, move);
}

function setLimit(
  host: Host,
  where: string,
  directory: string,
  parent: string,
  [name, wanted]: Limit,
): Finding {
  const file = `${directory}/${name}`;
  const isThere = name.startsWith("hugetlb.") ? hasHugePages(directory) : exists(file);
  if (!isThere) return lack(`${where}, but there is no "${file}"`);
  if (wanted === "") return ok(where);
  const content = wanted === "=" ? host.text(`${parent}/${name}`) ?? "" : wanted;
  try {
    writeText(file, content);
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error));
    return lack(`${where}, but "${content}" could not be written to "${file}": ${message}`);
  }
  return ok(`${where}; ${name} was set`);
}

/** Their sizes differ from machine to machine: hugetlb.2MB.max, hugetlb.64KB.max. */
function hasHugePages(directory: string): boolean {
  return [...Deno.readDirSync(directory)].some(({ name }) => name.startsWith("hugetlb."));
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch {
    return false;
  }
}
