/**
 * What the kernel means by an errno, as answer to a write to a cgroup's file.
 * @module
 */

/** A file's beginning ("*": any), an errno ("*": any but ENOENT), the meaning; the first counts. */
const meanings = `
mkdir ENOSPC there are too many cgroups, see cgroup.max.descendants of its parents
mkdir EAGAIN there are too many cgroups, see cgroup.max.descendants of its parents
cgroup.subtree_control EBUSY that cgroup has processes of its own, which must move to a child first
cgroup.subtree_control EOPNOTSUPP that cgroup is threaded, or within a threaded one
cgroup.subtree_control ENOENT its parent does not pass the controller on
memory.memsw ENOENT the kernel does not count swap; boot with swapaccount=1, or do not limit swap
memory.swap.max ENOENT the kernel does not count swap; boot with swapaccount=1, or do not limit swap
memory.limit_in_bytes EBUSY more is in use and cannot be freed
memory.memsw EBUSY more is in use and cannot be freed
memory.limit_in_bytes EINVAL it is above the limit on memory and swap together
memory.memsw EINVAL it is below the limit on memory
memory.kmem ENOENT this kernel has no such limit any more
cpuset.cpus * the parent's cpuset.cpus tells which CPUs there are
cpuset.mems * the parent's cpuset.mems tells which memory nodes there are
cpu.rt EINVAL the parents' cpu.rt_runtime_us must allow it first, from the top down
cpu.rt ENOENT the kernel has no realtime groups (CONFIG_RT_GROUP_SCHED)
cpu.cfs_burst ENOENT bursts need Linux 5.14
cpu.cfs_burst EINVAL a burst needs a quota, and is not above it
cpu.max.burst ENOENT bursts need Linux 5.14
cpu.max.burst EINVAL a burst needs a quota, and is not above it
cpu.idle ENOENT this needs Linux 5.15
cpu.cfs EINVAL periods are 1000..1000000 us, quotas at least 1000 us, and no child gets more than its parent
cpu.max EINVAL periods are 1000..1000000 us, quotas at least 1000 us
cpu.weight EINVAL an idle cgroup has no weight
cpu.shares EINVAL an idle cgroup has no shares
cpu. ENOENT the kernel does not limit CPU time (CONFIG_CFS_BANDWIDTH)
blkio.throttle ENOENT the kernel does not throttle (CONFIG_BLK_DEV_THROTTLING)
blkio.throttle ENODEV there is no such block device, or it is a partition
blkio.leaf ENOENT leaf weights went with Linux 5.0
blkio.bfq EOPNOTSUPP that device has another scheduler than BFQ
blkio. ENOENT weights need the BFQ scheduler: modprobe bfq
io.max ENOENT the kernel does not throttle (CONFIG_BLK_DEV_THROTTLING)
io.max ENODEV there is no such block device, or it is a partition
io.bfq EOPNOTSUPP that device has another scheduler than BFQ
io. ENOENT weights need the BFQ scheduler: modprobe bfq
hugetlb. ENOENT ls /sys/kernel/mm/hugepages shows the sizes there are
net_prio. EINVAL there is no such network interface
devices.allow EPERM the parent cgroup does not allow that much
cgroup.procs ENOSPC its cpuset has no CPUs or no memory nodes
* EROFS cgroups are mounted read-only here
* EACCES run as root, or in a cgroup that is delegated to this user
* EPERM run as root, or in a cgroup that is delegated to this user
* ENOENT this kernel does not have that file
* EINVAL the kernel does not take this value
`;

/** @returns "; …" for a file's name ("mkdir" for a directory) and an errno, or "" */
export function meaningOf(file: string, errno: string): string {
  for (const line of meanings.split("\n")) {
    const [start = "", code, ...words] = line.split(" ");
    const fits = code === errno || code === "*" && errno !== "ENOENT";
    if (fits && (start === "*" || file.startsWith(start))) return `; ${words.join(" ")}`;
  }
  return "";
}
