import { pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import {
  type Following,
  followLog,
  type Frame,
  hasEnded,
  lastLines,
  logDirectory,
  readLog,
} from "../container/log.ts";
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
  const lines = flags.tail === undefined || flags.tail === "all"
    ? undefined
    : parsed("--tail", flags.tail, countOfLines);
  const roots = rootsBelow(root);
  const known = pick(knownContainers(roots), name);
  const directory = logDirectory(roots, known, "read");
  const printer = new Printer(flags.timestamps);
  const print = (frame: Frame) => {
    if (frame.atMs >= since && frame.atMs <= until) printer.print(frame);
  };
  let from: Following["from"] = "beginning";
  if (lines !== undefined) {
    const last = lastLines(directory, lines);
    for (const frame of last.frames) print(frame);
    from = last.end;
  } else if (!flags.follow) {
    for (const frame of readLog(directory)) print(frame);
  }
  if (!flags.follow) return 0;
  const isOver = () => Date.now() > until || hasEnded(roots, known);
  for await (const frames of followLog(directory, { from, isOver })) {
    for (const frame of frames) print(frame);
  }
  return 0;
}

/** docker's: a negative number of lines is all of them. */
function countOfLines(text: string): number | undefined {
  const lines = parseInteger(text, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return lines < 0 ? undefined : lines;
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
