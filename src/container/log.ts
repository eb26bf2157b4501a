import { readExit } from "./definition.ts";
import { ContainerError } from "./find.ts";
import { type Frame, FrameParser } from "./frames.ts";
import type { Known } from "./list.ts";
import { logPath } from "./log_path.ts";
import { readState, type Roots, stateDirectory } from "./state.ts";

export type { Frame } from "./frames.ts";

const OLDEST = 100, CHUNK_SIZE = 65_536;

/**
 * Where a container's log is.
 *
 * @param purpose a log that is not kept is there for those who are attached
 * @throws {ContainerError} if there is none
 */
export function logDirectory(
  roots: Roots,
  { id, name, definition }: Known,
  purpose: "read" | "attach",
): string {
  const refused = (why: string) =>
    new ContainerError(`nothing is kept of what "${name}" writes: it was started with ${why}`);
  if (!definition) throw refused("--rm in the foreground");
  const { log } = definition;
  if (log.driver === "none" && purpose === "read") throw refused("--log-driver none");
  return logPath(roots, id, log).replace(/\/log$/, "");
}

/**
 * Whether all that a container will write is in its log: its supervisor has noted the end, or is not
 * there to do so.
 */
export function hasEnded(roots: Roots, { id }: Known): boolean {
  if (readExit(roots, id)) return true;
  const state = readState(stateDirectory(roots, id));
  return !state || (state.supervisor !== undefined && !isThere(`/proc/${state.supervisor}/stat`));
}

