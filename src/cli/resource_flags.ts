import type { FlagGroup } from "./grammar.ts";

/** The limits of a container: flags of `run`, `create` and `update`. */
export const RESOURCES = {
  name: "resources",
  title: "Limits",
  flags: [
    { name: "memory", short: "m", value: "SIZE", help: "memory, as 512m or 1.5g" },
    { name: "memory-swap", value: "SIZE", help: "memory and swap together, -1 for no limit" },
    {
      name: "memory-reservation",
      value: "SIZE",
      help: "memory that is left to it under pressure",
    },
    { name: "memory-swappiness", value: "N", help: "0 to 100 (cgroup v1)" },
    { name: "oom-kill-disable", help: "stop instead of kill at the limit (cgroup v1)" },
    { name: "cpus", value: "N", help: "CPU time in CPUs, as 0.5" },
    { name: "cpu-shares", short: "c", value: "N", help: "relative weight", default: "1024" },
    { name: "cpu-period", value: "MICROSECONDS", help: "period of the CPU limit" },
    { name: "cpu-quota", value: "MICROSECONDS", help: "CPU time per period" },
    { name: "cpuset-cpus", value: "LIST", help: "CPUs it may use, as 0-3,7" },
    { name: "cpuset-mems", value: "LIST", help: "memory nodes it may use" },
    { name: "pids-limit", value: "N", help: "processes and threads, -1 for no limit" },
    { name: "blkio-weight", value: "N", help: "relative weight of block I/O, 10 to 1000" },
    {
      name: "blkio-weight-device",
      value: "DEVICE:WEIGHT",
      many: true,
      help: "the same for a device",
    },
    {
      name: "device-read-bps",
      value: "DEVICE:SIZE",
      many: true,
      help: "bytes read per second",
    },
    {
      name: "device-write-bps",
      value: "DEVICE:SIZE",
      many: true,
      help: "bytes written per second",
    },
    { name: "device-read-iops", value: "DEVICE:N", many: true, help: "reads per second" },
    { name: "device-write-iops", value: "DEVICE:N", many: true, help: "writes per second" },
    { name: "cgroup-conf", value: "FILE=VALUE", many: true, help: "write a cgroup v2 file" },
    { name: "cgroup-parent", value: "PATH", help: "cgroup above the container's" },
  ],
} as const satisfies FlagGroup;
