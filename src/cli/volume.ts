import { cleanPath, mountPointProblem } from "../spec/mod.ts";
import { cut } from "./grammar.ts";
import { parseOctal, parseSize } from "./number.ts";
import { UsageError } from "./usage_error.ts";

/** A mount that was asked for: `-v`, `--mount`, `--tmpfs`. */
export interface Volume {
  type: "bind" | "volume" | "tmpfs";
  /** A host path as it was written, or a volume's name; absent: an anonymous volume, a tmpfs. */
  source?: string;
  /** Absolute and clean. */
  destination: string;
  /** As in config.json. */
  options: string[];
  /** `-v` makes a directory of a source that is missing, as docker does. */
  createSource?: true;
  /** An empty volume does not get the image's files. */
  noCopy?: true;
}

/** What each option decides: of those that decide the same, one can be given. */
const DECIDES = options({
  write: "ro rw rro",
  depth: "bind rbind",
  propagation: "private rprivate shared rshared slave rslave unbindable runbindable",
  suid: "suid nosuid",
  dev: "dev nodev",
  exec: "exec noexec",
  atime: "atime noatime relatime norelatime strictatime nostrictatime",
  diratime: "diratime nodiratime",
});
const DECIDES_BIND = {
  ...DECIDES,
  ...options({
    idmap: "idmap ridmap",
    label: "z Z",
    copy: "copy nocopy",
    consistency: "consistent cached delegated default",
  }),
};
/** What only the engine, SELinux or another system would act on. */
const NOT_OF_THE_KERNEL = ["z", "Z", "copy", "nocopy", "consistent", "cached", "delegated"];

/** Values of tmpfs(5), each with what it must look like. */
const TMPFS_VALUES: Record<string, RegExp> = {
  size: /^\d{1,18}([kmgtpe]|%)?$/i,
  mode: /^[0-7]{1,5}$/,
  uid: /^\d{1,10}$/,
  gid: /^\d{1,10}$/,
  nr_inodes: /^\d{1,18}[kmg]?$/i,
  nr_blocks: /^\d{1,18}[kmg]?$/i,
  huge: /^(never|always|within_size|advise)$/,
};
/** docker's, unless the user decides otherwise. */
const TMPFS_DEFAULTS = ["noexec", "nosuid", "nodev"];

/** Relabelling these for SELinux makes a host unusable; CVE-2021-43816. */
const NEVER_RELABELLED =
  /^\/(bin|boot|dev|etc|home|lib|lib64|proc|root|run|sbin|sys|tmp|usr|var)?$/;

/**
 * A volume in docker's short form: `SRC:DST[:OPTIONS]`, or `DST` for an anonymous one.
 *
 * SRC is a path if it begins with "/", "." or "~", else a volume's name.
 *
 * @throws {UsageError} if it is none, or an option is unknown, contradicts another, or is harmful
 */
export function parseVolume(text: string): Volume {
  const parts = text.split(":");
  if (parts.length > 3 || parts.includes("")) {
    throw new UsageError(`"${text}" is not SRC:DST[:OPTIONS]`);
  }
  const [first = "", second, third = ""] = parts;
  if (second === undefined) return volume({ type: "volume", destination: first });
  const type = /^[./~]/.test(first) ? "bind" : "volume";
  const wanted = third === "" ? [] : third.split(",");
  const found = volume({ type, source: first, destination: second, options: wanted });
  return type === "bind" ? { ...found, createSource: true } : found;
}

/**
 * A tmpfs: `DST[:OPTIONS]`, with docker's noexec, nosuid and nodev unless told otherwise.
 *
 * @throws {UsageError} if it is none, or an option is unknown or contradicts another
 */
export function parseTmpfs(text: string): Volume {
  const at = text.indexOf(":");
  const destination = at === -1 ? text : text.slice(0, at);
  const wanted = at === -1 || at === text.length - 1 ? [] : text.slice(at + 1).split(",");
  return tmpfs(destination, wanted);
}

