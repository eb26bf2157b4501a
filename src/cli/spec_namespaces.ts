import type { LinuxNamespaceType } from "../spec/mod.ts";
import { parsed } from "./grammar.ts";
import type { RunSpec, Wish } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";
import { parseIdMap } from "./user.ts";

/** A namespace's name in /proc/PID/ns where it is not that of config.json; namespaces(7). */
const PROC_NAMES: Partial<Record<LinuxNamespaceType, string>> = { network: "net", mount: "mnt" };

/**
 * Gives a namespace a mode: "host" shares the host's, "private" makes a new one,
 * "container:NAME" and "ns:PATH" join one.
 *
 * @throws {UsageError} for another mode, or a container that is not running
 */
export function setNamespace(
  { made, wish: { context } }: { made: RunSpec; wish: Wish },
  { type, flag, mode }: { type: LinuxNamespaceType; flag: string; mode: string },
): void {
  const { linux } = made.spec;
  const others = linux.namespaces.filter((namespace) => namespace.type !== type);
  if (mode === "host") {
    linux.namespaces = others;
  } else if (mode === "private") {
    linux.namespaces = [...others, { type }];
  } else if (mode.startsWith("container:")) {
    const name = mode.slice("container:".length);
    const other = context.container(name);
    if (!other) throw new UsageError(`${flag}: no running container "${name}"`);
    made.engine.joins.push(other.id);
    const path = `/proc/${other.pid}/ns/${PROC_NAMES[type] ?? type}`;
    linux.namespaces = [...others, { type, path }];
  } else if (mode.startsWith("ns:/")) {
    linux.namespaces = [...others, { type, path: mode.slice("ns:".length) }];
  } else {
    throw new UsageError(`${flag}: is host, private, container:NAME or ns:PATH, not "${mode}"`);
  }
}

/** `--pid --ipc --uts --cgroupns --userns --uidmap --gidmap`. */
export function applyNamespaces(made: RunSpec, wish: Wish): void {
  const { flags } = wish.line;
  const set = (type: LinuxNamespaceType, flag: string, mode: string | undefined) => {
    if (mode !== undefined && mode !== "") {
      setNamespace({ made, wish }, { type, flag, mode });
    }
  };
  set("pid", "--pid", flags.pid);
  set("cgroup", "--cgroupns", flags.cgroupns);
  set("uts", "--uts", flags.uts);
  if (flags.uts !== undefined && flags.uts !== "private" && flags.uts !== "") {
    for (const name of ["hostname", "domainname"] as const) {
      if (flags[name] !== undefined) {
        throw new UsageError(`--${name} and --uts ${flags.uts} exclude each other`);
      }
    }
    delete made.spec.hostname;
  }
  applyIpc(made, wish);
  applyUser(made, wish);
}

/** POSIX shared memory and message queues are files: they come along with the namespace. */
function applyIpc(made: RunSpec, wish: Wish): void {
  const mode = wish.line.flags.ipc ?? "";
  if (mode === "" || mode === "private" || mode === "shareable") return;
  const { spec } = made;
  const shm = spec.mounts.find(({ destination }) => destination === "/dev/shm");
  const mqueue = spec.mounts.find(({ destination }) => destination === "/dev/mqueue");
  if (mode === "none") {
    spec.mounts = spec.mounts.filter((mount) => mount !== shm);
    return;
  }
  setNamespace({ made, wish }, { type: "ipc", flag: "--ipc", mode });
  const [, name] = /^container:(.*)$/.exec(mode) ?? [];
  const source = name === undefined ? undefined : wish.context.container(name)?.shm;
  const from = mode === "host" ? "/dev/shm" : source;
  const options = ["rbind", "rprivate", "nosuid", "noexec", "nodev"];
  if (shm && from !== undefined) Object.assign(shm, { type: "bind", source: from, options });
  if (mqueue && mode === "host") {
    Object.assign(mqueue, { type: "bind", source: "/dev/mqueue", options });
  }
}

function applyUser(made: RunSpec, wish: Wish): void {
  const { flags } = wish.line;
  const { linux, mounts } = made.spec;
  const uid = flags.uidmap.map((map) => parsed("--uidmap", map, parseIdMap));
  const gid = flags.gidmap.map((map) => parsed("--gidmap", map, parseIdMap));
  const mapped = uid.length + gid.length > 0;
  const mode = flags.userns || (mapped ? "private" : "host");
  if (mapped && mode !== "private") {
    throw new UsageError(`--uidmap and --gidmap are for a new user namespace, not for "${mode}"`);
  }
  setNamespace({ made, wish }, { type: "user", flag: "--userns", mode });
  if (mode !== "private") return;
  const maps = mapped
    ? { uid: uid.length > 0 ? uid : gid, gid: gid.length > 0 ? gid : uid }
    : wish.context.idMaps;
  if (!maps) {
    throw new UsageError(
      "--userns private: no ids are set aside for it; give --uidmap 0:100000:65536 or the like",
    );
  }
  linux.uidMappings = [...maps.uid];
  linux.gidMappings = [...maps.gid];
  // devpts refuses to be mounted for a group that is not mapped.
  const hasTtyGroup = maps.gid.some(({ containerID, size }) =>
    containerID <= 5 && 5 < containerID + size
  );
  for (const mount of mounts) {
    if (mount.type === "devpts" && !hasTtyGroup && mount.options) {
      mount.options = mount.options.filter((option) => option !== "gid=5");
    }
  }
}
