import { SpecError } from "./error.ts";
import type { Process, Spec } from "./types.ts";

/**
 * The shapes of config.json as data: `name` or `name=TYPE` per field, where TYPE is a shape's
 * name, a scalar, or one of these with `[]` (list) or `{}` (map of names to it); no TYPE is
 * "string", `!` ends a field that must be there, `?` one that is 0 where it is absent. What they mean is in types.ts.
 */
const SHAPES: Record<string, string> = {
  Spec: "ociVersion! process=Process root=Root hostname domainname mounts=Mount[] hooks=Hooks " +
    "annotations=string{} linux=Linux",
  Process: "terminal=bool consoleSize=Box user=User! args=string[] env=string[] cwd=path! " +
    "capabilities=LinuxCapabilities rlimits=POSIXRlimit[] noNewPrivileges=bool apparmorProfile " +
    "oomScoreAdj=i32 scheduler=Scheduler selinuxLabel ioPriority=LinuxIOPriority " +
    "execCPUAffinity=CPUAffinity",
  Box: "height=u16! width=u16!",
  User: "uid=id! gid=id! umask=u32 additionalGids=id[]",
  LinuxCapabilities: "bounding=string[] effective=string[] inheritable=string[] " +
    "permitted=string[] ambient=string[]",
  POSIXRlimit: "type! hard=u64! soft=u64!",
  Scheduler: "policy! nice=i32 priority=i32 flags=string[] runtime=u64 deadline=u64 period=u64",
  LinuxIOPriority: "class! priority=i32!",
  CPUAffinity: "initial final",
  Root: "path=path! readonly=bool",
  Mount: "destination=path! type source=path options=string[] uidMappings=LinuxIDMapping[] " +
    "gidMappings=LinuxIDMapping[]",
  Hook: "path=path! args=string[] env=string[] timeout=i32",
  Hooks: "prestart=Hook[] createRuntime=Hook[] createContainer=Hook[] startContainer=Hook[] " +
    "poststart=Hook[] poststop=Hook[]",
  Linux: "uidMappings=LinuxIDMapping[] gidMappings=LinuxIDMapping[] sysctl=string{} " +
    "resources=LinuxResources cgroupsPath=path namespaces=LinuxNamespace[] " +
    "devices=LinuxDevice[] netDevices=LinuxNetDevice{} seccomp=LinuxSeccomp rootfsPropagation " +
    "maskedPaths=path[] readonlyPaths=path[] mountLabel intelRdt=LinuxIntelRdt " +
    "memoryPolicy=LinuxMemoryPolicy personality=LinuxPersonality timeOffsets=LinuxTimeOffset{}",
  LinuxNamespace: "type! path=path",
  LinuxIDMapping: "containerID=id! hostID=id! size=u32!",
  LinuxTimeOffset: "secs=i64 nanosecs=u32",
  LinuxDevice: "path=path! type! major=i64? minor=i64? fileMode=u32 uid=id gid=id",
  LinuxNetDevice: "name",
  LinuxResources: "devices=LinuxDeviceCgroup[] memory=LinuxMemory cpu=LinuxCPU pids=LinuxPids " +
    "blockIO=LinuxBlockIO hugepageLimits=LinuxHugepageLimit[] network=LinuxNetwork " +
    "rdma=LinuxRdma{} unified=string{}",
  LinuxDeviceCgroup: "allow=bool! type major=i64 minor=i64 access",
  LinuxMemory: "limit=i64 reservation=i64 swap=i64 kernel=i64 kernelTCP=i64 swappiness=u64n " +
    "disableOOMKiller=bool useHierarchy=bool checkBeforeUpdate=bool",
  LinuxCPU: "shares=u64n quota=i64 burst=u64n period=u64n realtimeRuntime=i64 " +
    "realtimePeriod=u64n cpus mems idle=i64",
  LinuxPids: "limit=i64",
  LinuxBlockIO: "weight=u16 leafWeight=u16 weightDevice=LinuxWeightDevice[] " +
    "throttleReadBpsDevice=LinuxThrottleDevice[] throttleWriteBpsDevice=LinuxThrottleDevice[] " +
    "throttleReadIOPSDevice=LinuxThrottleDevice[] throttleWriteIOPSDevice=LinuxThrottleDevice[]",
  LinuxWeightDevice: "major=i64! minor=i64! weight=u16 leafWeight=u16",
  LinuxThrottleDevice: "major=i64! minor=i64! rate=u64n!",
  LinuxHugepageLimit: "pageSize! limit=u64!",
  LinuxNetwork: "classID=u32 priorities=LinuxInterfacePriority[]",
  LinuxInterfacePriority: "name! priority=u32!",
  LinuxRdma: "hcaHandles=u32 hcaObjects=u32",
  LinuxSeccomp: "defaultAction! defaultErrnoRet=u32 architectures=string[] flags=string[] " +
    "listenerPath=path listenerMetadata syscalls=LinuxSyscall[]",
  LinuxSyscall: "names=string[]! action! errnoRet=u32 args=LinuxSeccompArg[]",
  LinuxSeccompArg: "index=u32! value=u64! valueTwo=u64 op!",
  LinuxIntelRdt: "closID schemata=string[] l3CacheSchema memBwSchema enableMonitoring=bool",
  LinuxMemoryPolicy: "mode! nodes flags=string[]",
  LinuxPersonality: "domain! flags=string[]",
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

/** PATH_MAX less its NUL, in bytes; path_resolution(7). */
const PATH_LIMIT_BYTES = 4095;
/** MAX_ARG_STRLEN less its NUL, in bytes, the longest string that execve(2) takes. */
const STRING_LIMIT_BYTES = 131071;
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
  const from = object(value, field);
  const into: Record<string, unknown> = {};
  for (const { name, type, mark } of fieldsOf(shape, fields)) {
    const path = field === "" ? name : `${field}.${name}`;
    const inner = Object.hasOwn(from, name) ? from[name] : undefined;
    if (inner !== undefined && inner !== null) into[name] = shaped(inner, type, path);
    else if (mark === "!") throw new SpecError(path, "is missing");
    else if (mark === "?") into[name] = 0;
  }
  return into;
}

