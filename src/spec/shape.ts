import { SpecError } from "./error.ts";
import type { Process, Spec } from "./types.ts";

/**
 * The shapes of config.json as data: for each field its type, which is a shape's name, a scalar, or
 * one of these with `[]` (list) or `{}` (map of names to it). `!` ends the type of a field that must
 * be there, `?` of one that is 0 where it is absent. What they mean is in types.ts.
 */
// deno-fmt-ignore
const SHAPES: Record<string, Record<string, string>> = {
  Spec: {
    ociVersion: "string!", process: "Process", root: "Root", hostname: "string",
    domainname: "string", mounts: "Mount[]", hooks: "Hooks", annotations: "string{}",
    linux: "Linux",
  },
  Process: {
    terminal: "bool", consoleSize: "Box", user: "User!", args: "string[]", env: "string[]",
    cwd: "path!", capabilities: "LinuxCapabilities", rlimits: "POSIXRlimit[]",
    noNewPrivileges: "bool", apparmorProfile: "string", oomScoreAdj: "i32", scheduler: "Scheduler",
    selinuxLabel: "string", ioPriority: "LinuxIOPriority", execCPUAffinity: "CPUAffinity",
  },
  Box: { height: "u16!", width: "u16!" },
  User: { uid: "id!", gid: "id!", umask: "u32", additionalGids: "id[]" },
  LinuxCapabilities: {
    bounding: "string[]", effective: "string[]", inheritable: "string[]", permitted: "string[]",
    ambient: "string[]",
  },
  POSIXRlimit: { type: "string!", hard: "u64!", soft: "u64!" },
  Scheduler: {
    policy: "string!", nice: "i32", priority: "i32", flags: "string[]", runtime: "u64",
    deadline: "u64", period: "u64",
  },
  LinuxIOPriority: { class: "string!", priority: "i32!" },
  CPUAffinity: { initial: "string", final: "string" },
  Root: { path: "path!", readonly: "bool" },
  Mount: {
    destination: "path!", type: "string", source: "path", options: "string[]",
    uidMappings: "LinuxIDMapping[]", gidMappings: "LinuxIDMapping[]",
  },
  Hook: { path: "path!", args: "string[]", env: "string[]", timeout: "i32" },
  Hooks: {
    prestart: "Hook[]", createRuntime: "Hook[]", createContainer: "Hook[]",
    startContainer: "Hook[]", poststart: "Hook[]", poststop: "Hook[]",
  },
  Linux: {
    uidMappings: "LinuxIDMapping[]", gidMappings: "LinuxIDMapping[]", sysctl: "string{}",
    resources: "LinuxResources", cgroupsPath: "path", namespaces: "LinuxNamespace[]",
    devices: "LinuxDevice[]", netDevices: "LinuxNetDevice{}", seccomp: "LinuxSeccomp",
    rootfsPropagation: "string", maskedPaths: "path[]", readonlyPaths: "path[]",
    mountLabel: "string", intelRdt: "LinuxIntelRdt", memoryPolicy: "LinuxMemoryPolicy",
    personality: "LinuxPersonality", timeOffsets: "LinuxTimeOffset{}",
  },
  LinuxNamespace: { type: "string!", path: "path" },
  LinuxIDMapping: { containerID: "id!", hostID: "id!", size: "u32!" },
  LinuxTimeOffset: { secs: "i64", nanosecs: "u32" },
  LinuxDevice: {
    path: "path!", type: "string!", major: "i64?", minor: "i64?", fileMode: "u32", uid: "id",
    gid: "id",
  },
  LinuxNetDevice: { name: "string" },
  LinuxResources: {
    devices: "LinuxDeviceCgroup[]", memory: "LinuxMemory", cpu: "LinuxCPU", pids: "LinuxPids",
    blockIO: "LinuxBlockIO", hugepageLimits: "LinuxHugepageLimit[]", network: "LinuxNetwork",
    rdma: "LinuxRdma{}", unified: "string{}",
  },
  LinuxDeviceCgroup: {
    allow: "bool!", type: "string", major: "i64", minor: "i64", access: "string",
  },
  LinuxMemory: {
    limit: "i64", reservation: "i64", swap: "i64", kernel: "i64", kernelTCP: "i64",
    swappiness: "u64n", disableOOMKiller: "bool", useHierarchy: "bool", checkBeforeUpdate: "bool",
  },
  LinuxCPU: {
    shares: "u64n", quota: "i64", burst: "u64n", period: "u64n", realtimeRuntime: "i64",
    realtimePeriod: "u64n", cpus: "string", mems: "string", idle: "i64",
  },
  LinuxPids: { limit: "i64" },
  LinuxBlockIO: {
    weight: "u16", leafWeight: "u16", weightDevice: "LinuxWeightDevice[]",
    throttleReadBpsDevice: "LinuxThrottleDevice[]", throttleWriteBpsDevice: "LinuxThrottleDevice[]",
    throttleReadIOPSDevice: "LinuxThrottleDevice[]",
    throttleWriteIOPSDevice: "LinuxThrottleDevice[]",
  },
  LinuxWeightDevice: { major: "i64!", minor: "i64!", weight: "u16", leafWeight: "u16" },
  LinuxThrottleDevice: { major: "i64!", minor: "i64!", rate: "u64n!" },
  LinuxHugepageLimit: { pageSize: "string!", limit: "u64!" },
  LinuxNetwork: { classID: "u32", priorities: "LinuxInterfacePriority[]" },
  LinuxInterfacePriority: { name: "string!", priority: "u32!" },
  LinuxRdma: { hcaHandles: "u32", hcaObjects: "u32" },
  LinuxSeccomp: {
    defaultAction: "string!", defaultErrnoRet: "u32", architectures: "string[]", flags: "string[]",
    listenerPath: "path", listenerMetadata: "string", syscalls: "LinuxSyscall[]",
  },
  LinuxSyscall: {
    names: "string[]!", action: "string!", errnoRet: "u32", args: "LinuxSeccompArg[]",
  },
  LinuxSeccompArg: { index: "u32!", value: "u64!", valueTwo: "u64", op: "string!" },
  LinuxIntelRdt: {
    closID: "string", schemata: "string[]", l3CacheSchema: "string", memBwSchema: "string",
    enableMonitoring: "bool",
  },
  LinuxMemoryPolicy: { mode: "string!", nodes: "string", flags: "string[]" },
  LinuxPersonality: { domain: "string!", flags: "string[]" },
};

