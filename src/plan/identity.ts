import {
  O_CLOEXEC,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../../ffi/constants.ts";
import { lengthOf } from "./calls.ts";
import { call, flags, type Slot, slot, type Step, step, struct } from "./step.ts";

/** `hostname`; sethostname(2). */
export function setHostname(name: string): Step {
  return step(`set the hostname to ${name}`, [call("sethostname", [name, lengthOf(name)])]);
}

/** `domainname`; setdomainname(2). */
export function setDomainname(name: string): Step {
  return step(`set the domain name to ${name}`, [call("setdomainname", [name, lengthOf(name)])]);
}

/**
 * `linux.sysctl`, written through the container's own proc, whose mount no other container could
 * reach yet; nothing mounted over a part of it is entered (CVE-2025-52881); sysctl(5).
 *
 * @param proc a descriptor of the proc mount's root
 */
export function sysctlSteps(proc: Slot, sysctl: Record<string, string>): Step[] {
  const resolve = flags({ RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV });
  return Object.entries(sysctl).map(([key, value]) => {
    const file = slot(key);
    const openHow = struct("open_how", [
      ["flags", 8, flags({ O_WRONLY, O_CLOEXEC })],
      ["mode", 8, 0],
      ["resolve", 8, resolve],
    ]);
    return step(`set ${key} to ${value}`, [
      call("openat2", [proc, `sys/${key.replaceAll(".", "/")}`, openHow, 24], { to: file }),
      call("write", [file, value, lengthOf(value)]),
      call("close", [file]),
    ], {
      ENOENT: `the kernel has no sysctl "${key}", or not in this namespace`,
      EINVAL: `"${value}" is no value for "${key}"`,
    });
  });
}
