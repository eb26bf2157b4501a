/**
 * Where the kernel says what a container's limits have done: the demonstration believes it alone.
 */

/**
 * The path of a file in the cgroup of a process, whichever version of cgroups the host has.
 *
 * @see cgroups(7), "/proc/PID/cgroup files"
 */
export function cgroupFile(pid: number, controller: string, file: string): string {
  const lines = textOf(`/proc/${pid}/cgroup`).split("\n");
  const fields = lines.map((line) => /^\d+:([^:]*):(.*)$/.exec(line) ?? []);
  const own = fields.find(([, controllers = ""]) => controllers.split(",").includes(controller));
  if (own) return `/sys/fs/cgroup/${controller}${own[2]}/${file}`;
  const unified = fields.find(([, controllers]) => controllers === "");
  return `/sys/fs/cgroup${unified?.[2] ?? ""}/${file}`;
}

/** User and system time of a process in clock ticks; proc_pid_stat(5), fields 14 and 15. */
export function cpuTicks(pid: number): number {
  const stat = textOf(`/proc/${pid}/stat`);
  // The second field, the command's name, may hold blanks and brackets.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