/** The files of a log that there are, the oldest first. */
function logFiles(directory: string): string[] {
  const rotated: string[] = [];
  for (let number = 1; number < OLDEST; number++) {
    if (!isThere(`${directory}/log.${number}`)) break;
    rotated.unshift(`${directory}/log.${number}`);
  }
  return [...rotated, `${directory}/log`];
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The frames of a container's log, its rotated files first. */
export function* readLog(directory: string): Generator<Frame> {
  for (const path of logFiles(directory)) yield* readFile(path);
}

function* readFile(path: string, parser = new FrameParser()): Generator<Frame> {
  using file = openFile(path);
  if (!file) return;
  const chunk = new Uint8Array(CHUNK_SIZE);
  for (let got = file.readSync(chunk); got; got = file.readSync(chunk)) {
    yield* parser.push(chunk.subarray(0, got));
  }
}

/** A place in a log: a file, which may be rotated meanwhile, and bytes from its beginning. */
export interface LogPlace {
  inode: number | null;
  offset: number;
}

/**
 * The frames that hold the last lines of a log, the first cut where they begin; and the place behind
 * them.
 */
export function lastLines(directory: string, lines: number): { frames: Frame[]; end: LogPlace } {
  const [current = "", ...older] = logFiles(directory).reverse();
  const inode = inodeOf(current);
  const parser = new FrameParser();
  let frames = [...readFile(current, parser)];
  const end = { inode, offset: parser.consumed };
  if (lines === 0) return { frames: [], end };
  for (const path of older) {
    const cut = cutToLines(frames, lines);
    if (cut) return { frames: cut, end };
    frames = [...readFile(path), ...frames];
  }
  return { frames: cutToLines(frames, lines) ?? frames, end };
}

/** The frames with the last lines; undefined where there are not so many. */
function cutToLines(frames: Frame[], lines: number): Frame[] | undefined {
  const NEWLINE = 0x0a;
  let missing = lines;
  for (let index = frames.length - 1; index >= 0; index--) {
    const frame = frames[index];
    if (!frame) continue;
    const { data } = frame;
    const isLast = index === frames.length - 1 && data.at(-1) === NEWLINE;
    for (let at = data.length - (isLast ? 2 : 1); at >= 0; at--) {
      if (data[at] !== NEWLINE || --missing > 0) continue;
      return [{ ...frame, data: data.subarray(at + 1) }, ...frames.slice(index + 1)];
    }
  }
  return undefined;
}

/** How a log is followed. */
export interface Following {
  /** From where on: all that is kept, what comes from now on, or what is behind a place. */
  from: "beginning" | "end" | LogPlace;
  /** Says that nothing more will come. */
  isOver(): boolean;
}

/**
 * Follows a log, across its rotation: yields what has been written as soon as it has; inotify(7).
 * Who is slower than a log that is rotated away misses what is not kept, and holds up nobody.
 */
export async function* followLog(
  directory: string,
  { from, isOver }: Following,
): AsyncGenerator<Frame[]> {
  using changes = new Changes(directory);
  let file = openAt(directory, from);
  let parser = new FrameParser();
  const chunk = new Uint8Array(CHUNK_SIZE);
  try {
    for (;;) {
      const over = isOver();
      // What was written to a file before it was found to be rotated is read before the next one.
      const next = file ? await successor(directory, file) : `${directory}/log`;
      const got = file?.readSync(chunk) ?? 0;
      if (got > 0) {
        const frames = parser.push(chunk.slice(0, got));
        if (frames.length > 0) yield frames;
        continue;
      }
      const opened = next === undefined ? undefined : openFile(next);
      if (opened) {
        file?.close();
        file = opened;
        parser = new FrameParser();
      } else if (over) return;
      else if (!beginsAnew(file)) await changes.next();
    }
  } finally {
    file?.close();
  }
}

function openAt(directory: string, from: Following["from"]): Deno.FsFile | undefined {
  const files = logFiles(directory);
  if (from === "beginning") return openFile(files[0] ?? "");
  const path = from === "end"
    ? files.at(-1)
    : files.find((path) => inodeOf(path) === from.inode) ?? files[0];
  const file = openFile(path ?? "");
  if (from === "end") file?.seekSync(0, Deno.SeekMode.End);
  else if (file?.statSync().ino === from.inode) file.seekSync(from.offset, Deno.SeekMode.Start);
  return file;
}

/** A log of one file begins anew in the same one. */
function beginsAnew(file: Deno.FsFile | undefined): boolean {
  if (!file || file.statSync().size >= file.seekSync(0, Deno.SeekMode.Current)) return false;
  file.seekSync(0, Deno.SeekMode.Start);
  return true;
}

const RENAMING_MS = 5;

/** The file that follows one that is no longer the current log; undefined for the current one. */
async function successor(directory: string, file: Deno.FsFile): Promise<string | undefined> {
  const { ino } = file.statSync();
  for (let look = 0; look < 2; look++) {
    const files = logFiles(directory);
    const at = files.findIndex((path) => inodeOf(path) === ino);
    if (at >= 0) return files[at + 1];
    // They may be being renamed just now, and one be missing in between.
    await new Promise((resolve) => setTimeout(resolve, RENAMING_MS));
  }
  return isThere(`${directory}/log`) ? logFiles(directory)[0] : undefined;
}

function inodeOf(path: string): number | null {
  try {
    return Deno.statSync(path).ino;
  } catch {
    return null;
  }
}

function openFile(path: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const LOOK_MS = 250;

/** Waits for changes in a directory; where there are too many watches already, it only looks often. */
class Changes implements Disposable {
  readonly #watcher: Deno.FsWatcher | undefined;
  #change: Promise<unknown> | undefined;

  constructor(directory: string) {
    try {
      this.#watcher = Deno.watchFs(directory, { recursive: false });
    } catch {
      this.#watcher = undefined; // fs.inotify.max_user_instances
    }
  }

  /** Resolves at the next change since the last call, and after a while without one. */
  async next(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const time = new Promise<void>((resolve) => timer = setTimeout(resolve, LOOK_MS));
    const watcher = this.#watcher;
    if (watcher) this.#change ??= watcher[Symbol.asyncIterator]().next().catch(() => {});
    await Promise.race(
      this.#change ? [this.#change.then(() => this.#change = undefined), time] : [
        time,
      ],
    );
    clearTimeout(timer);
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }
}
