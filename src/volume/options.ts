import { VolumeError } from "./store.ts";

/** How a volume is mounted that is not a directory of the store. */
export interface VolumeMount {
  type: string;
  source: string;
  /** As in config.json. */
  options: string[];
}

const KEYS = ["type", "device", "o"];
const BINDS = ["bind", "rbind"];

/**
 * Looks at the options of docker's local driver: `type`, `device` and `o`, which are mount(8)'s.
 *
 * @throws {VolumeError} for one that there is not, or that lacks another
 */
export function checkOptions(options: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(options)) {
    if (!KEYS.includes(key)) {
      throw new VolumeError(
        `there is no option "${key}" of a local volume: there are type, device, o`,
      );
    }
  }
  const { type, device, o } = options;
  if (Object.keys(options).length === 0) return;
  if (device === undefined || (type === undefined && !isBind(o))) {
    throw new VolumeError(
      'a local volume with options needs "device" and "type", or "device" and "o=bind"',
    );
  }
  if (isBind(o) && !device.startsWith("/")) {
    throw new VolumeError(`the device "${device}" of a bind mount is not an absolute path`);
  }
}

/**
 * What is mounted instead of the volume's directory; undefined where the volume has no options.
 *
 * Each container mounts it for itself: a tmpfs is not shared, other than under dockerd.
 */
export function mountOf(options: Readonly<Record<string, string>>): VolumeMount | undefined {
  const { type = "none", device, o = "" } = options;
  if (device === undefined) return undefined;
  const words = o.split(",").filter((word) => word !== "");
  if (!isBind(o)) return { type, source: device, options: words };
  const depth = words.includes("rbind") ? "rbind" : "bind";
  const rest = words.filter((word) => !BINDS.includes(word));
  return { type: "bind", source: device, options: [depth, ...rest] };
}

function isBind(o = ""): boolean {
  return o.split(",").some((word) => BINDS.includes(word));
}
