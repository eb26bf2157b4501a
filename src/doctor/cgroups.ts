/** Control groups: their version, what can be made, and what minictr does with them. */
import { AT_FDCWD, O_RDONLY } from "../../ffi/mod.ts";
import {
  allHierarchies,
  freeze,
  isFrozen,
  planCgroup,
  thaw,
  writeCgroupFile,
} from "../cgroup/mod.ts";
import { attachProgram } from "../plan/mod.ts";
import { call } from "../plan/step.ts";
import { type Finding, type Group, lack, ok, type Probe, refused, skip, warn } from "./check.ts";
import { controllerProbes } from "./controllers.ts";
import type { Host } from "./host.ts";
import { type TrialOptions, writeText } from "./trial.ts";

const FREEZE_LIMIT_MS = 3_000;
const MOUNT = "mount -t cgroup2 cgroup2 /sys/fs/cgroup";

export const CGROUPS: Group = {
  title: "Control groups",
  probes: [
    {
      id: "cgroup-version",
      what: "cgroup version",
      how: "Looks in /proc/self/mountinfo for cgroup and cgroup2 filesystems",
      consequence:
        "No container starts without any; with version 1, --cgroup-conf and delegation " +
        "to users other than root do not work",
      remedy: MOUNT,
      essential: true,
      look: version,
    },
    {
      id: "cgroup-create",
      what: "making a cgroup",
      how: "Makes one in each hierarchy, and removes it after all checks",
      consequence: "No container starts",
      remedy: "mount -o remount,rw /sys/fs/cgroup",
      essential: true,
      root: true,
      look: createEverywhere,
    },
    ...controllerProbes(),
    {
      id: "device-rules",
      what: "rules for devices",
      how: "Forbids all devices in the throw-away cgroup (devices.deny, or with cgroup2 an eBPF " +
        "program), and a child in it cannot open /dev/null",
      consequence: "No container starts: it could reach the host's disks",
      remedy: "cgroup v1: see the controller devices. cgroup v2: boot a kernel with " +
        "CONFIG_CGROUP_BPF and CONFIG_BPF_SYSCALL, and run as root with CAP_BPF or CAP_SYS_ADMIN",
      essential: true,
      root: true,
      look: withCgroup(deviceRules),
    },
    {
      id: "clone-into-cgroup",
      what: "starting within a cgroup",
      how: "A throw-away child is born in the throw-away cgroup of cgroup2, clone3(2) with " +
        "CLONE_INTO_CGROUP",
      consequence: "With cgroup v2 no container starts; version 1 does without",
      remedy: "Boot Linux 5.7 or later",
      essential: true,
      root: true,
      look: withCgroup(bornInside),
    },
    {
      id: "cgroup-kill",
      what: "cgroup.kill",
      how: "Writes it for the throw-away cgroup with a child in it, which dies",
      consequence: "Containers are killed process by process, which a fork bomb makes slow",
      remedy: "Boot Linux 5.14 or later, with cgroup2 mounted",
      root: true,
      look: withCgroup(killAtOnce),
    },
    {
      id: "freezer",
      what: "freezing",
      how: "Freezes the throw-away cgroup with a child in it, and thaws it",
      consequence: "pause and unpause do not work",
      remedy: "cgroup v1: see the controller freezer. cgroup v2: boot Linux 5.2 or later",
      root: true,
      look: withCgroup(freezing),
    },
    {
      id: "swap-accounting",
      what: "counting swap",
      how: "Looks for memory.swap.max, or memory.memsw.limit_in_bytes, in the throw-away cgroup",
      consequence: "--memory-swap does not work: containers swap as they like",
      remedy: "Boot with swapaccount=1, on a kernel with CONFIG_SWAP",
      root: true,
      look: withCgroup(swapAccounting),
    },
    {
      id: "pressure",
      what: "pressure",
      how: "Reads memory.pressure of the throw-away cgroup",
      consequence: "stats shows no pressure (PSI)",
      remedy: "Boot with psi=1, with cgroup2 mounted",
      root: true,
      look: withCgroup(pressure),
    },
  ],
};

function version({ cgroups }: Host): Finding {
  const { unified, hierarchies } = cgroups;
  if (cgroups.version === 2) {
    return ok(`version 2, mounted on "${unified?.mountPoint}"; this is in "${unified?.own}"`);
  }
  if (hierarchies.length === 0) return lack("none is mounted");
  const beside = unified ? `; version 2 without controllers on "${unified.mountPoint}"` : "";
  return ok(`version 1, ${hierarchies.length} hierarchies${beside}`);
}

function createEverywhere(host: Host): Finding {
  const { path, failures } = host.cgroup;
  const all = allHierarchies(host.cgroups);
  if (all.length === 0) return lack("no cgroup filesystem is mounted", MOUNT);
  const [first] = failures;
  if (!first) return ok(`"${path}" was made in ${all.length === 1 ? "it" : `all ${all.length}`}`);
  const [directory, message] = first;
  const mount = directory.slice(0, -path.length);
  return lack(
    `"${directory}": ${message}`,
    `mount -o remount,rw ${mount}, or run as root where it is delegated`,
  );
}

