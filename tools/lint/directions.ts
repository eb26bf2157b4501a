/**
 * Which folder may import which, as data, and the judge of one import.
 *
 * The picture: cli → container → plan, stage, cgroup, network, image → netlink, ffi. spec is for all
 * and imports nothing. plan takes from cgroup what the host's hierarchies look like.
 */

/** The folders that each folder may import from, besides itself. */
export const DIRECTIONS: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["src/cli"],
  "src/cli": [
    "src/doctor",
    "src/monitor",
    "src/container",
    "src/image",
    "src/network",
    "src/volume",
    "src/cgroup",
    "src/plan",
    "src/stage",
    "src/spec",
    "rootfs",
    "ffi",
  ],
  "src/monitor": ["src/container", "src/cgroup", "src/network", "src/spec", "ffi"],
  "src/container": [
    "src/plan",
    "src/stage",
    "src/cgroup",
    "src/network",
    "src/volume",
    "src/image",
    "src/spec",
    "rootfs",
    "ffi",
  ],
  "src/doctor": [
    "src/container",
    "src/plan",
    "src/stage",
    "src/cgroup",
    "src/network",
    "src/netlink",
    "src/spec",
    "ffi",
  ],
  "src/plan": ["src/cgroup", "src/spec", "ffi"],
  "src/stage": ["src/plan", "ffi"],
  "src/cgroup": ["src/spec", "ffi"],
  "src/network": ["src/netlink", "src/spec", "ffi"],
  "src/volume": ["src/image", "ffi"],
  "src/image": ["src/spec", "ffi"],
  "src/netlink": ["ffi"],
  "src/spec": [],
  "rootfs": ["src/image", "src/spec", "ffi"],
  "ffi": [],
};

/** A folder is entered by its mod.ts. These are entered directly: they lie on the way of `run`, and
 * the rest of their folder, which mod.ts would load, does not. */
export const DOORS: readonly string[] = [
  "ffi/constants.ts",
  "ffi/errno.ts",
  "ffi/syscalls.ts",
  "src/cli/told.ts",
  "src/cli/usage_error.ts",
  "src/cgroup/freeze.ts",
  "src/cgroup/host.ts",
  "src/cgroup/oom.ts",
  "src/cgroup/plan.ts",
  "src/cgroup/processes.ts",
  "src/cgroup/remove.ts",
  "src/container/detached.ts",
  "src/container/make.ts",
  "src/container/run.ts",
  "src/container/update.ts",
  "src/container/users.ts",
  "src/container/stop.ts",
  "src/container/remove.ts",
  "src/container/claim.ts",
  "src/container/name.ts",
  "src/container/log.ts",
  "src/container/live.ts",
  "src/container/list.ts",
  "src/container/definition.ts",
  "src/container/console.ts",
  "src/container/exec.ts",
  "src/container/exec_behind.ts",
  "src/container/find.ts",
  "src/container/foreground.ts",
  "src/container/health.ts",
  "src/container/health_run.ts",
  "src/container/hold.ts",
  "src/container/journal.ts",
  "src/container/end.ts",
  "src/container/events.ts",
  "src/container/rename.ts",
  "src/container/start_again.ts",
  "src/container/wait.ts",
  "src/container/why.ts",
  "src/container/restart.ts",
  "src/container/self.ts",
  "src/container/settle.ts",
  "src/container/supervised.ts",
  "src/container/attach.ts",
  "src/container/kept.ts",
  "src/container/keys.ts",
  "src/container/state.ts",
  "src/container/subnet_prefix.ts",
  "src/container/users.ts",
  "src/image/builtin.ts",
  "src/plan/seccomp/mod.ts",
  "src/container/etc_files.ts",
  "src/container/membership.ts",
  "src/container/mounts.ts",
  "src/container/volumes.ts",
  "src/container/view.ts",
  "src/container/process_table.ts",
  "src/container/figures.ts",
  "src/container/changes.ts",
  "src/container/ids.ts",
  "src/container/copy.ts",
  "src/container/copy_path.ts",
  "src/network/files.ts",
  "src/network/network.ts",
  "src/plan/attributes.ts",
  "src/plan/awaited.ts",
  "src/plan/calls.ts",
  "src/plan/channel.ts",
  "src/plan/process.ts",
  "src/plan/calls.ts",
  "src/plan/credentials.ts",
  "src/plan/exec.ts",
  "src/plan/explain.ts",
  "src/plan/privileges.ts",
  "src/plan/sleep.ts",
  "src/plan/step.ts",
  "src/plan/view.ts",
  "src/plan/supervise.ts",
  "src/plan/supervise_log.ts",
  "src/plan/supervised.ts",
  "src/plan/supervision.ts",
  "src/spec/defaults.ts",
  "src/spec/error.ts",
  "src/network/connect.ts",
  "src/network/creation.ts",
  "src/network/port_choice.ts",
  "src/network/prepare.ts",
];

