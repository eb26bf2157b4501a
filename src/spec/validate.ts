import { CAPABILITIES } from "./capabilities.ts";
import { SpecError } from "./error.ts";
import { cleanPath, mountPointProblem } from "./mount_point.ts";
import { quote, shaped } from "./shape.ts";
import { sysctlProblem } from "./sysctl.ts";
import type { Hooks, Linux, LinuxIDMapping, Process, Spec } from "./types.ts";
import { checkProcessAttributes, checkSpecAttributes } from "./validate_attributes.ts";
import { checkDevices, checkResources } from "./validate_resources.ts";

/** The resources that config.json can limit; getrlimit(2). */
export const RLIMITS: readonly string[] =
  ("RLIMIT_AS RLIMIT_CORE RLIMIT_CPU RLIMIT_DATA RLIMIT_FSIZE RLIMIT_LOCKS RLIMIT_MEMLOCK " +
    "RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_NOFILE RLIMIT_NPROC RLIMIT_RSS RLIMIT_RTPRIO " +
    "RLIMIT_RTTIME RLIMIT_SIGPENDING RLIMIT_STACK").split(" ");

const NAMESPACES = ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"];
const PROPAGATIONS = ["private", "slave", "shared", "unbindable"].flatMap((p) => [p, `r${p}`]);

/** HOST_NAME_MAX, in bytes; sethostname(2). */
const HOSTNAME_LIMIT_BYTES = 64;
/** Lines of a uid_map since Linux 4.15; user_namespaces(7). */
const ID_MAP_LIMIT = 340;

/** What must hold beyond each field's type, in the order in which it is looked at. */
const CHECKS: readonly ((spec: Spec) => void)[] = [
  checkVersion,
  checkRoot,
  ({ process }) => process && checkProcess(process, "process"),
  checkNamespaces,
  checkHostname,
  checkMounts,
  ({ hooks }) => hooks && checkHooks(hooks),
  checkIdMaps,
  checkSysctls,
  checkPaths,
  ({ linux }) => checkDevices(linux ?? {}),
  ({ linux }) => checkResources(linux?.resources ?? {}),
  ({ linux }) => checkSpecAttributes(linux ?? {}),
];

/**
 * The spec that foreign JSON is: a copy with known fields only, mount points made absolute.
 *
 * What only the kernel or a compiler can know (mount options, seccomp's actions) is not looked at.
 *
 * @throws {SpecError} that names the first field which is wrong
 */
export function validateSpec(value: unknown): Spec {
  const spec = shaped(value, "Spec", "");
  for (const mount of spec.mounts ?? []) mount.destination = cleanPath(mount.destination);
  for (const check of CHECKS) check(spec);
  return spec;
}

/**
 * The process that foreign JSON is, as `exec --process` takes it.
 *
 * @throws {SpecError} that names the first field which is wrong
 */
export function validateProcess(value: unknown): Process {
  const process = shaped(value, "Process", "process");
  checkProcess(process, "process");
  return process;
}

function checkVersion({ ociVersion }: Spec): void {
  if (!/^[01]\.\d+\.\d+([-+][\w.+-]+)?$/.test(ociVersion)) {
    throw new SpecError("ociVersion", `must be 1.x.y, is ${quote(ociVersion)}`);
  }
}

function checkRoot({ root }: Spec): void {
  if (root === undefined) throw new SpecError("root", "is missing");
  if (root.path === "") throw new SpecError("root.path", "is empty");
}

function checkProcess(process: Process, field: string): void {
  if (!process.cwd.startsWith("/")) {
    throw new SpecError(`${field}.cwd`, `must be absolute, is ${quote(process.cwd)}`);
  }
  if ((process.args ?? []).length === 0) throw new SpecError(`${field}.args`, "is empty");
  checkEnv(process.env, `${field}.env`);
  checkCapabilities(process, `${field}.capabilities`);
  checkRlimits(process, `${field}.rlimits`);
  const score = process.oomScoreAdj ?? 0;
  if (score < -1000 || score > 1000) {
    throw new SpecError(`${field}.oomScoreAdj`, `must be from -1000 to 1000, is ${score}`);
  }
  const umask = process.user.umask ?? 0;
  if (umask > 0o777) {
    throw new SpecError(`${field}.user.umask`, `must be at most 0777 (511), is ${umask}`);
  }
  checkProcessAttributes(process, field);
}