/** Where no cgroup could be made, what was to be tried in it is not amiss for all one knows. */
function withCgroup(look: Probe["look"]): Probe["look"] {
  return (host) =>
    host.cgroup.failures.size > 0 || allHierarchies(host.cgroups).length === 0
      ? skip("not tried: no throw-away cgroup could be made")
      : look(host);
}

/** How a child gets into the throw-away cgroup: born there with cgroup2, moved with version 1. */
function inside(host: Host, controller: string): TrialOptions | undefined {
  const { cgroups, cgroup: { path } } = host;
  const v1 = cgroups.hierarchies.find(({ controllers }) => controllers.includes(controller));
  if (v1) {
    const move = (pid: number) => writeText(`${v1.mountPoint}${path}/cgroup.procs`, `${pid}`);
    return { meanwhile: move };
  }
  return cgroups.unified ? { cgroup: cgroups.unified.mountPoint + path } : undefined;
}

function deviceRules(host: Host): Finding {
  const plan = planCgroup(host.cgroups, host.cgroup.path, { devices: [{ allow: false }] });
  for (const file of plan.files) if (file.path.endsWith("/devices.deny")) writeCgroupFile(file);
  const { error } = host.try([
    ...plan.devices ? attachProgram(plan.devices.directory, plan.devices.program) : [],
    call("openat", [AT_FDCWD, "/dev/null", O_RDONLY, 0]),
  ], inside(host, "devices"));
  if (error?.syscall === "openat" && error.code === "EPERM") {
    return ok(plan.devices ? "an eBPF program refused a device" : "devices.deny refused a device");
  }
  return error ? refused(error) : lack("a device could be opened all the same");
}

function bornInside(host: Host): Finding {
  const { unified, version } = host.cgroups;
  if (!unified) return skip("cgroup2 is not mounted, and not needed with version 1");
  const cgroup = unified.mountPoint + host.cgroup.path;
  let membership = "";
  const meanwhile = (pid: number) => membership = host.text(`/proc/${pid}/cgroup`) ?? "";
  try {
    host.try([], { cgroup, meanwhile });
  } catch (error) {
    const finding = refused(error);
    return version === 2 ? finding : warn(finding.found);
  }
  return membership.split("\n").some((line) => line.endsWith(host.cgroup.path))
    ? ok("a child was born in one")
    : lack(`the child was in "${membership}"`);
}

function killAtOnce(host: Host): Finding {
  const { unified } = host.cgroups;
  if (!unified) return skip("cgroup2 is not mounted");
  const cgroup = unified.mountPoint + host.cgroup.path;
  const file = `${cgroup}/cgroup.kill`;
  if (host.text(`${cgroup}/cgroup.procs`) === undefined) return lack(`there is no "${cgroup}"`);
  let problem: unknown;
  const meanwhile = () => {
    try {
      writeText(file, "1");
    } catch (error) {
      problem = error;
    }
  };
  const { died } = host.try([], { cgroup, meanwhile });
  if (problem !== undefined) return refused(problem);
  return died ? ok("a child was killed by it") : lack(`a child outlived it`);
}

function freezing(host: Host): Finding {
  const how = inside(host, "freezer");
  if (!how) return lack("neither the controller freezer nor cgroup2 is mounted");
  const { cgroups, cgroup: { path } } = host;
  let frozen = false;
  host.try([], {
    ...how,
    meanwhile: (pid) => {
      how.meanwhile?.(pid);
      try {
        freeze(cgroups, path, FREEZE_LIMIT_MS);
        frozen = isFrozen(cgroups, path);
      } finally {
        thaw(cgroups, path, FREEZE_LIMIT_MS);
      }
    },
  });
  return frozen ? ok("a child was frozen and thawed") : lack("the child was not frozen");
}

function swapAccounting(host: Host): Finding {
  const { cgroups, cgroup } = host;
  const v1 = cgroups.hierarchies.find(({ controllers }) => controllers.includes("memory"));
  const [mount, name] = v1
    ? [v1.mountPoint, "memory.memsw.limit_in_bytes"]
    : [cgroups.unified?.mountPoint, "memory.swap.max"];
  if (mount === undefined || !cgroups.controllers.includes("memory")) {
    return skip("there is no controller memory");
  }
  const directory = mount + cgroup.path;
  if (host.text(`${directory}/${name}`) !== undefined) return ok(`${name} is there`);
  if (cgroups.version === 2 && !cgroups.enabled.includes("memory")) {
    return skip("the controller memory is not enabled yet");
  }
  return lack(`there is no "${name}"`);
}

function pressure(host: Host): Finding {
  const { cgroups, cgroup } = host;
  if (!cgroups.unified) return skip("cgroup2 is not mounted");
  const file = `${cgroups.unified.mountPoint}${cgroup.path}/memory.pressure`;
  return host.text(file) === undefined
    ? lack(`"${file}" cannot be read`)
    : ok("memory.pressure tells");
}
