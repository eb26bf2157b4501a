import type { Roots, State } from "./state.ts";

/** The journal is a new one from this size on; one old one is kept. */
const LIMIT_BYTES = 1_000_000;

/** A container that an event is about. */
export interface Subject {
  id: string;
  name: string;
  image?: string;
  labels?: Record<string, string>;
}

/** What happened to a container, in docker's words. */
export type Action =
  | "create"
  | "start"
  | "die"
  | "oom"
  | "kill"
  | "stop"
  | "restart"
  | "pause"
  | "unpause"
  | "rename"
  | "update"
  | "destroy"
  | `exec_${"create" | "start"}: ${string}`
  | "exec_die"
  | `health_status: ${string}`;

/** An event as it is to be noted. */
export interface Happening {
  type: "container" | "network" | "volume";
  action: string;
  /** Of a container; of the others their names. */
  id: string;
  attributes: Record<string, string>;
  /** Milliseconds since 1970; absent: now. */
  atMs?: number;
}

/** The journal of events below the run root: one line of JSON each, in docker's shape. */
export function journalPath(roots: Roots): string {
  return `${roots.run}/events`;
}

/** Something that happened to a container. */
export function containerEvent(
  action: Action,
  { id, name, image = "", labels = {} }: Subject,
  attributes: Record<string, string> = {},
): Happening {
  return { type: "container", action, id, attributes: { ...labels, ...attributes, image, name } };
}

/** What became of a network. */
export function networkEvent(
  action: "create" | "connect" | "disconnect" | "destroy",
  name: string,
  container?: string,
): Happening {
  const attributes = { ...container === undefined ? {} : { container }, name, type: "bridge" };
  return { type: "network", action, id: name, attributes };
}

/** What became of a volume. */
export function volumeEvent(
  action: "create" | "mount" | "unmount" | "destroy",
  name: string,
  attributes: Record<string, string> = {},
): Happening {
  return { type: "volume", action, id: name, attributes: { driver: "local", ...attributes } };
}

/** The end of a container that ran, and what it had mounted. */
export function deathEvents(
  subject: Subject,
  { id, startedAt, volumes = [] }: State,
  { status, oomKilled }: { status: number; oomKilled: boolean },
): Happening[] {
  const exitCode = String(status);
  const began = startedAt === undefined ? undefined : Date.parse(startedAt);
  const seconds = began === undefined ? 0 : Math.max(0, Math.floor((Date.now() - began) / 1000));
  return [
    ...oomKilled ? [containerEvent("oom", subject)] : [],
    containerEvent("die", subject, { execDuration: String(seconds), exitCode }),
    ...began === undefined
      ? []
      : volumes.map((name) => volumeEvent("unmount", name, { container: id })),
  ];
}

/** Notes something that happened to a container, as {@link noteEvents}. */
export function noteEvent(
  roots: Roots,
  action: Action,
  subject: Subject,
  attributes: Record<string, string> = {},
): void {
  noteEvents(roots, [containerEvent(action, subject, attributes)]);
}

/**
 * Notes events. Whole lines by one write at the end of the file, so that those of several commands
 * do not mix; open(2), O_APPEND. What cannot be noted is lost: no command fails for it.
 */
export function noteEvents(roots: Roots, happenings: readonly Happening[]): void {
  if (happenings.length === 0) return;
  const path = journalPath(roots);
  try {
    using file = openJournal(path) ?? openJournal(path, roots.run);
    if (!file) return;
    file.writeSync(new TextEncoder().encode(happenings.map(lineOf).join("")));
    if (file.statSync().size > LIMIT_BYTES) rotate(path, file);
  } catch {
    // The root is read-only, or full.
  }
}

/** As docker prints it: three keys that repeat others are of containers alone. */
function lineOf({ type, action, id, attributes, atMs }: Happening): string {
  const ms = atMs ?? performance.timeOrigin + performance.now();
  const nanoseconds = BigInt(Math.round(ms * 1000)) * 1000n;
  const event = {
    ...type === "container" ? { status: action, id, from: attributes["image"] } : {},
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: "local",
    time: Number(nanoseconds / 1_000_000_000n),
    timeNano: JSON.rawJSON(String(nanoseconds)),
  };
  return `${JSON.stringify(event)}\n`;
}

/** Makes the directory only where it turns out to be missing. */
function openJournal(path: string, directory?: string): Deno.FsFile | undefined {
  if (directory !== undefined) Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    return Deno.openSync(path, { append: true, create: true, mode: 0o600 });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whoever comes second finds that the journal is another one already. */
function rotate(path: string, file: Deno.FsFile): void {
  file.lockSync(true);
  if (Deno.statSync(path).ino === file.statSync().ino) Deno.renameSync(path, `${path}.1`);
}