/**
 * A mount in docker's long form: comma-separated `KEY=VALUE`, a value with a comma in quotes.
 *
 * @throws {UsageError} if it is none, or a key is unknown or not for this type
 */
export function parseMount(text: string): Volume {
  const fields = new Map<string, string | undefined>();
  for (const field of splitCsv(text)) {
    const [key, value] = cut(field);
    const known = MOUNT_KEYS[key];
    if (known === undefined) throw new UsageError(`unknown option "${key}" in "${text}"`);
    if (value === "" || value !== value?.trim()) {
      throw new UsageError(`"${key}" has an empty value or blanks around it in "${text}"`);
    }
    if (value === undefined && !SWITCHES.includes(known)) {
      throw new UsageError(`"${key}" needs a value in "${text}"`);
    }
    if (fields.has(known)) throw new UsageError(`"${key}" is there twice in "${text}"`);
    fields.set(known, value);
  }
  const type = fields.get("type")?.toLowerCase() ?? "volume";
  if (type !== "bind" && type !== "volume" && type !== "tmpfs") {
    throw new UsageError(`type is bind, volume or tmpfs, not "${type}"`);
  }
  for (const key of fields.keys()) {
    const [owner] = /^(bind|volume|tmpfs)-/.exec(key) ?? [];
    if (owner !== undefined && owner !== `${type}-`) {
      throw new UsageError(`"${key}" is not for a mount of type ${type}`);
    }
  }
  const destination = fields.get("target") ?? "";
  if (type === "tmpfs") return tmpfs(destination, tmpfsOptions(fields));
  const source = fields.get("source");
  if (type === "bind" && source === undefined) throw new UsageError(`"${text}" has no source`);
  const wanted = bindOptions(fields);
  return volume({ type, ...source !== undefined && { source }, destination, options: wanted });
}

/** The keys of `--mount`, each with its first name. */
const MOUNT_KEYS: Record<string, string> = {
  type: "type",
  source: "source",
  src: "source",
  target: "target",
  destination: "target",
  dst: "target",
  readonly: "readonly",
  ro: "readonly",
  idmap: "bind-idmap",
  "bind-propagation": "bind-propagation",
  "bind-recursive": "bind-recursive",
  "volume-nocopy": "volume-nocopy",
  "tmpfs-size": "tmpfs-size",
  "tmpfs-mode": "tmpfs-mode",
};
const SWITCHES = ["readonly", "bind-idmap", "volume-nocopy"];

function tmpfsOptions(fields: ReadonlyMap<string, string | undefined>): string[] {
  const [size, mode] = [fields.get("tmpfs-size"), fields.get("tmpfs-mode")];
  if (fields.has("source")) throw new UsageError("a tmpfs has no source");
  return [
    ...isOn(fields, "readonly") ? ["ro"] : [],
    ...size === undefined ? [] : [`size=${parseSize(size)}`],
    ...mode === undefined ? [] : [`mode=${parseOctal(mode, 0o7777).toString(8)}`],
  ];
}

function bindOptions(fields: ReadonlyMap<string, string | undefined>): string[] {
  const readonly = isOn(fields, "readonly");
  const propagation = fields.get("bind-propagation");
  if (propagation !== undefined && DECIDES[propagation] !== "propagation") {
    throw new UsageError(`knows no bind-propagation "${propagation}"`);
  }
  const recursive = fields.get("bind-recursive") ?? "enabled";
  if (!["enabled", "disabled", "writable", "readonly"].includes(recursive)) {
    throw new UsageError(`bind-recursive is enabled, disabled, writable or readonly`);
  }
  if (!readonly && (recursive === "writable" || recursive === "readonly")) {
    throw new UsageError(`bind-recursive=${recursive} needs readonly`);
  }
  return [
    ...recursive === "disabled" ? ["bind"] : [],
    ...propagation === undefined ? [] : [propagation],
    ...readonly ? [recursive === "readonly" ? "rro" : "ro"] : [],
    ...isOn(fields, "bind-idmap") ? ["idmap"] : [],
    ...isOn(fields, "volume-nocopy") ? ["nocopy"] : [],
  ];
}

