/** Namespaces: each type by a throw-away child, and who may make them. */
import {
  AT_FDCWD,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from "../../ffi/constants.ts";
import { call, room } from "../plan/step.ts";
import { type Finding, type Group, lack, ok, type Probe, refused, skip, warn } from "./check.ts";
import type { Host } from "./host.ts";
import { NoChild } from "./trial.ts";

/** Type as clone(2) and config.json call it, its name in /proc/PID/ns, flag, what fails without. */
const TYPES: readonly [
  type: string,
  link: string,
  flag: number,
  lost: string,
  essential: boolean,
][] = [
  ["mount", "mnt", CLONE_NEWNS, "No container starts", true],
  ["pid", "pid", CLONE_NEWPID, "Only --pid host works", true],
  ["uts", "uts", CLONE_NEWUTS, "Only --uts host works", true],
  ["ipc", "ipc", CLONE_NEWIPC, "Only --ipc host works", true],
  ["network", "net", CLONE_NEWNET, "Only --network host works", true],
  ["cgroup", "cgroup", CLONE_NEWCGROUP, "Only --cgroupns host works", true],
  ["user", "user", CLONE_NEWUSER, "Only --userns host works; no id-mapped mounts", false],
  ["time", "time", CLONE_NEWTIME, "Containers have the host's boot time and clocks", false],
];

const CONFIG: Record<string, string> = {
  mount: "part of every kernel",
  pid: "CONFIG_PID_NS",
  uts: "CONFIG_UTS_NS",
  ipc: "CONFIG_IPC_NS",
  network: "CONFIG_NET_NS",
  cgroup: "CONFIG_CGROUPS",
  user: "CONFIG_USER_NS",
  time: "CONFIG_TIME_NS, Linux 5.6",
};

/** Fewer than these are soon used up: each container takes one of most types. */
const FEW = 100;

export const NAMESPACES: Group = {
  title: "Namespaces",
  probes: [
    ...TYPES.map(namespace),
    {
      id: "namespace-limits",
      what: "how many namespaces there may be",
      how: `Reads user.max_*_namespaces; fewer than ${FEW} are called few`,
      consequence: "Starts fail with ENOSPC when the limit is reached",
      remedy: "sysctl -w user.max_mnt_namespaces=10000, and so for each of them",
      look: limits,
    },
    {
      id: "unprivileged-user-namespaces",
      what: "user namespaces for everybody",
      how: "As user 65534 (or whoever runs this) a throw-away child makes a user namespace, and " +
        "in it a uts namespace and a hostname; where that fails, looks at " +
        "kernel.unprivileged_userns_clone, user.max_user_namespaces and " +
        "kernel.apparmor_restrict_unprivileged_userns",
      consequence: "Sandboxes within containers (browsers, bubblewrap, rootless engines) do not " +
        "work; containers that root starts do",
      remedy: "Allow them, or do without sandboxes in containers",
      look: unprivileged,
    },
  ],
};

function namespace([type, link, flag, lost, essential]: (typeof TYPES)[number]): Probe {
  return {
    id: `namespace-${type}`,
    what: `${type} namespace`,
    how: `A throw-away child is born in a new one, clone3(2), and compares /proc/self/ns/${link}`,
    consequence: lost,
    remedy: `Boot a kernel with it (${CONFIG[type]}); within another container, have its seccomp ` +
      "profile and its engine allow it",
    ...essential ? { essential: true } : {},
    look: (host) => newNamespace(host, type, link, flag),
  };
}

/** Without root, all but user namespaces are tried within a new user namespace. */
function newNamespace(host: Host, type: string, link: string, flag: number): Finding {
  const target = room("target", 64);
  const within = !host.isRoot && type !== "user";
  const path = `/proc/self/ns/${link}`;
  const namespaces: Record<string, number> = { [type]: flag };
  if (within) namespaces.user = CLONE_NEWUSER;
  try {
    const trial = host.try([call("readlinkat", [AT_FDCWD, path, target, 63])], { namespaces });
    if (trial.error) return refused(trial.error);
    const own = Deno.readLinkSync(path);
    const name = trial.text(target);
    if (name === own || name === "") return lack(`the child was in "${name}", as this process is`);
    return ok(within ? "a new one, within a user namespace" : "a new one");
  } catch (error) {
    return refused(error, remedyFor(host, type, link, error));
  }
}

function remedyFor(host: Host, type: string, link: string, error: unknown): string | undefined {
  if (!(error instanceof NoChild)) return undefined;
  const { code } = error.cause;
  const file = `/proc/sys/user/max_${link}_namespaces`;
  if (code === "ENOSPC") return `echo 10000 > ${file} (it is ${host.text(file)})`;
  if (code === "EPERM" && !host.isRoot) return "sudo minictr doctor";
  if (code === "EINVAL") return `Boot a kernel with ${type} namespaces (${CONFIG[type]})`;
  return undefined;
}

function limits(host: Host): Finding {
  const counts = TYPES.map(([, link]): [string, number] => {
    const name = `max_${link}_namespaces`;
    return [`user.${name}`, Number(host.text(`/proc/sys/user/${name}`) ?? Infinity)];
  });
  const few = counts.filter(([, count]) => count < FEW);
  const [name = "", count = 0] = counts.reduce((a, b) => b[1] < a[1] ? b : a);
  if (few.length === 0) return ok(`at least ${count} (${name})`);
  return warn(
    few.map(([name, count]) => `${name} is ${count}`).join(", "),
    `sysctl -w ${few.map(([name]) => `${name}=10000`).join(" ")}`,
  );
}

const NOBODY = 65534;

function unprivileged(host: Host): Finding {
  const becomeNobody = host.isRoot
    ? [
      call("setgroups", [0, 0]),
      call("setresgid", [NOBODY, NOBODY, NOBODY]),
      call("setresuid", [NOBODY, NOBODY, NOBODY]),
    ]
    : [];
  const trial = host.try([
    ...becomeNobody,
    call("unshare", [CLONE_NEWUSER]),
    call("unshare", [CLONE_NEWUTS]),
    call("sethostname", ["doctor", 6]),
  ]);
  if (!trial.error) return ok("one was made, with the powers of root in it");
  if (trial.error.syscall.startsWith("set") && trial.error.syscall !== "sethostname") {
    return skip(`not tried: no child can become user ${NOBODY}: ${trial.error.message}`);
  }
  const switches: [file: string, closed: string, remedy: string][] = [
    [
      "kernel/unprivileged_userns_clone",
      "0",
      "sysctl -w kernel.unprivileged_userns_clone=1",
    ],
    ["user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"],
    [
      "kernel/apparmor_restrict_unprivileged_userns",
      "1",
      "For one program: an AppArmor profile for it with the rule `userns,`. For all: " +
      "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ],
  ];
  for (const [file, closed, remedy] of switches) {
    if (host.text(`/proc/sys/${file}`) !== closed) continue;
    return refused(`${trial.error.message}: ${file.replace("/", ".")} is ${closed}`, remedy);
  }
  return refused(trial.error);
}
