/**
 * Who still uses a directory as (part of) a mount. The kernel is asked, not a list that could be out of date.
 *
 * @see proc_pid_mountinfo(5)
 * @module
 */

/**
 * One process of every mount namespace in which a mount shows `directory`: as overlayfs's lower directory, or
 * bind-mounted.
 *
 * @returns process numbers, in no order
 */
export function usersOf(directory: string): number[] {
  const users: number[] = [];
  const seen = new Set<string>();
  const { dev } = Deno.statSync(directory);
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const namespace = Deno.readLinkSync(`/proc/${name}/ns/mnt`);
      if (seen.has(namespace)) continue;
      seen.add(namespace);
      const mounts = Deno.readTextFileSync(`/proc/${name}/mountinfo`);
      if (mounts.split("\n").some((line) => shows(line, directory, dev))) users.push(Number(name));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return users;
}

/**
 * Whether a line of mountinfo mounts `directory`: named in `lowerdir=`, or bind-mounted from its filesystem.
 *
 * @param device st_dev of the directory
 */
export function shows(line: string, directory: string, device: number): boolean {
  const escaped = directory.replace(/[ \t\n\\]/g, (c) => `\\0${c.charCodeAt(0).toString(8)}`);
  const [before = "", after = ""] = line.split(" - ");
  const [, , numbers, root = "/"] = before.split(" ");
  // The root is a path within the mounted filesystem, so it is the end of the path that we know.
  if (root !== "/" && escaped.endsWith(root) && numbers === majorMinor(device)) return true;
  const options = after.split(" ").slice(2).join(" ").split(",");
  return options.some((option) =>
    /^lowerdir\+?=/.test(option) &&
    option.slice(option.indexOf("=") + 1).split(":").includes(escaped)
  );
}

/** st_dev as mountinfo prints it; makedev(3). */
function majorMinor(device: number): string {
  return `${(device >>> 8) & 0xfff}:${(device & 0xff) | ((device >>> 12) & 0xfff00)}`;
}

/** The process has ended meanwhile, or is another user's, whose mounts are not of this store. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable ||
    (error instanceof Error && /os error 3\b|No such process|ESRCH/i.test(error.message));
}
