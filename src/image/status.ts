/**
 * What a descriptor leads to: statx(2), fstatfs(2).
 *
 * @module
 */
import {
  AT_EMPTY_PATH,
  BPF_FS_MAGIC,
  CGROUP2_SUPER_MAGIC,
  CGROUP_SUPER_MAGIC,
  DEBUGFS_MAGIC,
  DEVPTS_SUPER_MAGIC,
  type Fd,
  MQUEUE_MAGIC,
  NSFS_MAGIC,
  PROC_SUPER_MAGIC,
  S_IFMT,
  SECURITYFS_MAGIC,
  STATX_BASIC_STATS,
  STATX_MNT_ID,
  syscall,
  SYSFS_MAGIC,
  TRACEFS_MAGIC,
} from "../../ffi/mod.ts";

/** A file's status. */
export interface Status {
  /** S_IFREG, S_IFDIR, … */
  type: number;
  /** Permission bits with setuid, setgid, sticky. */
  mode: number;
  uid: number;
  gid: number;
  links: number;
  /** Tells it from every other file while it is open: device and inode. */
  identity: string;
  sizeBytes: number;
  mtimeSeconds: number;
  device: [major: number, minor: number];
  /** Of the mount that it was opened through. */
  mount: bigint;
}

/** struct statx has 256 bytes; the offsets are those of linux/stat.h. */
const STATX_BYTES = 256;

/** The status of what a descriptor leads to. */
export function statusOf(fd: Fd): Status {
  const buffer = new Uint8Array(STATX_BYTES);
  syscall("statx", fd.number, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, buffer);
  const view = new DataView(buffer.buffer);
  const u32 = (at: number) => view.getUint32(at, true);
  const mode = view.getUint16(28, true);
  return {
    type: mode & S_IFMT,
    mode: mode & 0o7777,
    uid: u32(20),
    gid: u32(24),
    links: u32(16),
    identity: `${u32(136)}:${u32(140)}:${view.getBigUint64(32, true)}`,
    sizeBytes: Number(view.getBigUint64(40, true)),
    mtimeSeconds: Number(view.getBigInt64(112, true)) + u32(120) / 1e9,
    device: [u32(128), u32(132)],
    mount: view.getBigUint64(144, true),
  };
}

/** Filesystems that hold no files of a user's, but what the kernel says and hears. */
const OF_THE_KERNEL = new Set([
  PROC_SUPER_MAGIC,
  SYSFS_MAGIC,
  CGROUP_SUPER_MAGIC,
  CGROUP2_SUPER_MAGIC,
  DEVPTS_SUPER_MAGIC,
  MQUEUE_MAGIC,
  DEBUGFS_MAGIC,
  TRACEFS_MAGIC,
  SECURITYFS_MAGIC,
  BPF_FS_MAGIC,
  NSFS_MAGIC,
]);

/** Whether a descriptor leads into a filesystem of the kernel's own, as proc(5); statfs(2). */
export function isOfTheKernel(fd: Fd): boolean {
  const buffer = new Uint8Array(120); // struct statfs; f_type comes first.
  syscall("fstatfs", fd.number, buffer);
  return OF_THE_KERNEL.has(Number(new DataView(buffer.buffer).getBigUint64(0, true)));
}
