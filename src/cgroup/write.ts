/**
 * Carrying a plan out: directories and files, and what the kernel's refusals mean.
 * @module
 */
import { errnoOf } from "./live.ts";
import type { CgroupFile, CgroupPlan } from "./plan.ts";
import { meaningOf } from "./refusal.ts";

/**
 * Makes the directories of a plan and writes its files; what a failure leaves is remove()'s to
 * take away. Attaching the plan's device program and joining are the caller's.
 * @throws Error for what the kernel refuses, with what to do about it; also for a cgroup that
 * holds processes already, as these would be killed along with the new ones
 */
export function prepare(plan: CgroupPlan): void {
  createDirectories(plan.directories);
  refuseOccupied(plan);
  for (const file of plan.files) writeCgroupFile(file);
}

/** Equivalent to `mkdir -p $directories`; parents come right before their children. */
export function createDirectories(directories: string[]): void {
  for (const [i, directory] of directories.entries()) {
    // A child's mkdir makes the parent too; in most cases that is there, and costs nothing.
    if (directories[i + 1]?.startsWith(`${directory}/`)) continue;
    try {
      Deno.mkdirSync(directory, { recursive: true });
    } catch (cause) {
      const code = errnoOf(cause);
      const message = `cannot make the cgroup "${directory}": ${code}`;
      throw new Error(message + meaningOf("mkdir", code), { cause });
    }
  }
}

function refuseOccupied({ join }: CgroupPlan): void {
  const file = join.kind === "into" ? `${join.directory}/cgroup.procs` : join.paths[0];
  if (file === undefined) return;
  const processes = Deno.readTextFileSync(file).split("\n").filter((line) => line !== "");
  if (processes.length === 0) return;
  const directory = file.slice(0, file.lastIndexOf("/"));
  throw new Error(
    `cannot use the cgroup "${directory}": it holds processes already (${processes.join(", ")}); ` +
      "name another cgroup, or end these",
  );
}

/**
 * Writes one file of a plan.
 * @throws Error for what the kernel refuses, with what to do about it
 */
export function writeCgroupFile(file: CgroupFile): void {
  const { path, label, optional, mayFail, otherwise, inheritFrom } = file;
  let content = file.content;
  try {
    if (inheritFrom !== undefined) {
      if (Deno.readTextFileSync(path).trim() !== "") return;
      content = Deno.readTextFileSync(inheritFrom).trim();
    }
    // Without O_CREAT, for which the kernel would answer EACCES rather than ENOENT.
    Deno.writeTextFileSync(path, content, { create: false });
  } catch (cause) {
    const code = errnoOf(cause);
    if (mayFail || optional && code === "ENOENT") return;
    if (otherwise && code === "ENOENT") return writeCgroupFile(otherwise);
    const message = `cannot ${label}: cannot write "${content}" to "${path}": ${code}`;
    throw new Error(message + meaningOf(path.slice(path.lastIndexOf("/") + 1), code), { cause });
  }
}