/** Integer scalars and their ranges; i64 and u64n become numbers, u64 keeps what is exact. */
const INTEGERS: Record<string, readonly [bigint, bigint]> = {
  u16: [0n, 0xffffn],
  u32: [0n, 0xffffffffn],
  id: [0n, 0xfffffffen], // 2^32-1 is "no change" to setresuid(2), so it is no id.
  i32: [-0x80000000n, 0x7fffffffn],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
  u64: [0n, 2n ** 64n - 1n],
  u64n: [0n, 2n ** 64n - 1n],
};

/**
 * Text scalars and how long they may be, in bytes: PATH_MAX less its NUL (path_resolution(7)), and
 * MAX_ARG_STRLEN less its NUL, the longest string that execve(2) takes.
 */
const TEXT_LIMITS: Record<string, number> = { path: 4095, string: 131071 };
/** Elements of one list or map: far above any use, and a bound on the work for a hostile file. */
const LIST_LIMIT = 65536;

/**
 * A copy of foreign JSON that has a shape's known fields only, each of its type; null is absent.
 *
 * @throws {SpecError} at the first field that is missing, of another type, or out of range
 */
export function shaped(value: unknown, shape: "Spec", field: string): Spec;
export function shaped(value: unknown, shape: "Process", field: string): Process;
export function shaped(value: unknown, shape: string, field: string): unknown;
export function shaped(value: unknown, shape: string, field: string): unknown {
  if (shape.endsWith("[]")) return list(value, shape.slice(0, -2), field);
  if (shape.endsWith("{}")) return map(value, shape.slice(0, -2), field);
  const fields = SHAPES[shape];
  if (fields === undefined) return scalar(value, shape, field);
  if (!isObject(value)) throw wrong(field, "an object", value);
  const into: Record<string, unknown> = {};
  for (const name in fields) {
    const type = fields[name] as string;
    const isNeeded = type.endsWith("!"), isZero = type.endsWith("?");
    const inner = Object.hasOwn(value, name) ? value[name] : undefined;
    if (inner !== undefined && inner !== null) {
      into[name] = shaped(inner, isNeeded || isZero ? type.slice(0, -1) : type, at(field, name));
    } else if (isNeeded) throw new SpecError(at(field, name), "is missing");
    else if (isZero) into[name] = 0;
  }
  return into;
}