type Field = { name: string; type: string; mark: string };
const read = new Map<string, Field[]>();

/** The fields of a shape, taken apart once. */
function fieldsOf(shape: string, text: string): Field[] {
  let fields = read.get(shape);
  if (fields === undefined) {
    fields = text.split(" ").map((item) => {
      const mark = item.endsWith("!") ? "!" : item.endsWith("?") ? "?" : "";
      const [name = "", type = "string"] = item.slice(0, item.length - mark.length).split("=");
      return { name, type, mark };
    });
    read.set(shape, fields);
  }
  return fields;
}

function list(value: unknown, shape: string, field: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(field, "a list", value);
  if (value.length > LIST_LIMIT) {
    throw new SpecError(field, `must have at most ${LIST_LIMIT} elements, has ${value.length}`);
  }
  // Hundreds of them are names of system calls: only what is wrong is told where it is.
  const isText = (item: unknown) =>
    shape === "string" && typeof item === "string" && fits(item, STRING_LIMIT_BYTES);
  return value.map((item: unknown, index) =>
    isText(item) ? item : shaped(item, shape, `${field}[${index}]`)
  );
}

function map(value: unknown, shape: string, field: string): Record<string, unknown> {
  const entries = Object.entries(object(value, field));
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

function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(field === "" ? "(whole file)" : field, "an object", value);
  }
  return { ...value };
}

function scalar(value: unknown, type: string, field: string): unknown {
  if (type === "bool") {
    if (typeof value !== "boolean") throw wrong(field, "true or false", value);
    return value;
  }
  if (type === "string" || type === "path") {
    if (typeof value !== "string") throw wrong(field, "a string", value);
    return text(value, type === "path" ? PATH_LIMIT_BYTES : STRING_LIMIT_BYTES, field);
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
  return new SpecError(field, `must be ${wanted}, is ${quote(value)}`);
}

/** A foreign value for a message: JSON, on one line, shortened. */
export function quote(value: unknown): string {
  const text = typeof value === "bigint" ? String(value) : JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
