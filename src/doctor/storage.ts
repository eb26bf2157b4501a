/** Where minictr keeps things: its two roots, their filesystems, what is free on them. */
import { AT_FDCWD, LOCK_EX, LOCK_NB, O_CREAT, O_RDWR, syscall } from "../../ffi/mod.ts";
import { type Finding, type Group, lack, ok, refused, skip, warn } from "./check.ts";
import { type Host, nearest } from "./host.ts";
import { inBytes, type Mount } from "./text.ts";
import { opened } from "./trial.ts";

const LOW_BYTES = 1024 ** 3, LOW_RUN_BYTES = 16 * 1024 ** 2, LOW_INODES = 10_000;

export const STORAGE: Group = {
  title: "Storage",
  probes: [
    {
      id: "run-root",
      what: "run root",
      how: "Makes and locks a file in the directory of running containers' state (/run/minictr, " +
        `or its nearest parent), and calls less than ${inBytes(LOW_RUN_BYTES)} free there little`,
      consequence: "Containers cannot be written down, so that none starts",
      remedy: "Make the directory writable, or name another: minictr --root DIR",
      essential: true,
      look: (host) => rootDirectory(host, host.roots.run, LOW_RUN_BYTES),
    },
    {
      id: "data-root",
      what: "data root",
      how: "Makes and locks a file in the directory of root filesystems and layers " +
        `(/var/lib/minictr, or its nearest parent), and calls less than ${inBytes(LOW_BYTES)} ` +
        `or ${LOW_INODES} inodes free there little`,
      consequence: "Images cannot be kept, and containers cannot be written to, so that none of " +
        "an image starts",
      remedy: "Make room or the directory writable, or name another: minictr --root DIR",
      essential: true,
      look: (host) => rootDirectory(host, host.roots.data, LOW_BYTES),
    },
    {
      id: "temporary-files",
      what: "temporary files",
      how: "Makes and locks a file in TMPDIR, or /tmp",
      consequence: "Packages and archives that root filesystems are built from cannot be unpacked",
      remedy: "Make it writable, or name another: TMPDIR=DIR",
      look: (host) => rootDirectory(host, Deno.env.get("TMPDIR") ?? "/tmp", LOW_RUN_BYTES),
    },
  ],
};

function rootDirectory(host: Host, path: string, lowBytes: number): Finding {
  const directory = nearest(path);
  const mount = host.mountAt(directory);
  const { freeBytes, freeInodes } = spaceOf(directory);
  const found = describe(path, directory, mount, freeBytes);
  try {
    tryToLock(directory);
  } catch (error) {
    const refusal = `${found}: ${refused(error).found}`;
    return host.isRoot ? lack(refusal) : skip(`${refusal}, without root`);
  }
  if (freeBytes < lowBytes) return warn(`${found}, which is little`);
  if (freeInodes < LOW_INODES) return warn(`${found}, but only ${freeInodes} inodes`);
  return ok(found);
}

function describe(path: string, directory: string, mount: Mount | undefined, free: number): string {
  const missing = directory === path ? "" : ` (nothing there yet: "${directory}")`;
  const on = mount ? `${mount.type} mounted on "${mount.point}"` : "an unknown filesystem";
  return `"${path}"${missing} is on ${on}, ${inBytes(free)} free`;
}

/** flock(2) on a new file, which is gone afterwards. */
function tryToLock(directory: string): void {
  const path = `${directory}/.minictr-doctor-${crypto.randomUUID()}`;
  using file = opened("openat", AT_FDCWD, path, O_RDWR | O_CREAT, 0o600);
  try {
    syscall("flock", file.number, LOCK_EX | LOCK_NB);
  } finally {
    Deno.removeSync(path);
  }
}

/**
 * What users other than root have free; a filesystem without a count of inodes has no limit.
 *
 * ```c
 * struct statfs { long f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree; … };
 * ```
 */
function spaceOf(directory: string): { freeBytes: number; freeInodes: number } {
  const bytes = new Uint8Array(120);
  syscall("statfs", directory, bytes);
  const [, size = 0n, , , available = 0n, files = 0n, freeFiles = 0n] = new BigInt64Array(
    bytes.buffer,
  );
  return {
    freeBytes: Number(size * available),
    freeInodes: files === 0n ? Infinity : Number(freeFiles),
  };
}
