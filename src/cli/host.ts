import { findContainer } from "../container/find.ts";
import { isRunning } from "../container/live.ts";
import type { Roots } from "../container/state.ts";
import { CAPABILITY_NAMES } from "../plan/credentials.ts";
import type { HostDevice, OtherContainer, RunContext } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";

const TYPE_MASK = 0o170000, CHARACTER = 0o020000, BLOCK = 0o060000;

/** `--userns private` without maps: ids that login users do not have; subuid(5)'s first by custom. */
const DEFAULT_ID_MAPS = {
  uid: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  gid: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
};

/** What flags ask of this host, each looked up only when a flag asks. */
export function hostLookups(
  roots: Roots,
): Omit<RunContext, "id" | "root" | "command"> {
  return {
    get cwd() {
      return Deno.cwd();
    },
    get hostname() {
      return Deno.hostname();
    },
    get cpus() {
      return navigator.hardwareConcurrency;
    },
    get capabilities() {
      return ownCapabilities();
    },
    env: (name) => Deno.env.get(name),
    readFile: (path) => {
      try {
        return Deno.readFileSync(path);
      } catch (cause) {
        throw new UsageError(`cannot read "${path}": ${messageOf(cause)}`, { cause });
      }
    },
    devices,
    idMaps: DEFAULT_ID_MAPS,
    container: (name) => otherContainer(roots, name),
    volume: async (name) => (await import("../container/volumes.ts")).resolveVolume(roots, name),
    mountsOf: async (name) => await (await import("../container/mounts.ts")).mountsOf(roots, name),
  };
}

/** What this process may give away: nobody can give more than that; proc(5), CapPrm. */
export function ownCapabilities(): string[] {
  const text = Deno.readTextFileSync("/proc/self/status");
  const bits = BigInt(`0x${/^CapPrm:\s*(\S+)/m.exec(text)?.[1] ?? "0"}`);
  return CAPABILITY_NAMES.filter((_, number) => (bits & (1n << BigInt(number))) !== 0n)
    .map((name) => `CAP_${name}`);
}

function messageOf(error: unknown): string {
  return error instanceof Deno.errors.NotFound
    ? "it does not exist"
    : error instanceof Error
    ? error.message
    : String(error);
}

/** The device at a path, or those below a directory. */
function devices(path: string): HostDevice[] {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch {
    return [];
  }
  if (info.isDirectory) {
    return Array.from(Deno.readDirSync(path)).flatMap(({ name }) => devices(`${path}/${name}`));
  }
  const { mode, rdev, uid, gid } = info;
  const kind = (mode ?? 0) & TYPE_MASK;
  if (kind !== CHARACTER && kind !== BLOCK) return [];
  const number = BigInt(rdev ?? 0); // makedev(3): 12 bits of major within 20 of minor.
  return [{
    path,
    type: kind === CHARACTER ? "c" : "b",
    major: Number((number >> 8n) & 0xfffn),
    minor: Number((number & 0xffn) | ((number >> 12n) & 0xfff00n)),
    mode: (mode ?? 0) & 0o7777,
    uid: uid ?? 0,
    gid: gid ?? 0,
  }];
}

/** Another container, whose namespaces are to be joined; undefined if it does not run. */
function otherContainer(roots: Roots, name: string): OtherContainer | undefined {
  const { state } = findContainer(roots, name);
  return isRunning(state) ? { id: state.id, pid: state.pid } : undefined;
}
