/** Who minictr runs as: root, its capabilities, and those that containers get by default. */
import { CAPABILITIES, DEFAULT_CAPABILITIES } from "../spec/mod.ts";
import { type Finding, type Group, lack, ok, type Probe, skip, warn } from "./check.ts";
import type { Host } from "./host.ts";
import { capabilitiesIn, isInitialMap } from "./text.ts";

/** What the engine itself needs: name, whether no container runs without it, what does not work. */
const NEEDED = `
SYS_ADMIN! No namespace can be made and nothing mounted, so that no container starts
SETUID! No process can take a container's user id, and no user namespace can be mapped
SETGID! No process can take a container's groups
SETPCAP! A container's capabilities cannot be limited, so that none starts
DAC_OVERRIDE! Files of other users within a root filesystem cannot be reached
CHOWN Unpacked images and a container's /dev do not get their owners
FOWNER Unpacked images do not get their permissions and times
MKNOD Containers get no device nodes of their own, and images are unpacked without theirs
KILL Containers whose processes have other user ids cannot be stopped
NET_ADMIN Containers get no network but none and host
SYS_PTRACE run -t and exec into containers of other users do not work
SYS_RESOURCE Limits (--ulimit) above minictr's own and a lower --oom-score-adj are refused
`;

const MISSING_CAPABILITY =
  "Run minictr as the host's root; within another container, have it given the capability; in a " +
  "systemd unit, take it out of CapabilityBoundingSet=~";

export const PRIVILEGE: Group = {
  title: "Privilege",
  probes: [
    {
      id: "root",
      what: "running as root",
      how: "Looks at the user id",
      consequence: "Nothing that needs the kernel's leave can be done, or tried here",
      remedy: "sudo minictr doctor",
      essential: true,
      look: ({ isRoot }) => isRoot ? ok("user id 0") : lack(`user id ${Deno.uid()}`),
    },
    {
      id: "initial-user-namespace",
      what: "the host's user namespace",
      how: "Reads /proc/self/uid_map",
      consequence: "This root is root only of a user namespace: it makes no device nodes, loads " +
        "no modules, and mounts only what the kernel allows there",
      remedy: "Run minictr outside of the user namespace",
      look: userNamespace,
    },
    ...NEEDED.trim().split("\n").map(capability),
    {
      id: "default-capabilities",
      what: "capabilities of containers",
      how: "Looks for those that a container gets by default in the bounding set",
      consequence: "Containers get fewer capabilities than they do elsewhere: programs in them " +
        "may fail with EPERM",
      remedy: MISSING_CAPABILITY,
      look: defaultCapabilities,
    },
  ],
};

function capability(line: string): Probe {
  const [word = "", ...rest] = line.split(" ");
  const name = word.replace("!", "");
  return {
    id: `capability-${name.toLowerCase().replaceAll("_", "-")}`,
    what: `CAP_${name}`,
    how: "Looks for it in the effective set",
    consequence: rest.join(" "),
    remedy: MISSING_CAPABILITY,
    root: true,
    ...word.endsWith("!") ? { essential: true } : {},
    look: (host) => {
      const status = host.text("/proc/self/status") ?? "";
      const effective = capabilitiesIn(status, "CapEff", CAPABILITIES);
      if (effective.includes(`CAP_${name}`)) return ok("in the effective set");
      const bounding = capabilitiesIn(status, "CapBnd", CAPABILITIES);
      const why = bounding.includes(`CAP_${name}`)
        ? "in the bounding set, but not in the effective set"
        : "not in the bounding set: whoever started this has taken it away for good";
      return lack(why);
    },
  };
}

function userNamespace(host: Host): Finding {
  const map = host.text("/proc/self/uid_map");
  if (map === undefined) return skip("/proc/self/uid_map cannot be read");
  return isInitialMap(map) ? ok("every user id is itself") : warn(`user ids are mapped: ${map}`);
}

function defaultCapabilities(host: Host): Finding {
  const status = host.text("/proc/self/status") ?? "";
  const bounding = capabilitiesIn(status, "CapBnd", CAPABILITIES);
  const missing = DEFAULT_CAPABILITIES.filter((name) => !bounding.includes(name));
  return missing.length === 0
    ? ok(`all ${DEFAULT_CAPABILITIES.length} of the default set`)
    : lack(`not in the bounding set: ${missing.join(", ")}`);
}
