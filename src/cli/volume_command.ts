import { noteEvents, volumeEvent } from "../container/events.ts";
import { type Known, knownContainers } from "../container/list.ts";
import { type Roots, rootsBelow } from "../container/state.ts";
import { usersOf } from "../container/volumes.ts";
import {
  checkOptions,
  createVolume,
  dataOf,
  isAnonymous,
  listVolumes,
  readVolume,
  removeVolume,
  type Volume,
  VolumeError,
  volumeSize,
} from "../volume/mod.ts";
import { SomeFailed } from "./containers.ts";
import { cut, type Grammar, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { parseInterspersed } from "./interspersed.ts";
import { inspected, listed, type Listing, print, type Row } from "./output.ts";
import { parsePair } from "./pair.ts";
import { hasLabel } from "./ps_filter.ts";
import { bytes } from "./ps_row.ts";
import { UsageError } from "./usage_error.ts";
import {
  VOLUME_CREATE,
  VOLUME_INSPECT,
  VOLUME_LS,
  VOLUME_PRUNE,
  VOLUME_RM,
} from "./volume_flags.ts";

type Act = (args: string[], roots: Roots) => void | Promise<void>;

const VERBS: Record<string, [Grammar, Act]> = {
  create: [VOLUME_CREATE, create],
  ls: [VOLUME_LS, list],
  list: [VOLUME_LS, list],
  inspect: [VOLUME_INSPECT, inspect],
  rm: [VOLUME_RM, remove],
  remove: [VOLUME_RM, remove],
  prune: [VOLUME_PRUNE, prune],
};

/** `minictr volume create|ls|inspect|rm|prune` */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const [verb = "", ...rest] = args;
  const found = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (!found) {
    if (verb !== "--help") throw new UsageError(`"volume" has ${Object.keys(VERBS).join(", ")}`);
    const lines = Object.values(VERBS).map(([{ command, operands, summary }]) =>
      `  minictr ${command} ${operands}\n      ${summary}\n`
    );
    print([...new Set(lines)].join(""));
    return 0;
  }
  const [grammar, act] = found;
  if (rest.includes("--help")) print(`${helpText(grammar)}\n`);
  else await act(rest, rootsBelow(root));
  return 0;
}

function create(args: string[], roots: Roots): void {
  const { flags, operands: [name, extra] } = parseInterspersed(VOLUME_CREATE, args);
  if (extra !== undefined) throw wrongUse(VOLUME_CREATE, '"volume create" takes one name');
  const labels = Object.fromEntries(flags.label.map((text) => parsePair(text)));
  const options = Object.fromEntries(flags.opt.map((text) => parsePair(text)));
  checkOptions(options);
  const asked = flags.opt.length > 0 ? { options } : {};
  const isThere = name !== undefined && readVolume(roots.data, name) !== undefined;
  const volume = createVolume(roots.data, {
    ...name === undefined ? {} : { name },
    labels,
    ...asked,
  });
  if (!isThere) noteEvents(roots, [volumeEvent("create", volume.name)]);
  print(`${volume.name}\n`);
}

const VOLUMES: Listing = {
  headings: {
    Driver: "DRIVER",
    Name: "VOLUME NAME",
    Scope: "SCOPE",
    Mountpoint: "MOUNTPOINT",
    Labels: "LABELS",
    Links: "LINKS",
    Size: "SIZE",
    CreatedAt: "CREATED AT",
  },
  columns: ["Driver", "Name"],
  quiet: "Name",
  called: ["Label"],
};

async function list(args: string[], roots: Roots): Promise<void> {
  const { flags, operands } = parseInterspersed(VOLUME_LS, args);
  if (operands.length > 0) throw wrongUse(VOLUME_LS, '"volume ls" takes no operand');
  checkFilters(flags.filter);
  const users = usersByVolume(roots);
  const rows = listVolumes(roots.data)
    .filter((volume) => passes(volume, flags.filter, users.has(volume.name)))
    .map((volume): Row => ({
      Driver: "local",
      Name: volume.name,
      Scope: "local",
      Mountpoint: dataOf(roots.data, volume.name),
      Labels: Object.entries(volume.labels).map(([key, value]) => `${key}=${value}`).join(","),
      Label: (key: unknown) => volume.labels[String(key)] ?? "",
      Links: String(users.get(volume.name)?.length ?? 0),
      get Size() {
        return bytes(volumeSize(roots.data, volume.name));
      },
      CreatedAt: volume.created,
    }));
  print(await listed(VOLUMES, rows, flags));
}

