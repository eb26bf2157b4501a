import { CAPABILITIES, DEFAULT_CAPABILITIES, sysctlProblem } from "../spec/mod.ts";
import { cut, nearest, parsed } from "./grammar.ts";
import { parsePair } from "./pair.ts";
import type { RunSpec, Wish } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";

/** Capabilities, what is masked, seccomp, sysctls. */
export function applySecurity(made: RunSpec, wish: Wish): void {
  const { line: { flags }, context } = wish;
  const { process, linux } = made.spec;
  if (flags.privileged) applyPrivileged(made, wish);
  const all = CAPABILITIES.filter((name) => context.capabilities?.includes(name) ?? true);
  const names = capabilities(
    { add: flags["cap-add"], drop: flags["cap-drop"] },
    { all, base: flags.privileged ? all : DEFAULT_CAPABILITIES },
  );
  // Inheritable stays empty: with it, a file's inheritable capabilities would be regained
  // (CVE-2022-29162 and its like). So does ambient.
  process.capabilities = { bounding: names, effective: [...names], permitted: [...names] };
  for (const option of flags["security-opt"]) applyOption(made, option);
  for (const text of flags.sysctl) {
    const [key, value] = parsed("--sysctl", text, (pair) => parsePair(pair, true));
    const problem = sysctlProblem(key, value, linux.namespaces);
    if (problem !== undefined) throw new UsageError(`--sysctl: "${key}" ${problem}`);
    linux.sysctl[key] = value;
  }
}

/**
 * A base set with names added and dropped; in the kernel's order. docker's rules: ALL adds or drops
 * the whole, and what is named besides is the exception to it.
 *
 * @throws {UsageError} for a name that is none
 */
export function capabilities(
  { add, drop }: { add: readonly string[]; drop: readonly string[] },
  { all, base }: { all: readonly string[]; base: readonly string[] },
): string[] {
  const added = new Set(add.map((name) => parsed("--cap-add", name, capability)));
  const dropped = new Set(drop.map((name) => parsed("--cap-drop", name, capability)));
  const has = (name: string) => {
    if (added.has("ALL")) return !dropped.has(name);
    if (dropped.has("ALL")) return added.has(name);
    return added.has(name) || (base.includes(name) && !dropped.has(name));
  };
  const missing = [...added].find((name) => name !== "ALL" && !all.includes(name));
  if (missing !== undefined) throw new UsageError(`--cap-add: this host has no ${missing} to give`);
  return all.filter(has);
}

function capability(text: string): string {
  const upper = text.toUpperCase();
  const name = upper === "ALL" || upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (name === "ALL" || CAPABILITIES.includes(name)) return name;
  const meant = nearest(name, CAPABILITIES);
  throw new UsageError(`knows no capability "${text}"${meant ? `: did you mean ${meant}?` : ""}`);
}

function applyPrivileged(made: RunSpec, { context }: Wish): void {
  const { linux, mounts } = made.spec;
  made.seccomp = "unconfined";
  linux.maskedPaths = [];
  linux.readonlyPaths = [];
  linux.resources.devices = [{ allow: true, type: "a", access: "rwm" }];
  for (const mount of mounts) {
    if (mount.type === "sysfs" || mount.type === "cgroup") {
      mount.options = (mount.options ?? []).filter((option) => option !== "ro");
    }
  }
  for (const { path, type, major, minor, mode, uid, gid } of context.devices("/dev")) {
    // These are the container's own.
    if (/^\/dev\/(pts|shm|mqueue|fd|console|ptmx)(\/|$)/.test(path)) continue;
    linux.devices.push({ path, type, major, minor, fileMode: mode, uid, gid });
  }
}

/** The older ":" between name and value is taken as well, as in docker. */
function applyOption(made: RunSpec, option: string): void {
  const { process, linux } = made.spec;
  const [name, value] = cut(option.replace(/^([a-z-]+):/, "$1="));
  const wrong = (what: string) => new UsageError(`--security-opt: "${option}" ${what}`);
  if (name === "no-new-privileges") {
    if (value !== undefined && value !== "true" && value !== "false") {
      throw wrong("is true or false");
    }
    process.noNewPrivileges = value !== "false";
  } else if (name === "seccomp") {
    if (value === undefined || value === "") throw wrong("needs unconfined or a file");
    if (value === "unconfined") made.seccomp = value;
    else made.seccomp = value === "builtin" || value === "default" ? "default" : { path: value };
  } else if (name === "systempaths") {
    if (value !== "unconfined") throw wrong("must be systempaths=unconfined");
    linux.maskedPaths = [];
    linux.readonlyPaths = [];
  } else if (name === "apparmor") {
    if (value === undefined || value === "") throw wrong("needs unconfined or a profile's name");
    if (value === "unconfined") delete process.apparmorProfile;
    else process.apparmorProfile = value;
  } else if (name === "label") {
    if (value !== "disable") throw wrong("asks for SELinux, of which only label=disable is known");
  } else if (name === "mask" || name === "unmask") {
    applyMask(made, { mask: name === "mask", paths: value ?? "" });
  } else {
    throw wrong(
      "is none of no-new-privileges, seccomp=, systempaths=, apparmor=, label=, mask=, unmask=",
    );
  }
}

/** podman's `mask=PATH:PATH` and `unmask=PATH:PATH|ALL`. */
function applyMask(made: RunSpec, { mask, paths }: { mask: boolean; paths: string }): void {
  const { linux } = made.spec;
  if (!mask && paths.toUpperCase() === "ALL") {
    linux.maskedPaths = [];
    linux.readonlyPaths = [];
    return;
  }
  const list = paths.split(":");
  if (list.some((path) => !path.startsWith("/"))) {
    throw new UsageError(`--security-opt: "${paths}" is not a list of absolute paths`);
  }
  const { maskedPaths = [], readonlyPaths = [] } = linux;
  if (mask) {
    linux.maskedPaths = [...new Set([...maskedPaths, ...list])];
    return;
  }
  linux.maskedPaths = maskedPaths.filter((path) => !list.includes(path));
  linux.readonlyPaths = readonlyPaths.filter((path) => !list.includes(path));
}