function checkEnv(env: string[] = [], field: string): void {
  for (const [index, variable] of env.entries()) {
    if (variable.indexOf("=") < 1) {
      throw new SpecError(`${field}[${index}]`, `must be NAME=value, is ${quote(variable)}`);
    }
  }
}

function checkCapabilities({ capabilities = {} }: Process, field: string): void {
  for (const [set, names] of Object.entries(capabilities)) {
    for (const [index, name] of names.entries()) {
      if (!CAPABILITIES.includes(name)) {
        throw new SpecError(`${field}.${set}[${index}]`, `knows no capability ${quote(name)}`);
      }
    }
  }
}

function checkRlimits({ rlimits = [] }: Process, field: string): void {
  checkUnique(rlimits.map(({ type }) => type), field, "type");
  for (const [index, { type, soft, hard }] of rlimits.entries()) {
    if (!RLIMITS.includes(type)) {
      throw new SpecError(`${field}[${index}].type`, `knows no limit ${quote(type)}`);
    }
    if (soft > hard) {
      throw new SpecError(`${field}[${index}].soft`, `is above the hard limit: ${soft} > ${hard}`);
    }
  }
}

function checkNamespaces({ linux }: Spec): void {
  const namespaces = linux?.namespaces ?? [];
  const field = "linux.namespaces";
  for (const [index, { type, path }] of namespaces.entries()) {
    if (!NAMESPACES.includes(type)) {
      throw new SpecError(`${field}[${index}].type`, `knows no namespace ${quote(type)}`);
    }
    if (path !== undefined && !path.startsWith("/")) {
      throw new SpecError(`${field}[${index}].path`, `must be absolute, is ${quote(path)}`);
    }
  }
  checkUnique(namespaces.map(({ type }) => type), field, "type");
  // Without one, each mount would be the host's.
  if (!owns(linux, "mount")) throw new SpecError(field, `has no "mount"`);
  for (const [clock, { nanosecs = 0 }] of Object.entries(linux?.timeOffsets ?? {})) {
    const where = `linux.timeOffsets.${clock}`;
    if (clock !== "monotonic" && clock !== "boottime") {
      throw new SpecError(where, `must be "monotonic" or "boottime"`);
    }
    if (!owns(linux, "time")) throw new SpecError(where, "needs a time namespace");
    if (nanosecs > 999_999_999) {
      throw new SpecError(`${where}.nanosecs`, `must be below 10^9, is ${nanosecs}`);
    }
  }
}

function checkHostname({ hostname = "", domainname = "", linux }: Spec): void {
  for (const [field, name] of [["hostname", hostname], ["domainname", domainname]] as const) {
    if (name === "") continue;
    if (!owns(linux, "uts")) {
      throw new SpecError(field, "needs a uts namespace: it would change the host's");
    }
    if (new TextEncoder().encode(name).length > HOSTNAME_LIMIT_BYTES) {
      throw new SpecError(field, `must have at most ${HOSTNAME_LIMIT_BYTES} bytes`);
    }
  }
}

function checkMounts({ mounts = [] }: Spec): void {
  for (const [index, mount] of mounts.entries()) {
    const field = `mounts[${index}]`;
    const problem = mountPointProblem(mount.destination, mount);
    if (problem !== undefined) {
      throw new SpecError(`${field}.destination`, `${quote(mount.destination)} ${problem}`);
    }
    const { uidMappings, gidMappings } = mount;
    if ((uidMappings === undefined) !== (gidMappings === undefined)) {
      throw new SpecError(field, "must have both uidMappings and gidMappings, or none");
    }
    checkIdMap(uidMappings, `${field}.uidMappings`);
    checkIdMap(gidMappings, `${field}.gidMappings`);
  }
}

