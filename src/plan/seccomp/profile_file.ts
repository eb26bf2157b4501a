/**
 * Profiles in JSON: docker's, whose rules depend on the container and on the host, or
 * `linux.seccomp` of a config.json, which is the same without those conditions.
 *
 * @see config-linux.md#seccomp
 */

import { SpecError } from "../../spec/error.ts";
import type { LinuxSeccomp, LinuxSeccompArg, LinuxSyscall, Uint64 } from "../../spec/types.ts";
import type { ProfileInputs } from "./default_profile.ts";

type Fields = Record<string, unknown>;

/** An architecture in config.json's words, and in those of docker's conditions. */
const NAMES_OF_NATIVE = {
  x86_64: { native: "SCMP_ARCH_X86_64", condition: "amd64" },
  aarch64: { native: "SCMP_ARCH_AARCH64", condition: "arm64" },
};

/**
 * The plain rules that the text of a profile comes to.
 *
 * @throws {SpecError} at the first field that is missing or of another type
 */
export function readProfile(text: string, inputs: ProfileInputs): LinuxSeccomp {
  const file = object(parse(text), "(whole file)");
  const rules = list(file, "syscalls", "syscalls").map((rule, index) => {
    const field = `syscalls[${index}]`;
    return applies(object(rule, field), field, inputs) ? [ruleOf(object(rule, field), field)] : [];
  });
  const architectures = architecturesOf(file, inputs);
  return {
    defaultAction: string(file, "defaultAction", "defaultAction"),
    ...optional("defaultErrnoRet", unsigned(file, "defaultErrnoRet", "defaultErrnoRet")),
    ...(architectures.length > 0 ? { architectures } : {}),
    ...(file.flags === undefined ? {} : { flags: strings(file, "flags", "flags") }),
    syscalls: rules.flat(),
  };
}

/** `architectures`, or docker's map of the native one to those that come with it. */
function architecturesOf(file: Fields, { arch }: ProfileInputs): string[] {
  const listed = strings(file, "architectures", "architectures");
  const map = list(file, "archMap", "archMap");
  if (listed.length > 0 && map.length > 0) {
    throw new SpecError("archMap", `excludes "architectures"; name one of them`);
  }
  for (const [index, entry] of map.entries()) {
    const field = `archMap[${index}]`;
    const fields = object(entry, field);
    const native = string(fields, "architecture", `${field}.architecture`);
    if (native !== NAMES_OF_NATIVE[arch].native) continue;
    return [native, ...strings(fields, "subArchitectures", `${field}.subArchitectures`)];
  }
  return listed;
}

/** Whether `includes` holds and nothing of `excludes` does. */
function applies(rule: Fields, field: string, { capabilities, arch, kernel }: ProfileInputs) {
  const conditions = (name: "includes" | "excludes") => {
    const at = `${field}.${name}`;
    const fields = rule[name] ?? undefined;
    const given = fields === undefined ? {} : object(fields, at);
    return {
      caps: strings(given, "caps", `${at}.caps`),
      arches: strings(given, "arches", `${at}.arches`),
      kernel: versionOf(given, `${at}.minKernel`),
    };
  };
  const native = NAMES_OF_NATIVE[arch].condition;
  const isReached = ([major, minor]: readonly [number, number]) =>
    kernel[0] > major || kernel[0] === major && kernel[1] >= minor;
  const includes = conditions("includes");
  const excludes = conditions("excludes");
  return includes.caps.every((name) => capabilities.has(name)) &&
    (includes.arches.length === 0 || includes.arches.includes(native)) &&
    (includes.kernel === undefined || isReached(includes.kernel)) &&
    !excludes.caps.some((name) => capabilities.has(name)) &&
    !excludes.arches.includes(native) &&
    !(excludes.kernel && isReached(excludes.kernel));
}

/** `minKernel`, "4.8". */
function versionOf(fields: Fields, field: string): [number, number] | undefined {
  if ((fields.minKernel ?? undefined) === undefined) return undefined;
  const text = string(fields, "minKernel", field);
  const [, major, minor] = /^(\d{1,9})\.(\d{1,9})(?:[.-]|$)/.exec(text) ?? [];
  if (minor === undefined) throw new SpecError(field, `must be as "4.8", is ${shown(text)}`);
  return [Number(major), Number(minor)];
}

function ruleOf(rule: Fields, field: string): LinuxSyscall {
  const names = strings(rule, "names", `${field}.names`);
  const name = rule.name ?? ""; // In docker's older profiles.
  if (name !== "") names.push(string(rule, "name", `${field}.name`));
  if (names.length === 0) throw new SpecError(`${field}.names`, "is missing or empty");
  return {
    names,
    action: string(rule, "action", `${field}.action`),
    ...optional("errnoRet", unsigned(rule, "errnoRet", `${field}.errnoRet`)),
    args: list(rule, "args", `${field}.args`).map((arg, index) => {
      const at = `${field}.args[${index}]`;
      return argumentOf(object(arg, at), at);
    }),
  };
}

function argumentOf(arg: Fields, field: string): LinuxSeccompArg {
  return {
    index: unsigned(arg, "index", `${field}.index`) ?? missing(`${field}.index`),
    value: unsigned64(arg, "value", `${field}.value`) ?? missing(`${field}.value`),
    valueTwo: unsigned64(arg, "valueTwo", `${field}.valueTwo`) ?? 0,
    op: string(arg, "op", `${field}.op`),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text, exact);
  } catch (cause) {
    throw new SpecError("(whole file)", "is not JSON", { cause });
  }
}

/** A number of over 53 bits becomes a bigint: `context.source` is the number as it was written. */
function exact(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source ?? "";
  const isLong = typeof value === "number" && !Number.isSafeInteger(value);
  return isLong && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

function object(value: unknown, field: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new SpecError(field, `must be an object, is ${shown(value)}`);
}

/** null is absent, and absent is empty. */
function list(fields: Fields, name: string, field: string): unknown[] {
  const value = fields[name] ?? [];
  if (Array.isArray(value)) return value;
  throw new SpecError(field, `must be a list, is ${shown(value)}`);
}

function strings(fields: Fields, name: string, field: string): string[] {
  return list(fields, name, field).map((item, index) => {
    if (typeof item === "string") return item;
    throw new SpecError(`${field}[${index}]`, `must be a string, is ${shown(item)}`);
  });
}

function string(fields: Fields, name: string, field: string): string {
  const value = fields[name] ?? missing(field);
  if (typeof value === "string") return value;
  throw new SpecError(field, `must be a string, is ${shown(value)}`);
}

function unsigned(fields: Fields, name: string, field: string): number | undefined {
  const value = unsigned64(fields, name, field);
  if (value === undefined || value <= 0xffff_ffff) {
    return value === undefined ? value : Number(value);
  }
  throw new SpecError(field, `must be of 32 bits, is ${value}`);
}

function unsigned64(fields: Fields, name: string, field: string): Uint64 | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  const isInteger = typeof value === "bigint" || typeof value === "number" &&
      Number.isSafeInteger(value);
  if (isInteger && value >= 0 && value < 2n ** 64n) return value;
  throw new SpecError(field, `must be an integer from 0 to 2^64-1, is ${shown(value)}`);
}

function missing(field: string): never {
  throw new SpecError(field, "is missing");
}

function optional(name: string, value: number | undefined): Record<string, number> {
  return value === undefined ? {} : { [name]: value };
}

function shown(value: unknown): string {
  const text = typeof value === "bigint" ? String(value) : JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
