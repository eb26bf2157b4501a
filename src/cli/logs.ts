import { pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import { isRunning } from "../container/live.ts";
import { followLog, type Frame, readLog } from "../container/log.ts";
import { rootsBelow } from "../container/mod.ts";
import { parseCommandLine, parsed, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { LOGS } from "./lifecycle_flags.ts";
import { parseDuration, parseInteger } from "./number.ts";
import { UsageError } from "./usage_error.ts";

/** `minictr logs`: what a container has written, each stream to its own. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseCommandLine(LOGS, args);
  if (help) {
    console.log(helpText(LOGS));
    return 0;
  }
  const [name, extra] = operands;
  if (name === undefined) throw wrongUse(LOGS, '"logs" needs a container');
  if (extra !== undefined) throw wrongUse(LOGS, `"logs" is for one container, not also "${extra}"`);
  const since = flags.since === undefined ? -Infinity : parsed("--since", flags.since, instant);
  const until = flags.until === undefined ? Infinity : parsed("--until", flags.until, instant);
  const roots = rootsBelow(root);
  const known = pick(knownContainers(roots), name);
  const within = ({ atMs }: Frame) => atMs >= since && atMs <= until;
  const printer = new Printer(flags.timestamps);
  const { state } = known;
  if (flags.follow && flags.tail === undefined) {
    const over = () => !state || !isRunning(state);
    for (const frame of readLog(roots, known.id, "rotated")) {
      if (within(frame)) printer.print(frame);
    }
    for await (const frame of followLog(roots, known.id, over)) {
      if (within(frame)) printer.print(frame);
    }
    return 0;
  }
  const frames = [...readLog(roots, known.id)].filter(within);
  const lines = flags.tail === undefined || flags.tail === "all"
    ? Infinity
    : parsed("--tail", flags.tail, (text) => parseInteger(text, 0, Number.MAX_SAFE_INTEGER));
  for (const frame of lastLines(frames, lines)) printer.print(frame);
  if (flags.follow) {
    const already = frames.at(-1)?.atMs ?? -Infinity;
    for await (const frame of followLog(roots, known.id, () => !state || !isRunning(state))) {
      if (frame.atMs > already && within(frame)) printer.print(frame);
    }
  }
  return 0;
}

/** RFC 3339, seconds since 1970, or how long ago, in milliseconds since 1970. */
function instant(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  if (!Number.isNaN(date)) return date;
  try {
    return Date.now() - parseDuration(text);
  } catch {
    throw new UsageError(`"${text}" is no time: give 2026-01-31T12:00:00Z, or 10m for so long ago`);
  }
}

/** The frames that hold the last lines; the first is cut where they begin. */
function lastLines(frames: Frame[], lines: number): Frame[] {
  if (lines === Infinity) return frames;
  const NEWLINE = 0x0a;
  let missing = lines;
  for (let index = frames.length - 1; index >= 0; index--) {
    const frame = frames[index];
    if (!frame) continue;
    const { data } = frame;
    const from = index === frames.length - 1 && data.at(-1) === NEWLINE
      ? data.length - 2
      : data.length - 1;
    for (let at = from; at >= 0; at--) {
      if (data[at] !== NEWLINE || --missing > 0) continue;
      return [{ ...frame, data: data.subarray(at + 1) }, ...frames.slice(index + 1)];
    }
  }
  return lines === 0 ? [] : frames;
}

/** Writes frames out whole; with time stamps, one at the beginning of each line. */
class Printer {
  readonly #stamps: boolean;
  readonly #midLine: [boolean, boolean] = [false, false];

  constructor(stamps: boolean) {
    this.#stamps = stamps;
  }

  print({ stream, time, data }: Frame): void {
    const to = stream === 1 ? Deno.stdout : Deno.stderr;
    if (!this.#stamps) return write(to, data);
    const index = stream === 1 ? 0 : 1;
    for (let at = 0; at < data.length;) {
      const newline = data.indexOf(0x0a, at);
      const end = newline < 0 ? data.length : newline + 1;
      if (!this.#midLine[index]) write(to, new TextEncoder().encode(`${time} `));
      write(to, data.subarray(at, end));
      this.#midLine[index] = newline < 0;
      at = end;
    }
  }
}

function write(to: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}
