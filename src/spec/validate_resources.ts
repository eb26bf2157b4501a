import { SpecError } from "./error.ts";
import { quote } from "./shape.ts";
import type { Linux, LinuxBlockIO, LinuxResources } from "./types.ts";

/** Bits of a device number's halves inside the kernel, linux/kdev_t.h. */
const MAJOR_LIMIT = 2 ** 12;
const MINOR_LIMIT = 2 ** 20;

/**
 * The nodes of `linux.devices`.
 *
 * @throws {SpecError} that names the first field which is wrong
 */
export function checkDevices({ devices = [] }: Linux): void {
  const paths = new Set<string>();
  for (const [index, { path, type, major, minor, fileMode = 0 }] of devices.entries()) {
    const field = `linux.devices[${index}]`;
    if (!path.startsWith("/")) {
      throw new SpecError(`${field}.path`, `must be absolute, is ${quote(path)}`);
    }
    if (paths.has(path)) throw new SpecError(`${field}.path`, `is there twice: ${quote(path)}`);
    paths.add(path);
    if (!["c", "b", "u", "p"].includes(type)) {
      throw new SpecError(`${field}.type`, `must be "c", "b", "u" or "p", is ${quote(type)}`);
    }
    checkNumbers({ major, minor }, field);
    // Go's os.FileMode has type bits above these, which engines pass on.
    if (fileMode < 0 || fileMode > 0xffffffff) {
      throw new SpecError(`${field}.fileMode`, `must be a mode, is ${fileMode}`);
    }
  }
}

/**
 * What `linux.resources` says beyond its types.
 *
 * @throws {SpecError} that names the first field which is wrong
 */
export function checkResources(resources: LinuxResources): void {
  checkDeviceRules(resources);
  const { memory, cpu, pids, blockIO, hugepageLimits = [], unified = {} } = resources;
  for (const name of ["limit", "reservation", "swap", "kernel", "kernelTCP"] as const) {
    checkUnlimited(memory?.[name], `linux.resources.memory.${name}`);
  }
  if ((memory?.swappiness ?? 0) > 100) {
    throw new SpecError("linux.resources.memory.swappiness", "must be from 0 to 100");
  }
  checkUnlimited(pids?.limit, "linux.resources.pids.limit");
  for (const name of ["cpus", "mems"] as const) {
    const list = cpu?.[name] ?? "";
    if (!/^[\d,\s-]*$/.test(list)) {
      throw new SpecError(`linux.resources.cpu.${name}`, `must be like 0-3,7, is ${quote(list)}`);
    }
  }
  if (blockIO) checkBlockIO(blockIO);
  for (const [index, { pageSize }] of hugepageLimits.entries()) {
    if (!/^[1-9]\d*[KMG]B$/.test(pageSize)) {
      throw new SpecError(
        `linux.resources.hugepageLimits[${index}].pageSize`,
        `must be like 2MB, is ${quote(pageSize)}`,
      );
    }
  }
  for (const file of Object.keys(unified)) {
    // It becomes the name of a file that is written to as the host's root.
    if (!/^[a-z][\w-]*(\.[\w-]+)+$/.test(file)) {
      throw new SpecError("linux.resources.unified", `knows no file ${quote(file)}`);
    }
  }
}

function checkDeviceRules({ devices = [] }: LinuxResources): void {
  for (const [index, { type = "a", access = "", major, minor }] of devices.entries()) {
    const field = `linux.resources.devices[${index}]`;
    if (!["", "a", "c", "b"].includes(type)) {
      throw new SpecError(`${field}.type`, `must be "a", "c" or "b", is ${quote(type)}`);
    }
    if (!/^[rwm]*$/.test(access)) {
      throw new SpecError(`${field}.access`, `must be letters of "rwm", is ${quote(access)}`);
    }
    checkNumbers({ major, minor }, field);
  }
}

function checkBlockIO(blockIO: LinuxBlockIO): void {
  const field = "linux.resources.blockIO";
  const weights = [blockIO, ...blockIO.weightDevice ?? []];
  for (const { weight = 0, leafWeight = 0 } of weights) {
    const wrong = [weight, leafWeight].find((n) => n !== 0 && (n < 10 || n > 1000));
    if (wrong !== undefined) {
      throw new SpecError(`${field}.weight`, `must be from 10 to 1000, is ${wrong}`);
    }
  }
}

/** -1 stands for any number in a rule; a node is created with what is given. */
function checkNumbers(
  { major = -1, minor = -1 }: { major?: number | undefined; minor?: number | undefined },
  field: string,
): void {
  if (major < -1 || major >= MAJOR_LIMIT) {
    throw new SpecError(`${field}.major`, `must be below ${MAJOR_LIMIT}, is ${major}`);
  }
  if (minor < -1 || minor >= MINOR_LIMIT) {
    throw new SpecError(`${field}.minor`, `must be below ${MINOR_LIMIT}, is ${minor}`);
  }
}

function checkUnlimited(value: number | undefined, field: string): void {
  if (value !== undefined && value < -1) {
    throw new SpecError(field, `must be -1 (unlimited) or more, is ${value}`);
  }
}
