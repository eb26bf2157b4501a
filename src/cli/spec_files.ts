import { cleanPath } from "../spec/mod.ts";
import type { LinuxDevice, Mount } from "../spec/mod.ts";
import { parseDevice, parseDeviceRule } from "./device.ts";
import { parsed } from "./grammar.ts";
import { parseSize } from "./number.ts";
import type { Draft, RunSpec, Wish } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";
import { parseMount, parseTmpfs, parseVolume } from "./volume.ts";
import type { Volume } from "./volume.ts";

/** Mounts, the read-only root, /dev/shm, devices. */
export async function applyFiles(made: RunSpec, wish: Wish): Promise<void> {
  const { flags } = wish.line;
  const { spec } = made;
  if (flags["read-only"] && spec.root) spec.root.readonly = true;
  if (flags["shm-size"] !== undefined) setShmSize(made, flags["shm-size"]);
  const wanted = [
    ...flags.volume.map((text) => parsed("--volume", text, parseVolume)),
    ...flags.mount.map((text) => parsed("--mount", text, parseMount)),
    ...flags.tmpfs.map((text) => parsed("--tmpfs", text, parseTmpfs)),
  ];
  const mounts: Mount[] = [];
  for (const one of wanted) mounts.push(await mountOf(one, made, wish));
  const taken = new Set(mounts.map(({ destination }) => destination));
  for (const text of flags["volumes-from"]) {
    for (const mount of await mountsFrom(text, made, wish)) {
      if (taken.has(mount.destination)) continue; // The user's own, or another container's before.
      taken.add(mount.destination);
      mounts.push(mount);
    }
  }
  spec.mounts = merged(spec.mounts, mounts);
  for (const text of flags.device) addDevices(spec, wish, text);
  for (const text of flags["device-cgroup-rule"]) {
    const rule = parsed("--device-cgroup-rule", text, parseDeviceRule);
    (spec.linux.resources.devices ??= []).push(rule);
  }
}

/**
 * The mounts of the spec and the user's: a user's mount takes the place of one with the same mount
 * point; they are behind the others, a mount point before those in it.
 *
 * @throws {UsageError} if two of the user's have the same mount point
 */
export function merged(defaults: readonly Mount[], wanted: readonly Mount[]): Mount[] {
  const points = new Set<string>();
  for (const { destination } of wanted) {
    if (points.has(destination)) throw new UsageError(`two mounts on "${destination}"`);
    points.add(destination);
  }
  // Behind a /dev of the user's, the others' /dev/pts would be made on the host.
  const kept = defaults.filter(({ destination }) =>
    !points.has(destination) && !(points.has("/dev") && destination.startsWith("/dev/"))
  );
  const depth = ({ destination }: Mount) => destination.split("/").length;
  const order = (a: Mount, b: Mount) =>
    depth(a) - depth(b) || (a.destination < b.destination ? -1 : 1);
  return [...kept, ...wanted.toSorted(order)];
}

async function mountOf(wanted: Volume, made: RunSpec, { context }: Wish): Promise<Mount> {
  const { type, source, destination, options } = wanted;
  if (type === "tmpfs") return { destination, type, source: "tmpfs", options };
  if (type === "volume") {
    if (!context.volume) {
      throw new UsageError(
        source === undefined
          ? `"${destination}" would be an anonymous volume: there are none here; give a host path`
          : `"${source}" would be a named volume: there are none here; give a path, as ./${source}`,
      );
    }
    const found = await context.volume(source);
    const { createSources, volumes } = made.engine;
    volumes.push({
      name: found.name,
      destination,
      anonymous: source === undefined,
      copy: !wanted.noCopy,
    });
    if (found.options.length === 0) {
      createSources.push(found.source);
      return { destination, type: found.type, source: found.source, options };
    }
    const readonly = options.filter((option) => option === "ro" || option === "rro");
    const own = found.type === "bind" ? ["rprivate"] : [];
    return {
      destination,
      type: found.type,
      source: found.source,
      options: [...found.options, ...own, ...readonly],
    };
  }
  if (source?.startsWith("~")) {
    throw new UsageError(`"${source}": the shell replaces "~" only at the beginning of a word`);
  }
  const path = source?.startsWith("/") ? source : `${context.cwd}/${source}`;
  const clean = cleanPath(path);
  if (wanted.createSource) made.engine.createSources.push(clean);
  return { destination, type: "bind", source: clean, options };
}

/** `--volumes-from NAME[:ro|:rw]`: mounts and volumes of another container. */
async function mountsFrom(text: string, made: RunSpec, { context }: Wish): Promise<Mount[]> {
  const [, name = "", mode = "rw"] = /^(.+?)(?::(ro|rw|z|Z))?$/.exec(text) ?? [];
  if (!context.mountsOf) throw new UsageError("--volumes-from: no other container is known here");
  const { mounts, volumes } = await context.mountsOf(name);
  made.engine.volumes.push(...volumes.map((use) => ({ ...use, anonymous: false, copy: false })));
  return mounts.map((mount) => {
    const options = mount.options?.filter((option) => option !== "rw") ?? [];
    const isReadonly = options.some((option) => option === "ro" || option === "rro");
    return { ...mount, options: mode === "ro" && !isReadonly ? [...options, "ro"] : options };
  });
}

function setShmSize({ spec }: RunSpec, text: string): void {
  const bytes = parsed("--shm-size", text, parseSize);
  if (bytes === 0) throw new UsageError("--shm-size: must be above 0");
  const shm = spec.mounts.find(({ destination }) => destination === "/dev/shm");
  if (shm?.type !== "tmpfs") {
    throw new UsageError("--shm-size: /dev/shm is not this container's own");
  }
  const others = (shm.options ?? []).filter((option) => !option.startsWith("size="));
  shm.options = [...others, `size=${bytes}`];
}

function addDevices(spec: Draft, { context }: Wish, text: string): void {
  const { source, destination, access } = parsed("--device", text, parseDevice);
  const found = context.devices(source);
  if (found.length === 0) {
    throw new UsageError(`--device: "${source}" is neither a device nor a directory with some`);
  }
  for (const { path, type, major, minor, mode, uid, gid } of found) {
    const inside = destination + path.slice(source.length);
    const device: LinuxDevice = { path: inside, type, major, minor, fileMode: mode, uid, gid };
    spec.linux.devices = spec.linux.devices.filter((other) => other.path !== inside);
    spec.linux.devices.push(device);
    (spec.linux.resources.devices ??= []).push({ allow: true, type, major, minor, access });
  }
}
