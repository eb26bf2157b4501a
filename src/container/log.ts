import { FRAME_HEADER_SIZE } from "../plan/mod.ts";
import { dataDirectory } from "./definition.ts";
import type { Roots } from "./state.ts";

/** One piece of a container's output, as its supervisor read it. */
export interface Frame {
  stream: 1 | 2;
  /** Milliseconds since 1970, with fractions. */
  atMs: number;
  /** As RFC 3339 with nanoseconds, for people. */
  time: string;
  data: Uint8Array;
}

const OLDEST = 100;

/** The frames of a container's log, its rotated files first, or these alone. */
export function* readLog(roots: Roots, id: string, which?: "rotated"): Generator<Frame> {
  const files = logFiles(dataDirectory(roots, id));
  for (const path of which === "rotated" ? files.slice(0, -1) : files) {
    let bytes: Uint8Array;
    try {
      bytes = Deno.readFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    yield* framesIn(bytes).frames;
  }
}

function logFiles(directory: string): string[] {
  const rotated: string[] = [];
  for (let number = 1; number < OLDEST; number++) {
    try {
      Deno.statSync(`${directory}/log.${number}`);
    } catch {
      break;
    }
    rotated.unshift(`${directory}/log.${number}`);
  }
  return [...rotated, `${directory}/log`];
}

/** The whole frames at the beginning of some bytes, and how many bytes they take. */
export function framesIn(bytes: Uint8Array): { frames: Frame[]; length: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Frame[] = [];
  let at = 0;
  while (at + FRAME_HEADER_SIZE <= bytes.length) {
    const length = view.getUint32(at + 16, true);
    const end = at + FRAME_HEADER_SIZE + length;
    if (end > bytes.length) break; // Still being written.
    const seconds = Number(view.getBigUint64(at, true));
    const nanoseconds = Number(view.getBigUint64(at + 8, true));
    frames.push({
      stream: view.getUint32(at + 20, true) === 2 ? 2 : 1,
      atMs: seconds * 1000 + nanoseconds / 1e6,
      time: timeText(seconds, nanoseconds),
      data: bytes.subarray(at + FRAME_HEADER_SIZE, end),
    });
    at = end;
  }
  return { frames, length: at };
}

function timeText(seconds: number, nanoseconds: number): string {
  const date = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${date}.${String(nanoseconds).padStart(9, "0")}Z`;
}

/**
 * Follows a log from where it is: yields new frames until `ended` says that there will be none.
 * A rotated file is read to its end before the new one is begun.
 */
export async function* followLog(
  roots: Roots,
  id: string,
  ended: () => boolean,
): AsyncGenerator<Frame> {
  const POLL_MS = 50;
  const path = `${dataDirectory(roots, id)}/log`;
  let file = await open(path);
  let rest = new Uint8Array();
  for (;;) {
    const over = ended();
    const got = file ? await readMore(file) : new Uint8Array();
    if (got.length > 0) {
      const bytes = new Uint8Array(rest.length + got.length);
      bytes.set(rest);
      bytes.set(got, rest.length);
      const { frames, length } = framesIn(bytes);
      rest = bytes.slice(length);
      yield* frames;
      continue;
    }
    const next = await rotated(file, path);
    if (next) {
      file?.close();
      file = next;
      rest = new Uint8Array();
      continue;
    }
    if (over) break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  file?.close();
}

async function open(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function readMore(file: Deno.FsFile): Promise<Uint8Array> {
  const chunk = new Uint8Array(65_536);
  const count = await file.read(chunk);
  return chunk.subarray(0, count ?? 0);
}

/** The file that has taken the place of the one that is open. */
async function rotated(
  file: Deno.FsFile | undefined,
  path: string,
): Promise<Deno.FsFile | undefined> {
  const next = await open(path);
  if (!next || !file) return next;
  if ((await file.stat()).ino !== (await next.stat()).ino) return next;
  next.close();
  return undefined;
}
