/** What may be mounted below /proc: what lxcfs and others replace, and no more; as in runc. */
const BELOW_PROC: readonly string[] = [
  "/proc/cpuinfo",
  "/proc/diskstats",
  "/proc/loadavg",
  "/proc/meminfo",
  "/proc/slabinfo",
  "/proc/stat",
  "/proc/swaps",
  "/proc/uptime",
  "/proc/sys/crypto/fips_enabled",
  "/proc/sys/kernel/ns_last_pid",
];

/** An absolute path without ".", "..", and needless slashes; a relative one starts at "/". */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return "/" + parts.join("/");
}

/**
 * What is wrong with a mount point, or undefined; `type` and `source` are those of the mount.
 *
 * A fake /proc takes what the runtime writes to it, such as security labels (CVE-2019-16884);
 * only procfs itself, and files that the allow-list names, go there.
 */
export function mountPointProblem(
  destination: string,
  { type, source }: { type?: string; source?: string },
): string | undefined {
  const path = cleanPath(destination);
  if (path === "/") return "is the root filesystem itself";
  if (path === "/proc") {
    return type === "proc" || source === "/proc" ? undefined : "must be procfs, nothing else";
  }
  if (path.startsWith("/proc/") && !BELOW_PROC.includes(path)) {
    return "is below /proc, where only single files as /proc/cpuinfo may be replaced";
  }
  return undefined;
}
