import { FRAME_HEADER_SIZE, FRAME_MARK } from "../plan/supervise_log.ts";

/** One piece of a container's output, as its supervisor read it. */
export interface Frame {
  stream: 1 | 2;
  /** Milliseconds since 1970, with fractions. */
  atMs: number;
  /** As RFC 3339 with nanoseconds, for people. */
  time: string;
  data: Uint8Array;
}

/** More than any supervisor has ever put into a frame: a length above it is damage. */
const LENGTH_LIMIT = 1 << 20;
const NANOSECONDS = 1_000_000_000n;

/**
 * Takes a log apart as it is read, in pieces of any size. What is no frame, because a disk was full
 * or the host lost power, is passed over up to the next one.
 */
export class FrameParser {
  #rest = new Uint8Array(0);
  #pushed = 0;

  /** Bytes from the beginning to the end of the last whole frame. */
  get consumed(): number {
    return this.#pushed - this.#rest.length;
  }

  /** The frames that have become whole with these bytes. */
  push(bytes: Uint8Array): Frame[] {
    this.#pushed += bytes.length;
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const { frames, length } = framesIn(all);
    this.#rest = all.slice(length);
    return frames;
  }
}

/** The whole frames in some bytes, and how many bytes they take with what is passed over. */
export function framesIn(bytes: Uint8Array): { frames: Frame[]; length: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Frame[] = [];
  let at = 0;
  while (at + FRAME_HEADER_SIZE <= bytes.length) {
    if (!isHeader(view, at)) {
      at = nextHeader(bytes, view, at + 1);
      continue;
    }
    const begin = at + FRAME_HEADER_SIZE;
    let end = begin + view.getUint32(at + 16, true);
    if (end > bytes.length) {
      // Still being written; unless others follow, which are behind a frame that was cut off.
      const other = nextHeader(bytes, view, begin);
      if (other + FRAME_HEADER_SIZE > bytes.length) break;
      end = other;
    } else if (end + FRAME_HEADER_SIZE <= bytes.length && !isHeader(view, end)) {
      end = Math.min(end, nextHeader(bytes, view, begin));
    }
    frames.push(frameAt(view, at, bytes.subarray(begin, end)));
    at = end;
  }
  return { frames, length: at };
}

function frameAt(view: DataView, at: number, data: Uint8Array): Frame {
  const seconds = Number(view.getBigUint64(at, true));
  const nanoseconds = Number(view.getBigUint64(at + 8, true));
  return {
    stream: view.getUint8(at + 20) === 2 ? 2 : 1,
    atMs: seconds * 1000 + nanoseconds / 1e6,
    time: timeText(seconds, nanoseconds),
    data,
  };
}

function isHeader(view: DataView, at: number): boolean {
  const stream = view.getUint32(at + 20, true) - FRAME_MARK;
  if (stream !== 1 && stream !== 2) return false;
  return view.getUint32(at + 16, true) <= LENGTH_LIMIT &&
    view.getBigUint64(at + 8, true) < NANOSECONDS && view.getUint32(at + 4, true) === 0;
}

const MARK_OFFSET = 21, FIRST_OF_MARK = (FRAME_MARK >> 8) & 0xff;

/** The next header from a place on; or the first place at which one may still begin. */
function nextHeader(bytes: Uint8Array, view: DataView, from: number): number {
  const last = bytes.length - FRAME_HEADER_SIZE;
  for (let at = from; at <= last; at++) {
    const mark = bytes.indexOf(FIRST_OF_MARK, at + MARK_OFFSET);
    if (mark < 0 || mark - MARK_OFFSET > last) break;
    at = mark - MARK_OFFSET;
    if (isHeader(view, at)) return at;
  }
  return Math.max(from, last + 1);
}

function timeText(seconds: number, nanoseconds: number): string {
  const date = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${date}.${String(nanoseconds).padStart(9, "0")}Z`;
}
