/**
 * The texts of /proc and /sys that say what a host has; pure.
 *
 * @see proc(5), proc_pid_mountinfo(5), proc_pid_limits(5)
 */

/** The names that are set in a mask of /proc/PID/status, `CapEff:` for one; [] without the line. */
export function capabilitiesIn(status: string, line: string, names: readonly string[]): string[] {
  const hex = fieldOf(status, line);
  if (hex === undefined || !/^[0-9a-f]+$/.test(hex)) return [];
  const mask = BigInt(`0x${hex}`);
  return names.filter((_, bit) => (mask >> BigInt(bit) & 1n) === 1n);
}

/** The value of a line `Name:\tvalue` of /proc/PID/status. */
export function fieldOf(status: string, name: string): string | undefined {
  const line = status.split("\n").find((line) => line.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

/** One mount. */
export interface Mount {
  point: string;
  type: string;
}

/** The mount of /proc/PID/mountinfo that has an id. */
export function mountIn(mountinfo: string, id: string): Mount | undefined {
  const line = mountinfo.split("\n").find((line) => line.startsWith(`${id} `));
  const [before = "", after] = line?.split(" - ") ?? [];
  const [, , , , point] = before.split(" ");
  const [type] = after?.split(" ") ?? [];
  return point === undefined || type === undefined ? undefined : { point: unescape(point), type };
}

/** Blanks, tabs, newlines and backslashes are octal in mountinfo. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}

/** The hard limit of a line of /proc/PID/limits, `Max open files`; Infinity for "unlimited". */
export function hardLimit(limits: string, name: string): number | undefined {
  const [, , hard] = limits.split("\n").map((line) => line.split(/\s{2,}/))
    .find(([first]) => first === name) ?? [];
  return hard === undefined ? undefined : hard === "unlimited" ? Infinity : Number(hard);
}

/** Major and minor of a kernel release, "6.1.0-56-cloud-amd64"; undefined for another text. */
export function kernelVersion(release: string): [major: number, minor: number] | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor)];
}

/** Whether a release is of a version or a later one; false for a text that is none. */
export function isAtLeast(release: string, major: number, minor: number): boolean {
  const version = kernelVersion(release);
  if (version === undefined) return false;
  return version[0] > major || version[0] === major && version[1] >= minor;
}

/** Whether a uid_map is that of the initial user namespace: every id is itself. */
export function isInitialMap(uidMap: string): boolean {
  return uidMap.trim().split(/\s+/).join(" ") === "0 0 4294967295";
}

/** The size of all swap of /proc/swaps in bytes. */
export function swapBytes(swaps: string): number {
  return swaps.trim().split("\n").slice(1)
    .reduce((sum, line) => sum + Number(line.split(/\s+/)[2] ?? 0) * 1024, 0);
}

/** Bytes in the units that du(1) shows: 1536 → "1.5 KiB". */
export function inBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes, unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
