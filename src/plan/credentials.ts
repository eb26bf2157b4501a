import {
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_SET_KEEPCAPS,
  PR_SET_NO_NEW_PRIVS,
  SECCOMP_SET_MODE_FILTER,
} from "../../ffi/constants.ts";
import { SpecError } from "../spec/error.ts";
import type { LinuxCapabilities, User } from "../spec/types.ts";
import { type Call, call, flags, type Step, step, struct } from "./step.ts";

const LINUX_CAPABILITY_VERSION_3 = 0x2008_0522;

/** By number; capabilities(7), `include/uapi/linux/capability.h`. */
const NAMES = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP " +
  "LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE " +
  "SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME " +
  "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG " +
  "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE").split(" ");

/** The capabilities' names without `CAP_`, by number. */
export const CAPABILITY_NAMES: readonly string[] = NAMES;

function numberOf(name: string): number {
  return NAMES.indexOf(name.startsWith("CAP_") ? name.slice(4) : name);
}

/** The capabilities of a set as bits. */
export function capabilityBits(names: string[] | undefined, field: string): bigint {
  let bits = 0n;
  for (const name of names ?? []) {
    const number = numberOf(name);
    if (number < 0) throw new SpecError(field, `there is no capability "${name}"`);
    bits |= 1n << BigInt(number);
  }
  return bits;
}

/**
 * The bounding set: what not even a file's capabilities can give back; prctl(2). It comes first,
 * while CAP_SETPCAP is still held.
 *
 * @param last the highest capability that the kernel knows, /proc/sys/kernel/cap_last_cap
 */
export function boundCapabilities(capabilities: LinuxCapabilities, last: number): Step {
  const keep = capabilityBits(capabilities.bounding, "process.capabilities.bounding");
  const drop = flags({ PR_CAPBSET_DROP });
  const calls: Call[] = [];
  for (let number = 0; number <= last && number < NAMES.length; number++) {
    if ((keep >> BigInt(number) & 1n) === 1n) continue;
    calls.push(call("prctl", [drop, flags({ [`CAP_${NAMES[number]}`]: number })]));
  }
  return step("drop capabilities from the bounding set", calls);
}

/**
 * `process.user`: groups first, then gid, then uid, keeping the permitted set for the next step.
 * The groups are set always, the primary one among them, so that none of the caller's remain and a
 * file that denies the group is denied (CVE-2022-36109); setgroups(2), setresgid(2), setresuid(2).
 *
 * @param setGroups false where the user namespace denies it
 */
export function becomeUser({ uid, gid, additionalGids = [] }: User, setGroups: boolean): Step {
  const groups = [...new Set([gid, ...additionalGids])];
  const list = struct("gid_t[]", groups.map((group, index) => [`[${index}]`, 4, group]));
  return step(`become user ${uid}, group ${gid}`, [
    ...setGroups ? [call("setgroups", [groups.length, list])] : [],
    call("prctl", [flags({ PR_SET_KEEPCAPS }), 1, 0, 0, 0]),
    call("setresgid", [gid, gid, gid]),
    call("setresuid", [uid, uid, uid]),
  ], { EINVAL: `user ${uid} or group ${gid} is not mapped into the user namespace` });
}

/**
 * The effective, permitted and inheritable sets, and the ambient one; capset(2). Inheritable is what
 * the spec says and empty by default (CVE-2022-29162).
 */
export function setCapabilities(capabilities: LinuxCapabilities): Step {
  const field = (set: string) => `process.capabilities.${set}`;
  const effective = capabilityBits(capabilities.effective, field("effective"));
  const permitted = capabilityBits(capabilities.permitted, field("permitted"));
  const inheritable = capabilityBits(capabilities.inheritable, field("inheritable"));
  const low = (bits: bigint) => Number(bits & 0xffff_ffffn);
  const high = (bits: bigint) => Number(bits >> 32n);
  const header = struct("cap_user_header", [
    ["version", 4, LINUX_CAPABILITY_VERSION_3],
    ["pid", 4, 0],
  ]);
  const data = struct("cap_user_data[2]", [
    ["effective", 4, low(effective)],
    ["permitted", 4, low(permitted)],
    ["inheritable", 4, low(inheritable)],
    ["effective", 4, high(effective)],
    ["permitted", 4, high(permitted)],
    ["inheritable", 4, high(inheritable)],
  ]);
  return step("set capabilities", [
    call("capset", [header, data]),
    ...ambient(capabilities.ambient ?? [], permitted & inheritable),
  ], { EPERM: "the caller itself lacks one of the capabilities asked for" });
}

/**
 * The kernel takes no more into the ambient set than is permitted and inheritable; `runc spec` asks
 * for more, which runc passes over, and so does this.
 */
function ambient(names: string[], allowed: bigint): Call[] {
  capabilityBits(names, "process.capabilities.ambient");
  return names.flatMap((name) => {
    const number = numberOf(name);
    if ((allowed & (1n << BigInt(number))) === 0n) return [];
    return call("prctl", [
      flags({ PR_CAP_AMBIENT }),
      flags({ PR_CAP_AMBIENT_RAISE }),
      flags({ [name]: number }),
      0,
      0,
    ]);
  });
}

/** `process.noNewPrivileges`; prctl(2). */
export function noNewPrivileges(): Step {
  return step("give up new privileges", [
    call("prctl", [flags({ PR_SET_NO_NEW_PRIVS }), 1, 0, 0, 0]),
  ]);
}

/** `linux.seccomp`, compiled; seccomp(2). */
export function loadFilter(filter: Uint8Array, filterFlags: Record<string, number>): Step {
  const program = struct("sock_fprog", [
    ["len", 2, filter.length / 8],
    ["(padding)", 2, 0],
    ["(padding)", 4, 0],
    ["filter", 8, filter],
  ]);
  return step("load the seccomp filter", [
    call("seccomp", [flags({ SECCOMP_SET_MODE_FILTER }), flags(filterFlags), program]),
  ], {
    EACCES: "without no_new_privs a filter needs CAP_SYS_ADMIN in the user namespace",
    EINVAL: "the kernel was built without CONFIG_SECCOMP_FILTER, or refuses the filter",
  });
}
