/**
 * Which devices a cgroup may use: config.json's rules, and cgroup v1's files for them.
 *
 * The meaning is the same for both versions: nothing is allowed until a rule says so, and for each
 * of the three kinds of access (read, write, mknod) the last rule that speaks of it holds.
 * @see config-linux.md#allowed-device-list, the kernel's cgroup-v1/devices.rst
 * @module
 */
import { SpecError } from "../spec/error.ts";
import type { LinuxDeviceCgroup } from "../spec/types.ts";
import type { Setting } from "./setting.ts";

/** Kinds of access as bits; BPF_DEVCG_ACC_* of linux/bpf.h. */
export const MKNOD = 1, READ = 2, WRITE = 4, ALL = 7;

/** A rule with all that may be left out filled in. */
export interface DeviceRule {
  allow: boolean;
  /** "a" only with all numbers. */
  type: "a" | "b" | "c";
  /** -1: all. */
  major: number;
  minor: number;
  /** A sum of {@link MKNOD}, {@link READ} and {@link WRITE}. */
  access: number;
}

/**
 * `linux.resources.devices`, checked; absent or -1 numbers mean all, absent access is "rwm".
 * @throws SpecError for unknown types and letters
 */
export function deviceRules(devices: LinuxDeviceCgroup[]): DeviceRule[] {
  return devices.flatMap((device, i) => {
    const { allow, type = "a", major = -1, minor = -1 } = device;
    const access = accessBits(device.access ?? "rwm", i);
    const rule = (type: "a" | "b" | "c") => ({ allow, type, major, minor, access });
    if (type === "b") return [rule("b")];
    if (type === "c" || type === "u") return [rule("c")];
    if (type !== "a" && type !== "") {
      throw new SpecError(`linux.resources.devices[${i}].type`, `"${type}" is not one of a, b, c`);
    }
    return major < 0 && minor < 0 ? [rule("a")] : [rule("b"), rule("c")];
  });
}

function accessBits(access: string, i: number): number {
  let bits = 0;
  for (const letter of access) {
    const bit = letter === "r" ? READ : letter === "w" ? WRITE : letter === "m" ? MKNOD : 0;
    if (bit === 0) {
      const field = `linux.resources.devices[${i}].access`;
      throw new SpecError(field, `"${access}" has letters other than r, w and m`);
    }
    bits |= bit;
  }
  return bits;
}

/** What v1 keeps besides "all" or "none"; `access` in a map by {@link key}. */
interface Exceptions {
  allowAll: boolean;
  list: Map<string, DeviceRule>;
}

/**
 * The rules as writes to devices.deny and devices.allow.
 *
 * The kernel only keeps "all but these" or "none but these", and passes over in silence a rule
 * that would cut a hole into an exception. So the end result is computed here, and only that is
 * written: first all or none, then its exceptions.
 * @throws SpecError where the end result is not of that kind
 */
export function v1DeviceSettings(devices: LinuxDeviceCgroup[]): Setting[] {
  if (devices.length === 0) return [];
  const { allowAll, list } = exceptionsOf(deviceRules(devices));
  const base: Setting = {
    controller: "devices",
    file: allowAll ? "devices.allow" : "devices.deny",
    content: "a",
    label: `${allowAll ? "allow" : "deny"} all devices at first`,
  };
  const exceptions = [...list.values()].filter(({ access }) => access !== 0);
  return [
    base,
    ...exceptions.map((rule) => ({
      controller: "devices",
      file: allowAll ? "devices.deny" : "devices.allow",
      content: deviceText(rule),
      label: `${allowAll ? "deny" : "allow"} device ${deviceText(rule)}`,
    })),
  ];
}

function exceptionsOf(rules: DeviceRule[]): Exceptions {
  const state: Exceptions = { allowAll: false, list: new Map() };
  for (const rule of rules) {
    if (rule.type === "a" && rule.access === ALL) {
      state.allowAll = rule.allow;
      state.list.clear();
    } else if (rule.type === "a") {
      applyRule(state, { ...rule, type: "b" });
      applyRule(state, { ...rule, type: "c" });
    } else {
      applyRule(state, rule);
    }
  }
  if (!state.allowAll) widen(state.list);
  return state;
}

function applyRule({ allowAll, list }: Exceptions, rule: DeviceRule): void {
  if (rule.allow !== allowAll) {
    const same = list.get(key(rule));
    list.set(key(rule), { ...rule, access: rule.access | (same?.access ?? 0) });
    return;
  }
  for (const exception of list.values()) {
    if (!overlap(exception, rule) || (exception.access & rule.access) === 0) continue;
    if (!covers(rule, exception)) {
      const rest = `"${deviceText(exception)}"`;
      throw new SpecError(
        "linux.resources.devices",
        `cgroup v1 cannot take "${deviceText(rule)}" out of ${rest}; name smaller ranges`,
      );
    }
    exception.access &= ~rule.access;
  }
}

/** The kernel asks for one exception that holds all of an access, so narrow ones hold wide ones'. */
function widen(list: Map<string, DeviceRule>): void {
  for (const narrow of list.values()) {
    for (const wide of list.values()) {
      if (narrow.access !== 0 && covers(wide, narrow)) narrow.access |= wide.access;
    }
  }
}

function key({ type, major, minor }: DeviceRule): string {
  return `${type} ${major}:${minor}`;
}

function covers(wide: DeviceRule, narrow: DeviceRule): boolean {
  return wide.type === narrow.type && (wide.major < 0 || wide.major === narrow.major) &&
    (wide.minor < 0 || wide.minor === narrow.minor);
}

function overlap(a: DeviceRule, b: DeviceRule): boolean {
  return a.type === b.type && (a.major < 0 || b.major < 0 || a.major === b.major) &&
    (a.minor < 0 || b.minor < 0 || a.minor === b.minor);
}

/** As devices.allow takes it: "c 136:* rwm". */
export function deviceText({ type, major, minor, access }: DeviceRule): string {
  const number = (n: number): string => n < 0 ? "*" : String(n);
  const letters = (access & READ ? "r" : "") + (access & WRITE ? "w" : "") +
    (access & MKNOD ? "m" : "");
  return `${type} ${number(major)}:${number(minor)} ${letters}`;
}