/** The files of src/plan that its mechanisms may import: one mechanism knows no other. */
export const SHARED_BY_MECHANISMS: readonly string[] = [
  "src/plan/calls.ts",
  "src/plan/mount_options.ts",
  "src/plan/step.ts",
  "src/plan/supervise_rooms.ts",
  "src/plan/supervision.ts",
  "src/plan/target.ts",
];

/** The files of src/plan that put mechanisms in order. */
export const COMPOSED_OF_MECHANISMS: readonly string[] = [
  "src/plan/awaited.ts",
  "src/plan/supervise.ts",
  "src/plan/container.ts",
  "src/plan/exec.ts",
  "src/plan/mod.ts",
  "src/plan/privileges.ts",
  "src/plan/stage_side.ts",
  "src/plan/supervised.ts",
  "src/plan/handed.ts",
  "src/plan/parts.ts",
  "src/plan/view.ts",
];

/** Names of deno.json's "imports" and Node's modules, and who may use them besides tests and tools.
 * Whoever uses one of Node's imports it when it is called for: no start pays for it. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "assert": [],
  "fast-check": [],
  "fzstd": ["src/image"],
  "node:crypto": ["src/image"],
  "node:stream": ["src/image"],
  "node:zlib": ["src/image"],
  "xz-decompress": ["src/image"],
};

/** How a module is imported: a type costs nothing at a start, so it may come from any file. */
export type ImportKind = "type" | "static" | "dynamic";

/** Why `file` may not import `specifier`, or undefined if it may. Both as written in the project:
 * "src/cli/run.ts", "../plan/mod.ts" or "fzstd". */
export function objection(
  file: string,
  specifier: string,
  kind: ImportKind = "static",
): string | undefined {
  if (isFree(file)) return undefined;
  if (!specifier.startsWith(".")) return packageObjection(file, specifier, kind);
  const target = resolve(file, specifier);
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to) return innerObjection(file, target);
  if (target === "src/cli/usage_error.ts" && from !== "main.ts") {
    return `nothing below src/cli knows the command line`;
  }
  if (!(DIRECTIONS[from] ?? []).includes(to)) {
    return `${from} may not import ${to}; see tools/lint/directions.ts`;
  }
  if (kind !== "type" && target !== `${to}/mod.ts` && !DOORS.includes(target)) {
    return `${to} is entered by its mod.ts, not "${target}"`;
  }
  return undefined;
}

/** Tests and tools may import all. */
export function isFree(file: string): boolean {
  return file.endsWith("_test.ts") || /^(tests|tools|bench)\//.test(file);
}

function packageObjection(file: string, specifier: string, kind: ImportKind): string | undefined {
  const isNode = specifier.startsWith("node:");
  if (isNode && kind === "static") {
    return `"${specifier}" costs 5 to 40 ms at every start; use Deno's own API or ffi/`;
  }
  const users = PACKAGES[specifier];
  if (users === undefined) return `"${specifier}" is not listed in tools/lint/directions.ts`;
  if (users.includes(folderOf(file))) return undefined;
  return `"${specifier}" is not for ${folderOf(file)}`;
}

function innerObjection(file: string, target: string): string | undefined {
  const [from, to] = [directoryOf(file), directoryOf(target)];
  if (to.startsWith(`${from}/`) && !target.endsWith("/mod.ts")) {
    return `${to} is entered by its mod.ts, not "${target}"`;
  }
  const isMechanism = from === "src/plan" && !COMPOSED_OF_MECHANISMS.includes(file);
  if (isMechanism && to === from && !SHARED_BY_MECHANISMS.includes(target)) {
    return `mechanisms do not import one another; src/plan/container.ts puts them in order`;
  }
  return undefined;
}

/** "src/plan/seccomp/mod.ts" → "src/plan"; "ffi/libc.ts" → "ffi"; "main.ts" → "main.ts" */
function folderOf(path: string): string {
  return path.split("/").slice(0, path.startsWith("src/") ? 2 : 1).join("/");
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function resolve(file: string, specifier: string): string {
  return new URL(specifier, `file:///${file}`).pathname.slice(1);
}