function checkHooks(hooks: Hooks): void {
  for (const [name, list] of Object.entries(hooks)) {
    for (const [index, { path, timeout, env }] of list.entries()) {
      const field = `hooks.${name}[${index}]`;
      if (!path.startsWith("/")) {
        throw new SpecError(`${field}.path`, `must be absolute, is ${quote(path)}`);
      }
      if (timeout !== undefined && timeout <= 0) {
        throw new SpecError(`${field}.timeout`, `must be above 0 seconds, is ${timeout}`);
      }
      checkEnv(env, `${field}.env`);
    }
  }
}

function checkIdMaps({ linux }: Spec): void {
  const user = linux?.namespaces?.find(({ type }) => type === "user");
  for (const name of ["uidMappings", "gidMappings"] as const) {
    const lines = linux?.[name]?.length ?? 0;
    if (lines > 0 && !user) throw new SpecError(`linux.${name}`, "needs a user namespace");
    if (lines === 0 && user && user.path === undefined) {
      throw new SpecError(`linux.${name}`, "is missing for the new user namespace");
    }
    checkIdMap(linux?.[name], `linux.${name}`);
  }
}

function checkIdMap(lines: LinuxIDMapping[] = [], field: string): void {
  if (lines.length > ID_MAP_LIMIT) {
    throw new SpecError(field, `must have at most ${ID_MAP_LIMIT} lines, has ${lines.length}`);
  }
  for (const side of ["containerID", "hostID"] as const) {
    const sorted = [...lines].sort((a, b) => a[side] - b[side]);
    let free = 0;
    for (const line of sorted) {
      if (line.size === 0) throw new SpecError(field, "has a line of size 0");
      if (line[side] < free) throw new SpecError(field, `maps ${side} ${line[side]} twice`);
      free = line[side] + line.size;
      if (free > 0xffffffff) throw new SpecError(field, `goes beyond the last id, in ${side}`);
    }
  }
}

function checkSysctls({ linux }: Spec): void {
  for (const [key, value] of Object.entries(linux?.sysctl ?? {})) {
    const problem = sysctlProblem(key, value, linux?.namespaces ?? []);
    if (problem !== undefined) throw new SpecError(`linux.sysctl[${quote(key)}]`, problem);
  }
}

function checkPaths({ linux = {} }: Spec): void {
  for (const name of ["maskedPaths", "readonlyPaths"] as const) {
    for (const [index, path] of (linux[name] ?? []).entries()) {
      if (!path.startsWith("/")) {
        throw new SpecError(`linux.${name}[${index}]`, `must be absolute, is ${quote(path)}`);
      }
    }
  }
  const { cgroupsPath = "", rootfsPropagation = "" } = linux;
  if (cgroupsPath.split("/").includes("..")) {
    throw new SpecError("linux.cgroupsPath", `must not contain "..": ${quote(cgroupsPath)}`);
  }
  if (rootfsPropagation !== "" && !PROPAGATIONS.includes(rootfsPropagation)) {
    throw new SpecError(
      "linux.rootfsPropagation",
      `must be one of ${PROPAGATIONS.join(", ")}, is ${quote(rootfsPropagation)}`,
    );
  }
  for (const [index, { args = [] }] of (linux.seccomp?.syscalls ?? []).entries()) {
    const wrong = args.find((arg) => arg.index > 5);
    if (wrong) {
      throw new SpecError(
        `linux.seccomp.syscalls[${index}].args`,
        `must have an index from 0 to 5, has ${wrong.index}`,
      );
    }
  }
}

function owns(linux: Linux | undefined, type: string): boolean {
  return linux?.namespaces?.some((namespace) => namespace.type === type) ?? false;
}

function checkUnique(names: string[], field: string, what: string): void {
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice !== -1) {
    throw new SpecError(`${field}[${twice}].${what}`, `is there twice: ${quote(names[twice])}`);
  }
}