/** The containers of each volume that has any. */
function usersByVolume(roots: Roots): Map<string, Known[]> {
  const users = new Map<string, Known[]>();
  for (const known of knownContainers(roots)) {
    const names = new Set([
      ...known.definition?.volumes?.map(({ name }) => name) ?? [],
      ...known.state?.volumes ?? [],
    ]);
    for (const name of names) users.set(name, [...users.get(name) ?? [], known]);
  }
  return users;
}

function checkFilters(filters: readonly string[]): void {
  for (const text of filters) {
    if (!/^(name|label|label!|dangling|driver)=/.test(text)) {
      throw new UsageError(`there is no filter "${text}": there are name, label, dangling, driver`);
    }
  }
}

function passes(volume: Volume, filters: readonly string[], isUsed: boolean): boolean {
  const values = (wanted: string) =>
    filters.map((text) => cut(text)).flatMap(([key, value = ""]) => key === wanted ? [value] : []);
  const names = values("name"), drivers = values("driver");
  return (names.length === 0 || names.some((part) => volume.name.includes(part))) &&
    (drivers.length === 0 || drivers.includes("local")) &&
    values("label").every((label) => hasLabel(volume.labels, label)) &&
    values("label!").every((label) => !hasLabel(volume.labels, label)) &&
    values("dangling").every((value) => /^(1|true)$/i.test(value) !== isUsed);
}

/** What `inspect` prints of a volume; undefined where there is none of that name. */
export function described(roots: Roots, name: string): Row | undefined {
  const volume = readVolume(roots.data, name);
  if (!volume) return undefined;
  return {
    CreatedAt: volume.created,
    Driver: "local",
    Labels: volume.labels,
    Mountpoint: dataOf(roots.data, name),
    Name: name,
    Options: volume.options,
    Scope: "local",
    UsedBy: usersOf(roots, name).map((known) => known.name),
  };
}

async function inspect(args: string[], roots: Roots): Promise<void> {
  const { flags, operands } = parseInterspersed(VOLUME_INSPECT, args);
  if (operands.length === 0) throw wrongUse(VOLUME_INSPECT, '"volume inspect" needs a volume');
  const found = operands.map((name) => [name, described(roots, name)] as const);
  print(await inspected(found.flatMap(([, row]) => row ? [row] : []), flags.format));
  const missing = found.filter(([, row]) => !row)
    .map(([name]) => new VolumeError(`there is no volume "${name}"`));
  if (missing.length > 0) throw new SomeFailed(missing);
}

function remove(args: string[], roots: Roots): void {
  const { flags, operands } = parseInterspersed(VOLUME_RM, args);
  if (operands.length === 0) throw wrongUse(VOLUME_RM, '"volume rm" needs a volume');
  const failures: unknown[] = [];
  for (const name of operands) {
    if (flags.force && !readVolume(roots.data, name)) continue;
    try {
      takeAway(roots, name);
      print(`${name}\n`);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new SomeFailed(failures);
}

function takeAway(roots: Roots, name: string): void {
  removeVolume(roots.data, name, () => usersOf(roots, name).map((known) => known.name));
  noteEvents(roots, [volumeEvent("destroy", name)]);
}

function prune(args: string[], roots: Roots): void {
  const { flags } = parseInterspersed(VOLUME_PRUNE, args);
  const what = flags.all ? "all volumes" : "all anonymous volumes";
  checkFilters(flags.filter);
  if (!flags.force && !confirm(`Remove ${what} that no container has?`)) return;
  const users = usersByVolume(roots);
  let freed = 0;
  for (const volume of listVolumes(roots.data)) {
    const { name } = volume;
    if (users.has(name) || !(flags.all || isAnonymous(volume))) continue;
    if (!passes(volume, flags.filter, false)) continue;
    const size = volumeSize(roots.data, name);
    try {
      takeAway(roots, name);
    } catch (error) {
      if (error instanceof VolumeError) continue; // A container has it now.
      throw error;
    }
    freed += size;
    print(`${name}\n`);
  }
  print(`Total reclaimed space: ${bytes(freed)}\n`);
}
