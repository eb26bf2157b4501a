import type { Definition } from "./definition.ts";
import type { Roots } from "./state.ts";

/** The journal is a new one from this size on; one old one is kept. */
const LIMIT_BYTES = 1_000_000;

/** What an event is about. */
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
  | `exec_${"create" | "start" | "die"}`
  | `health_status: ${string}`;

/** The journal of events below the run root: one line of JSON each, in docker's shape. */
export function journalPath(roots: Roots): string {
  return `${roots.run}/events`;
}

/** What an event says of a container that has a definition. */
export function subjectOf({ id, name, image, labels }: Definition): Subject {
  return { id, name, image, labels };
}

/**
 * Notes an event. Whole lines by one write at the end of the file, so that those of several commands
 * do not mix; open(2), O_APPEND. What cannot be noted is lost: no command fails for it.
 */
export function noteEvent(
  roots: Roots,
  action: Action,
  { id, name, image = "", labels = {} }: Subject,
  attributes: Record<string, string> = {},
): void {
  const nanoseconds = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) *
    1000n;
  append(roots, {
    status: action,
    id,
    from: image,
    Type: "container",
    Action: action,
    Actor: { ID: id, Attributes: { ...labels, ...attributes, image, name } },
    scope: "local",
    time: Number(nanoseconds / 1_000_000_000n),
    timeNano: JSON.rawJSON(String(nanoseconds)),
  });
}

function append(roots: Roots, event: object): void {
  const path = journalPath(roots);
  try {
    using file = openJournal(path) ?? openJournal(path, roots.run);
    if (!file) return;
    file.writeSync(new TextEncoder().encode(`${JSON.stringify(event)}\n`));
    if (file.statSync().size > LIMIT_BYTES) rotate(path, file);
  } catch {
    // The root is read-only, or full.
  }
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
