/**
 * The part of config.json under `linux`, and the types that only Linux has.
 *
 * @see config-linux.md of the OCI runtime specification
 * @module
 */

import type { Uint64 } from "./types.ts";

/** Names as in capabilities(7), "CAP_CHOWN"; an absent set is an empty one. */
export interface LinuxCapabilities {
  bounding?: string[];
  effective?: string[];
  inheritable?: string[];
  permitted?: string[];
  ambient?: string[];
}

/** ioprio_set(2); `class` is "IOPRIO_CLASS_RT", "…_BE" or "…_IDLE"; `priority` 0..7. */
export interface LinuxIOPriority {
  class: string;
  priority: number;
}

/** config-linux.md. */
export interface Linux {
  uidMappings?: LinuxIDMapping[];
  gidMappings?: LinuxIDMapping[];
  /** Dotted names to values. */
  sysctl?: Record<string, string>;
  resources?: LinuxResources;
  cgroupsPath?: string;
  namespaces?: LinuxNamespace[];
  devices?: LinuxDevice[];
  /** Host interface names to what becomes of them inside. */
  netDevices?: Record<string, LinuxNetDevice>;
  seccomp?: LinuxSeccomp;
  /** "private", "slave", "shared", "unbindable", each also with a leading "r". */
  rootfsPropagation?: string;
  maskedPaths?: string[];
  readonlyPaths?: string[];
  mountLabel?: string;
  intelRdt?: LinuxIntelRdt;
  memoryPolicy?: LinuxMemoryPolicy;
  personality?: LinuxPersonality;
  /** Keys "monotonic" and "boottime"; time_namespaces(7). */
  timeOffsets?: Record<string, LinuxTimeOffset>;
}

/** The namespaces of namespaces(7) in config.json's words. */
export type LinuxNamespaceType =
  | "pid"
  | "network"
  | "mount"
  | "ipc"
  | "uts"
  | "user"
  | "cgroup"
  | "time";

/** A namespace of the container's own, or with `path` one to join; not listed: the caller's. */
export interface LinuxNamespace {
  type: LinuxNamespaceType;
  path?: string;
}

/** A line of uid_map or gid_map; user_namespaces(7). */
export interface LinuxIDMapping {
  containerID: number;
  hostID: number;
  size: number;
}

/** A clock's offset; time_namespaces(7). */
export interface LinuxTimeOffset {
  secs?: number;
  nanosecs?: number;
}

/** A node in /dev; config-linux.md#devices. */
export interface LinuxDevice {
  path: string;
  /** "c", "b", "u" (as "c") or "p". */
  type: string;
  major: number;
  minor: number;
  /** Permission bits as an integer, 0o666 = 438. */
  fileMode?: number;
  uid?: number;
  gid?: number;
}

/** A network interface that is moved into the container; absent name: kept. */
export interface LinuxNetDevice {
  name?: string;
}

/** config-linux.md#control-groups. */
export interface LinuxResources {
  devices?: LinuxDeviceCgroup[];
  memory?: LinuxMemory;
  cpu?: LinuxCPU;
  pids?: LinuxPids;
  blockIO?: LinuxBlockIO;
  hugepageLimits?: LinuxHugepageLimit[];
  network?: LinuxNetwork;
  rdma?: Record<string, LinuxRdma>;
  /** cgroup v2 file names to what is written to them. */
  unified?: Record<string, string>;
}

/** A rule of the devices controller; absent or -1 numbers match all. */
export interface LinuxDeviceCgroup {
  allow: boolean;
  /** "a" (all), "c" or "b"; absent: "a". */
  type?: string;
  major?: number;
  minor?: number;
  /** Letters out of "rwm"; absent: all of them. */
  access?: string;
}

/** Bytes; -1 is unlimited. */
export interface LinuxMemory {
  limit?: number;
  reservation?: number;
  /** Memory and swap together. */
  swap?: number;
  kernel?: number;
  kernelTCP?: number;
  /** 0..100. */
  swappiness?: number;
  disableOOMKiller?: boolean;
  useHierarchy?: boolean;
  checkBeforeUpdate?: boolean;
}

/** Times in microseconds. */
export interface LinuxCPU {
  shares?: number;
  /** Negative: unlimited. */
  quota?: number;
  burst?: number;
  period?: number;
  realtimeRuntime?: number;
  realtimePeriod?: number;
  /** "0-3,7". */
  cpus?: string;
  mems?: string;
  idle?: number;
}

/** Number of tasks; -1 is unlimited. */
export interface LinuxPids {
  limit?: number;
}

/** config-linux.md#block-io; rates per second. */
export interface LinuxBlockIO {
  weight?: number;
  leafWeight?: number;
  weightDevice?: LinuxWeightDevice[];
  throttleReadBpsDevice?: LinuxThrottleDevice[];
  throttleWriteBpsDevice?: LinuxThrottleDevice[];
  throttleReadIOPSDevice?: LinuxThrottleDevice[];
  throttleWriteIOPSDevice?: LinuxThrottleDevice[];
}

/** A block device's share; weights 10..1000. */
export interface LinuxWeightDevice {
  major: number;
  minor: number;
  weight?: number;
  leafWeight?: number;
}

/** A block device's limit, in bytes or operations per second. */
export interface LinuxThrottleDevice {
  major: number;
  minor: number;
  rate: number;
}

/** `pageSize` as "2MB" or "64KB"; `limit` in bytes. */
export interface LinuxHugepageLimit {
  pageSize: string;
  limit: Uint64;
}

/** net_cls and net_prio, cgroup v1 only. */
export interface LinuxNetwork {
  classID?: number;
  priorities?: LinuxInterfacePriority[];
}

/** An interface's priority in net_prio. */
export interface LinuxInterfacePriority {
  name: string;
  priority: number;
}

/** Limits of one RDMA device; absent: unlimited. */
export interface LinuxRdma {
  hcaHandles?: number;
  hcaObjects?: number;
}

/** config-linux.md#seccomp. */
export interface LinuxSeccomp {
  /** "SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW" … */
  defaultAction: string;
  defaultErrnoRet?: number;
  /** "SCMP_ARCH_X86_64" … */
  architectures?: string[];
  /** "SECCOMP_FILTER_FLAG_LOG" … */
  flags?: string[];
  listenerPath?: string;
  listenerMetadata?: string;
  syscalls?: LinuxSyscall[];
}

/** One rule of a seccomp filter. */
export interface LinuxSyscall {
  names: string[];
  action: string;
  errnoRet?: number;
  /** All must hold. */
  args?: LinuxSeccompArg[];
}

/** A comparison of a syscall's argument; for SCMP_CMP_MASKED_EQ `value` is the mask. */
export interface LinuxSeccompArg {
  /** 0..5. */
  index: number;
  value: Uint64;
  valueTwo?: Uint64;
  /** "SCMP_CMP_EQ" … */
  op: string;
}

/** config-linux.md#intelrdt. */
export interface LinuxIntelRdt {
  closID?: string;
  schemata?: string[];
  l3CacheSchema?: string;
  memBwSchema?: string;
  enableMonitoring?: boolean;
}

/** set_mempolicy(2): "MPOL_BIND" …, nodes "0-1", flags "MPOL_F_STATIC_NODES" … */
export interface LinuxMemoryPolicy {
  mode: string;
  nodes?: string;
  flags?: string[];
}

/** personality(2): "LINUX" or "LINUX32". */
export interface LinuxPersonality {
  domain: string;
  flags?: string[];
}
