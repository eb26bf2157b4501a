/**
 * The filter of a container for which nothing was said: docker's default profile, as plain rules.
 *
 * What is not allowed fails with EPERM. Some calls are allowed only with the capability that the
 * kernel asks for anyway, so that a container without it cannot even reach their code.
 *
 * @see seccomp(2), config-linux.md#seccomp
 */

import type { LinuxSeccomp, LinuxSeccompArg, LinuxSyscall } from "../../spec/mod.ts";
import { ALLOWED } from "./default_names.ts";

/** What the default profile depends on. */
export interface ProfileInputs {
  /** The bounding set, "CAP_SYS_ADMIN" …; what it lacks, no process of the container can have. */
  capabilities: ReadonlySet<string>;
  arch: "x86_64" | "aarch64";
  /** Major and minor version of the running kernel. */
  kernel: readonly [major: number, minor: number];
}

const ENOSYS = 38;

/** clone(2)'s flags that make namespaces: CLONE_NEWNS, NEWCGROUP … NEWNET. */
const NEW_NAMESPACES = 0x7e020000;

const LOW_WORD = 0xffffffff;

/** capability → the calls that it unlocks. */
const UNLOCKED: Record<string, string> = {
  CAP_DAC_READ_SEARCH: "open_by_handle_at",
  CAP_SYS_ADMIN: "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie " +
    "lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount " +
    "open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog " +
    "umount umount2 unshare",
  CAP_SYS_BOOT: "reboot",
  CAP_SYS_CHROOT: "chroot",
  CAP_SYS_MODULE: "delete_module init_module finit_module",
  CAP_SYS_PACCT: "acct",
  CAP_SYS_PTRACE: "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
  CAP_SYS_RAWIO: "iopl ioperm",
  CAP_SYS_TIME: "settimeofday stime clock_settime clock_settime64",
  CAP_SYS_TTY_CONFIG: "vhangup",
  CAP_SYS_NICE: "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
  CAP_SYSLOG: "syslog",
  CAP_BPF: "bpf",
  CAP_PERFMON: "perf_event_open",
};

const OF_ARCHITECTURE = {
  x86_64: "arch_prctl modify_ldt",
  aarch64: "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
};

/**
 * Families of sockets, as [mask, value]: all below 64 but AF_ALG (38) and AF_VSOCK (40).
 *
 * The kernel looks at the low word only. Masks, rather than docker's `<` and `>`, do so too: with
 * them 0x1_0000_0026 is AF_ALG, which is above 40 otherwise. A family above 63 is none.
 */
const FAMILIES = [
  [0xffffffe0, 0],
  [0xfffffffc, 32],
  [0xfffffffe, 36],
  [0xffffffff, 39],
  [0xffffffff, 41],
  [0xfffffffe, 42],
  [0xfffffffc, 44],
  [0xfffffff0, 48],
] as const;

/**
 * What personality(2) may be told: PER_LINUX, PER_LINUX32, either with UNAME26 (0x20000), and
 * 0xffffffff, which asks.
 */
const PERSONALITIES = [0, 8, 0x20000, 0x20008, LOW_WORD];

/**
 * A name for all inputs with the same default profile, for who keeps what was compiled:
 * "x86_64 ptrace CAP_SYS_CHROOT".
 */
export function filterKey({ capabilities, arch, kernel }: ProfileInputs): string {
  const unlocking = Object.keys(UNLOCKED).filter((name) => capabilities.has(name));
  return [arch, ...mayTrace(kernel) ? ["ptrace"] : [], ...unlocking].join(" ");
}

/** Before Linux 4.8 a tracer could change a call after the filter had seen it; seccomp(2). */
function mayTrace([major, minor]: ProfileInputs["kernel"]): boolean {
  return major > 4 || major === 4 && minor >= 8;
}

/** The default profile for what a container has, without any condition but of arguments. */
export function defaultProfile({ capabilities, arch, kernel }: ProfileInputs): LinuxSeccomp {
  let names = `${ALLOWED} ${OF_ARCHITECTURE[arch]}`;
  if (mayTrace(kernel)) names += " process_vm_readv process_vm_writev ptrace";
  for (const capability in UNLOCKED) {
    if (capabilities.has(capability)) names += " " + UNLOCKED[capability];
  }
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1, // EPERM
    architectures: arch === "x86_64"
      ? ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
      : ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
    syscalls: [
      allow(names.split(" ")),
      ...FAMILIES.map(([mask, family]) => allow(["socket"], masked(mask, family))),
      ...PERSONALITIES.map((value) =>
        allow(["personality"], { index: 0, value, op: "SCMP_CMP_EQ" })
      ),
      ...capabilities.has("CAP_SYS_ADMIN") ? [] : withoutNamespaces(),
    ],
  };
}

/** clone3's flags are in memory, where no filter sees them: ENOSYS has libraries take clone. */
function withoutNamespaces(): LinuxSyscall[] {
  return [
    allow(["clone"], masked(NEW_NAMESPACES, 0)),
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
  ];
}

function allow(names: string[], ...args: LinuxSeccompArg[]): LinuxSyscall {
  return { names, action: "SCMP_ACT_ALLOW", args };
}

function masked(mask: number, valueTwo: number): LinuxSeccompArg {
  return { index: 0, value: mask, valueTwo, op: "SCMP_CMP_MASKED_EQ" };
}
