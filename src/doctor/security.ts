/** What confines processes: seccomp, no_new_privs, and the security modules that are on. */
import {
  ARCH,
  PR_SET_NO_NEW_PRIVS,
  SECCOMP_SET_MODE_FILTER,
  syscallNumber,
} from "../../ffi/mod.ts";
import { call, struct } from "../plan/step.ts";
import { type Finding, type Group, lack, ok, refused, skip, warn } from "./check.ts";
import type { Host } from "./host.ts";
import { fieldOf } from "./text.ts";

const EXECMEM = "Give minictr's domain the permission execmem, or: setenforce 0";

export const SECURITY: Group = {
  title: "Security",
  probes: [
    {
      id: "no-new-privs",
      what: "no_new_privs",
      how: "A throw-away child sets it; also looks whether this process has it already",
      consequence: "--security-opt no-new-privileges does not work; where minictr itself has it, " +
        "setuid programs in containers do nothing",
      remedy: "In a systemd unit: NoNewPrivileges=no",
      look: noNewPrivileges,
    },
    {
      id: "seccomp",
      what: "seccomp filters",
      how: "A throw-away child loads one that refuses getuid(2), and is refused it",
      consequence: "No container starts but with --security-opt seccomp=unconfined",
      remedy: "Boot a kernel with CONFIG_SECCOMP_FILTER",
      essential: true,
      look: seccomp,
    },
    {
      id: "own-seccomp",
      what: "filters on minictr itself",
      how: "Reads Seccomp in /proc/self/status",
      consequence:
        "Containers inherit them: calls that they refuse fail for minictr and in every " +
        "container",
      remedy: "Run minictr outside of the other container, or without that service's " +
        "SystemCallFilter=",
      look: ownFilters,
    },
    {
      id: "security-modules",
      what: "security modules",
      how: "Reads /sys/kernel/security/lsm, /proc/self/attr/current and /sys/fs/selinux/enforce",
      consequence: "A profile that confines minictr may refuse mounts and namespaces, also in " +
        "containers, which inherit it; minictr sets no profiles and labels of its own",
      remedy:
        "AppArmor: aa-complain PROFILE, or run minictr outside of it. SELinux: see `ausearch " +
        "-m avc`",
      look: securityModules,
    },
  ],
};

function noNewPrivileges(host: Host): Finding {
  const { error } = host.try([call("prctl", [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0])]);
  if (error) return refused(error, "Boot Linux 3.5 or later");
  const own = fieldOf(host.text("/proc/self/status") ?? "", "NoNewPrivs");
  return own === "1" ? warn("minictr itself was started with it") : ok("a child has set it");
}

function seccomp(host: Host): Finding {
  const E2BIG = 7; // Any error that getuid(2) never gives.
  const filter = struct("sock_fprog", [
    ["len", 8, 4], // u16, and 6 bytes up to the pointer.
    ["filter", 8, getuidFilter(E2BIG)],
  ]);
  const { error } = host.try([
    call("prctl", [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]),
    call("seccomp", [SECCOMP_SET_MODE_FILTER, 0, filter]),
    call("getuid", []),
  ]);
  if (error?.syscall === "getuid" && error.errno === E2BIG) return ok("a filter refused a call");
  return error ? refused(error) : lack("a filter was loaded, but refused nothing");
}

/**
 * Refuses getuid(2) with an errno; linux/filter.h, linux/seccomp.h.
 *
 * ```
 *   ld  [0]              // seccomp_data.nr
 *   jeq #getuid, 0, 1
 *   ret #SECCOMP_RET_ERRNO | errno
 *   ret #SECCOMP_RET_ALLOW
 * ```
 */
function getuidFilter(errno: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  const lines: [code: number, jt: number, jf: number, k: number][] = [
    [0x20, 0, 0, 0],
    [0x15, 0, 1, syscallNumber("getuid", ARCH)],
    [0x06, 0, 0, 0x0005_0000 | errno],
    [0x06, 0, 0, 0x7fff_0000],
  ];
  for (const [index, [code, jt, jf, k]] of lines.entries()) {
    view.setUint16(index * 8, code, true);
    bytes.set([jt, jf], index * 8 + 2);
    view.setUint32(index * 8 + 4, k, true);
  }
  return bytes;
}

function ownFilters(host: Host): Finding {
  const status = host.text("/proc/self/status") ?? "";
  const mode = fieldOf(status, "Seccomp");
  if (mode === undefined) return skip("/proc/self/status does not tell");
  const count = fieldOf(status, "Seccomp_filters");
  return mode === "0" ? ok("none") : warn(`${count ?? "some"} in force`);
}

function securityModules(host: Host): Finding {
  const enforce = host.text("/sys/fs/selinux/enforce");
  const profile = (host.text("/proc/self/attr/apparmor/current") ??
    host.text("/proc/self/attr/current") ?? "").split("\0")[0] ?? "";
  const list = host.text("/sys/kernel/security/lsm");
  const on = list === undefined ? "securityfs is not mounted" : list.replaceAll(",", ", ");
  if (enforce === "1") return warn(`SELinux enforces, as "${profile}" (${on})`, EXECMEM);
  if (profile.endsWith("(enforce)")) return warn(`AppArmor confines this process: "${profile}"`);
  const confined = enforce === "0" ? "SELinux is permissive" : `unconfined`;
  return ok(`${confined} (${on})`);
}