function at(field: string, name: string): string {
  return field === "" ? name : `${field}.${name}`;
}

function list(value: unknown, shape: string, field: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(field, "a list", value);
  if (value.length > LIST_LIMIT) {
    throw new SpecError(field, `must have at most ${LIST_LIMIT} elements, has ${value.length}`);
  }
  // Hundreds of them are names of system calls: only what is wrong is told where it is.
  const limit = TEXT_LIMITS[shape] ?? -1;
  return value.map((item: unknown, index) =>
    typeof item === "string" && fits(item, limit) ? item : shaped(item, shape, `${field}[${index}]`)
  );
}

function map(value: unknown, shape: string, field: string): Record<string, unknown> {
  if (!isObject(value)) throw wrong(field, "an object", value);
  const entries = Object.entries(value);
  if (entries.length > LIST_LIMIT) {
    throw new SpecError(field, `must have at most ${LIST_LIMIT} names, has ${entries.length}`);
  }
  // fromEntries defines own properties, so that a name "__proto__" is a name like any other.
  return Object.fromEntries(entries.map(([name, item]) => {
    if (name === "") throw new SpecError(field, "has an empty name");
    scalar(name, "string", `${field}[${quote(name)}]`);
    return [name, shaped(item, shape, `${field}[${quote(name)}]`)];
  }));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function scalar(value: unknown, type: string, field: string): unknown {
  if (type === "bool") {
    if (typeof value !== "boolean") throw wrong(field, "true or false", value);
    return value;
  }
  const limit = TEXT_LIMITS[type];
  if (limit !== undefined) {
    if (typeof value !== "string") throw wrong(field, "a string", value);
    return text(value, limit, field);
  }
  return integer(value, type, field);
}

function text(value: string, limitBytes: number, field: string): string {
  if (fits(value, limitBytes)) return value;
  throw new SpecError(
    field,
    value.includes("\0")
      ? `must not contain NUL: ${quote(value)}`
      : `must have at most ${limitBytes} bytes: ${quote(value)}`,
  );
}

/** Whether a string has no NUL, before which the kernel would end it, and is no longer in UTF-8. */
function fits(value: string, limitBytes: number): boolean {
  if (value.includes("\0")) return false;
  // A code unit is at most three bytes, so that short strings need no encoding.
  return value.length * 3 <= limitBytes || new TextEncoder().encode(value).length <= limitBytes;
}

function integer(value: unknown, type: string, field: string): number | bigint {
  const range = INTEGERS[type];
  if (range === undefined) throw new Error(`cannot check "${field}": no shape "${type}"`);
  if (typeof value !== "bigint" && !(typeof value === "number" && Number.isInteger(value))) {
    throw wrong(field, "an integer", value);
  }
  // Nearly all of them: bigints are slow.
  if (Number.isSafeInteger(value) && value >= Number(range[0]) && value <= Number(range[1])) {
    return Number(value);
  }
  // Plain JSON.parse rounds the greatest integers up, and so out of their range.
  const rounded = typeof value === "number" && value > 0 && BigInt(value) === range[1] + 1n;
  const exact = rounded && value > 2 ** 62 ? range[1] : BigInt(value);
  if (exact < range[0] || exact > range[1]) {
    throw new SpecError(field, `must be from ${range[0]} to ${range[1]}, is ${exact}`);
  }
  const number = Number(exact);
  return type !== "u64" || Number.isSafeInteger(number) ? number : exact;
}

function wrong(field: string, wanted: string, value: unknown): SpecError {
  return new SpecError(
    field === "" ? "(whole file)" : field,
    `must be ${wanted}, is ${quote(value)}`,
  );
}

/** A foreign value for a message: JSON, on one line, shortened. */
export function quote(value: unknown): string {
  const text = typeof value === "bigint" ? String(value) : JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
