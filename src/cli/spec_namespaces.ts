import type { LinuxNamespaceType } from "../spec/mod.ts";
import { parsed } from "./grammar.ts";
import type { RunSpec, Wish } from "./run_spec.ts";
import { setNamespace } from "./spec_network.ts";
import { UsageError } from "./usage_error.ts";

/** `--pid --ipc --uts --cgroupns --userns --uidmap --gidmap`. */
export async function applyNamespaces(made: RunSpec, wish: Wish): Promise<void> {
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
  await applyUser(made, wish);
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

async function applyUser(made: RunSpec, wish: Wish): Promise<void> {
  const { flags } = wish.line;
  if (flags.userns === undefined && flags.uidmap.length + flags.gidmap.length === 0) return;
  const { parseIdMap } = await import("./user.ts");
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
