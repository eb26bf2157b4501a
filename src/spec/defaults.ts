import type { LinuxDeviceCgroup, Mount, Spec } from "./types.ts";

/** The version of the specification that specs made here carry. */
export const OCI_VERSION = "1.3.0";

/** RLIM_INFINITY of getrlimit(2). */
export const RLIM_INFINITY = 2n ** 64n - 1n;

/** The PATH of a container whose image and flags name none; docker's. */
export const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Size of /dev/shm without `--shm-size`, in bytes; docker's. */
export const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

/** The capabilities that docker leaves to root in a container; moby oci/caps/defaults.go. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** What root in a container must not read, as in moby 28.5 oci/defaults.go. */
const MASKED_PATHS: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts", // Timing of keystrokes and network packets; GHSA-6fw5-f8r9-fgfm.
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap", // Power as a side channel; GHSA-jq35-85cj-fj4p.
  "/sys/firmware",
];

/** What root in a container must not write, as in moby 28.5 oci/defaults.go. */
const READONLY_PATHS: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

/** mounts(5) of every container, in order; moby oci/defaults.go. */
const MOUNTS: readonly (readonly [string, string, string, string])[] = [
  ["/proc", "proc", "proc", "nosuid,noexec,nodev"],
  ["/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"],
  ["/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"],
  ["/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"],
  ["/sys/fs/cgroup", "cgroup", "cgroup", "ro,nosuid,noexec,nodev"],
  ["/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"],
  ["/dev/shm", "tmpfs", "shm", `nosuid,noexec,nodev,mode=1777,size=${DEFAULT_SHM_BYTES}`],
];

/**
 * The spec of a container for which nothing was said: docker's mounts, namespaces, capabilities
 * and masks, a shell as root, files limited to 1024 (soft) and 524288 (hard).
 *
 * Each call makes new objects. A limit above the caller's own hard limit is the plan's to clamp.
 * Equivalent to `runc spec`, with docker's defaults for runc's.
 */
export function defaultSpec(): Spec {
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: false,
      user: { uid: 0, gid: 0, umask: 0o022 },
      args: ["sh"],
      env: [DEFAULT_PATH],
      cwd: "/",
      capabilities: {
        bounding: [...DEFAULT_CAPABILITIES],
        effective: [...DEFAULT_CAPABILITIES],
        permitted: [...DEFAULT_CAPABILITIES],
      },
      // Above 2^20 some programs spend seconds closing descriptors that are not there.
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 524288, soft: 1024 }],
      noNewPrivileges: false,
    },
    root: { path: "rootfs", readonly: false },
    hostname: "minictr",
    mounts: MOUNTS.map(mount),
    linux: {
      resources: { devices: deviceRules() },
      namespaces: [
        { type: "mount" },
        { type: "network" },
        { type: "uts" },
        { type: "pid" },
        { type: "ipc" },
        { type: "cgroup" },
      ],
      maskedPaths: [...MASKED_PATHS],
      readonlyPaths: [...READONLY_PATHS],
    },
  };
}

/**
 * More of what is masked: the throttling history of each CPU, a side channel
 * (GHSA-6fw5-f8r9-fgfm).
 *
 * @param cpus how many CPUs the host can have, as in /sys/devices/system/cpu/possible
 */
export function thermalThrottlePaths(cpus: number): string[] {
  return Array.from(
    { length: cpus },
    (_, cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`,
  );
}

function mount([destination, type, source, options]: typeof MOUNTS[number]): Mount {
  return { destination, type, source, options: options.split(",") };
}

/** Refuse all, then docker's exceptions; the runtime adds the nodes that it makes itself. */
function deviceRules(): LinuxDeviceCgroup[] {
  const allow = (major: number, minor: number): LinuxDeviceCgroup => {
    return { allow: true, type: "c", major, minor, access: "rwm" };
  };
  return [
    { allow: false, access: "rwm" },
    allow(1, 5), // zero
    allow(1, 3), // null
    allow(1, 9), // urandom
    allow(1, 8), // random
    allow(5, 0), // tty
    allow(5, 1), // console
    { allow: false, type: "c", major: 10, minor: 229, access: "rwm" }, // fuse
  ];
}