function isOn(fields: ReadonlyMap<string, string | undefined>, key: string): boolean {
  const value = fields.has(key) ? fields.get(key) ?? "true" : "false";
  if (!["1", "true", "0", "false"].includes(value)) {
    throw new UsageError(`"${key}" is true or false, not "${value}"`);
  }
  return value === "1" || value === "true";
}

function volume(
  { type, source, destination, options = [] }:
    & Pick<Volume, "type" | "source" | "destination">
    & Partial<Volume>,
): Volume {
  const wanted = decided(options, DECIDES_BIND, () => undefined);
  if (options.some((option) => option === "z" || option === "Z") && type === "bind") {
    if (NEVER_RELABELLED.test(cleanPath(source ?? ""))) {
      throw new UsageError(`"${source}" must not be relabelled: the host needs its labels`);
    }
  }
  const has = (what: string) => wanted.some((option) => DECIDES[option] === what);
  return {
    type,
    ...source !== undefined && { source },
    destination: mountPoint(destination, { type, ...source !== undefined && { source } }),
    options: [
      ...has("depth") ? [] : ["rbind"],
      ...has("propagation") ? [] : ["rprivate"],
      ...wanted.filter((option) => !NOT_OF_THE_KERNEL.includes(option) && option !== "default"),
    ],
    ...type === "volume" && wanted.includes("nocopy") && { noCopy: true },
  };
}

function tmpfs(destination: string, wanted: string[]): Volume {
  const isValue = (option: string) => {
    const [key, value = ""] = cut(option);
    return TMPFS_VALUES[key]?.test(value) ? key : undefined;
  };
  const found = decided(wanted, DECIDES, isValue);
  if (found.some((o) => DECIDES[o] === "depth" || DECIDES[o] === "propagation" || o === "rro")) {
    throw new UsageError(`"${wanted.join(",")}" has options of a bind mount for a tmpfs`);
  }
  const defaults = TMPFS_DEFAULTS.filter((option) =>
    !found.some((other) => DECIDES[other] === DECIDES[option])
  );
  return {
    type: "tmpfs",
    destination: mountPoint(destination, { type: "tmpfs" }),
    options: [...defaults, ...found],
  };
}

/** The options, each checked against the table: nothing else reaches mount(2); CVE-2024-1753. */
function decided(
  wanted: readonly string[],
  table: Record<string, string>,
  isValue: (option: string) => string | undefined,
): string[] {
  const by = new Map<string, string>();
  for (const option of wanted) {
    const what = Object.hasOwn(table, option) ? table[option] : isValue(option);
    if (what === undefined) throw new UsageError(`unknown or wrong mount option "${option}"`);
    const other = by.get(what);
    if (other !== undefined) throw new UsageError(`"${other}" and "${option}" exclude each other`);
    by.set(what, option);
  }
  return [...wanted];
}

function mountPoint(path: string, mount: { type: string; source?: string }): string {
  if (!path.startsWith("/")) throw new UsageError(`the mount point "${path}" is not absolute`);
  const problem = mountPointProblem(path, mount);
  if (problem !== undefined) throw new UsageError(`the mount point "${path}" ${problem}`);
  return cleanPath(path);
}

/** One line of RFC 4180. */
function splitCsv(text: string): string[] {
  const fields = [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"(?=,|$)|([^,"]*)(?=,|$))/g)];
  if (fields.map(([whole]) => whole).join("") !== text || text === "") {
    throw new UsageError(`"${text}" is not KEY=VALUE,…`);
  }
  return fields.map(([, quoted, plain = ""]) => quoted?.replaceAll('""', '"') ?? plain);
}

function options(classes: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(classes).flatMap(([what, list]) => list.split(" ").map((name) => [name, what])),
  );
}
