/** Reading the journal of events. */
import { journalPath } from "./events.ts";
import type { Roots } from "./state.ts";

/** One event, in docker's shape. */
export interface Event {
  /** This and the two below: of containers alone. */
  status?: string;
  id?: string;
  from?: string;
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope: string;
  /** Seconds since 1970. */
  time: number;
  /** Milliseconds since 1970. */
  atMs: number;
  /** The nanoseconds of its time beyond the second. */
  nanoseconds: number;
  /** As it was written: a JSON object. */
  line: string;
}

/** What is over, oldest first. */
export function* pastEvents(roots: Roots): Generator<Event> {
  for (const path of [`${journalPath(roots)}.1`, journalPath(roots)]) {
    const text = textOf(path);
    for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
      const event = parseEvent(line);
      if (event) yield event;
    }
  }
}

/**
 * What is over, and then what happens, until a time; a sleep in between, not a poll: inotify(7).
 *
 * @param untilMs since 1970; Infinity: without end
 */
export async function* followEvents(roots: Roots, untilMs: number): AsyncGenerator<Event> {
  Deno.mkdirSync(roots.run, { recursive: true, mode: 0o700 });
  // From now on it tells of changes: none is missed while the past is read.
  const watcher = Deno.watchFs(roots.run, { recursive: false });
  const leftMs = untilMs - Date.now();
  const timer = Number.isFinite(leftMs)
    ? setTimeout(() => watcher.close(), Math.max(0, leftMs))
    : undefined;
  try {
    const reader = new Reader(journalPath(roots));
    const old = textOf(`${journalPath(roots)}.1`).split("\n");
    yield* eventsIn([...old, ...reader.lines()]);
    for await (const _ of watcher) yield* eventsIn(reader.lines());
  } finally {
    clearTimeout(timer);
  }
}

function* eventsIn(lines: Iterable<string>): Generator<Event> {
  for (const line of lines) {
    const event = parseEvent(line);
    if (event) yield event;
  }
}

/** Reads on in a file that others append to, and in the one that takes its place. */
class Reader {
  #file: Deno.FsFile | undefined;
  #rest = "";

  constructor(readonly path: string) {}

  lines(): string[] {
    const lines = this.#more();
    const next = this.#next();
    if (!next) return lines;
    this.#file?.close();
    this.#file = next;
    this.#rest = "";
    return [...lines, ...this.#more()];
  }

  #more(): string[] {
    const chunk = new Uint8Array(65_536);
    const chunks: number[] = [];
    for (let count = this.#file?.readSync(chunk) ?? 0; count > 0;) {
      for (const byte of chunk.subarray(0, count)) chunks.push(byte);
      count = this.#file?.readSync(chunk) ?? 0;
    }
    const lines = (this.#rest + new TextDecoder().decode(Uint8Array.from(chunks))).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines;
  }

  /** The file that has taken the place of the one that is open. */
  #next(): Deno.FsFile | undefined {
    try {
      const next = Deno.openSync(this.path);
      if (next.statSync().ino !== this.#file?.statSync().ino) return next;
      next.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return undefined;
  }
}

/** The event of a line; undefined for what is none. */
export function parseEvent(line: string): Event | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (!isWritten(value)) return undefined;
    // The number of nanoseconds is greater than a double is exact.
    const [, digits = "0"] = /"timeNano":(\d+)\}$/.exec(line) ?? [];
    const nanoseconds = Number(digits.slice(-9));
    return { ...value, line, nanoseconds, atMs: value.time * 1000 + nanoseconds / 1e6 };
  } catch {
    return undefined;
  }
}

function isWritten(value: unknown): value is Omit<Event, "line" | "atMs" | "nanoseconds"> {
  return typeof value === "object" && value !== null && "Action" in value && "time" in value &&
    "Actor" in value && typeof value.time === "number";
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
