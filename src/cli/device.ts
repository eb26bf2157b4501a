import { cleanPath } from "../spec/mod.ts";
import type { LinuxDeviceCgroup } from "../spec/mod.ts";
import { UsageError } from "./usage_error.ts";

/** A device that was asked for: `--device`. */
export interface DeviceWish {
  /** On the host: a device, or a directory with some. */
  source: string;
  /** Inside the container; absolute and clean. */
  destination: string;
  /** Letters of "rwm" for the devices cgroup. */
  access: string;
}

/**
 * A host device: `SRC[:DST][:rwm]`.
 *
 * @throws {UsageError} if it is none
 */
export function parseDevice(text: string): DeviceWish {
  const parts = text.split(":");
  const isAccess = (part = "") => /^[rwm]{1,3}$/.test(part) && new Set(part).size === part.length;
  const access = parts.length > 1 && isAccess(parts.at(-1)) ? parts.pop() ?? "" : "rwm";
  const [source = "", destination = source, more] = parts;
  if (more !== undefined || source === "" || destination === "") {
    throw new UsageError(`"${text}" is not SRC[:DST][:rwm]`);
  }
  for (const path of [source, destination]) {
    if (!path.startsWith("/")) throw new UsageError(`"${path}" is not an absolute path`);
  }
  return { source: cleanPath(source), destination: cleanPath(destination), access };
}

/**
 * A rule of the devices cgroup: `TYPE MAJOR:MINOR ACCESS`, as "c 1:3 rwm" or "b *:* r".
 *
 * @throws {UsageError} if it is none
 */
export function parseDeviceRule(text: string): LinuxDeviceCgroup {
  const [, type, major = "", minor = "", access] =
    /^([acb]) (\d{1,4}|\*):(\d{1,7}|\*) ([rwm]{1,3})$/.exec(text) ?? [];
  if (type === undefined || access === undefined || new Set(access).size !== access.length) {
    throw new UsageError(`"${text}" is not a device rule, as "c 1:3 rwm"`);
  }
  return {
    allow: true,
    type,
    ...major !== "*" && { major: Number(major) },
    ...minor !== "*" && { minor: Number(minor) },
    access,
  };
}

/**
 * A block device's limit or weight: `DEVICE:VALUE`; the value is read by `parse`.
 *
 * @throws {UsageError} if it is none
 */
export function parseDeviceValue(
  text: string,
  parse: (text: string) => number,
): { path: string; value: number } {
  const at = text.lastIndexOf(":");
  const path = text.slice(0, Math.max(at, 0));
  if (!path.startsWith("/dev/")) throw new UsageError(`"${text}" is not /dev/NAME:VALUE`);
  return { path: cleanPath(path), value: parse(text.slice(at + 1)) };
}
