import type { Process } from "../container/process_table.ts";

/** What a column of `top` is made from, besides the process. */
export interface Around {
  nowMs: number;
  /** Of the host; bytes. */
  memoryBytes: number;
  userName(uid: number): string;
  groupName(gid: number): string;
}

/** A column of ps(1). */
export interface Column {
  heading: string;
  of(process: Process, around: Around): string;
}

const pad = (number: number) => String(Math.floor(number)).padStart(2, "0");

/** `[DD-]HH:MM:SS` of processor time. */
function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const rest = `${pad(seconds % 86_400 / 3600)}:${pad(seconds % 3600 / 60)}:${pad(seconds % 60)}`;
  return days > 0 ? `${pad(days)}-${rest}` : rest;
}

/** `[[DD-]HH:]MM:SS` since a start. */
function elapsed(ms: number): string {
  return clock(Math.max(ms, 0)).replace(/^00:/, "");
}

/** The hour of a start today, the day of one before, the year of one in another year; ps(1), bsdstart. */
function startTime({ startedMs }: Process, { nowMs }: Around): string {
  const [start, now] = [new Date(startedMs), new Date(nowMs)];
  if (start.getFullYear() !== now.getFullYear()) return String(start.getFullYear());
  if (start.toDateString() === now.toDateString()) {
    return `${pad(start.getHours())}:${pad(start.getMinutes())}`;
  }
  return `${start.toDateString().slice(4, 7)}${pad(start.getDate())}`;
}

/** Of one processor, since its start; percent. */
function processorShare({ cpuMs, startedMs }: Process, { nowMs }: Around): number {
  const lived = nowMs - startedMs;
  return lived > 0 ? cpuMs * 100 / lived : 0;
}

const USER: Column = { heading: "USER", of: ({ uid }, { userName }) => userName(uid) };
const GROUP: Column = { heading: "GROUP", of: ({ gid }, { groupName }) => groupName(gid) };
const PID: Column = { heading: "PID", of: ({ pid }) => String(pid) };
const PPID: Column = { heading: "PPID", of: ({ ppid }) => String(ppid) };
const TTY: Column = { heading: "TT", of: ({ tty }) => tty };
const CPU: Column = {
  heading: "%CPU",
  of: (one, around) => processorShare(one, around).toFixed(1),
};
const MEMORY: Column = {
  heading: "%MEM",
  of: ({ residentBytes }, { memoryBytes }) => (residentBytes * 100 / memoryBytes).toFixed(1),
};
const VSZ: Column = { heading: "VSZ", of: ({ virtualBytes }) => String(virtualBytes / 1024) };
const RSS: Column = { heading: "RSS", of: ({ residentBytes }) => String(residentBytes / 1024) };
const STAT: Column = { heading: "STAT", of: ({ state }) => state };
const START: Column = { heading: "STIME", of: startTime };
const TIME: Column = { heading: "TIME", of: ({ cpuMs }) => clock(cpuMs) };
const ARGS: Column = { heading: "COMMAND", of: ({ command }) => command };
const COMM: Column = { heading: "COMMAND", of: ({ name }) => name };

/** By the names that `ps -o` has for them. */
const COLUMNS: Readonly<Record<string, Column>> = {
  user: USER,
  euser: USER,
  uname: USER,
  uid: { heading: "UID", of: ({ uid }) => String(uid) },
  euid: { heading: "EUID", of: ({ uid }) => String(uid) },
  group: GROUP,
  egroup: GROUP,
  gid: { heading: "GID", of: ({ gid }) => String(gid) },
  egid: { heading: "EGID", of: ({ gid }) => String(gid) },
  pid: PID,
  ppid: PPID,
  pgid: { heading: "PGID", of: ({ pgid }) => String(pgid) },
  pgrp: { heading: "PGRP", of: ({ pgid }) => String(pgid) },
  sid: { heading: "SID", of: ({ sid }) => String(sid) },
  sess: { heading: "SESS", of: ({ sid }) => String(sid) },
  c: {
    heading: "C",
    of: (one, around) => String(Math.min(Math.floor(processorShare(one, around)), 99)),
  },
  pcpu: CPU,
  "%cpu": CPU,
  pmem: MEMORY,
  "%mem": MEMORY,
  vsz: VSZ,
  vsize: VSZ,
  rss: RSS,
  rssize: RSS,
  tty: TTY,
  tt: TTY,
  tname: { ...TTY, heading: "TTY" },
  stat: STAT,
  state: { heading: "S", of: ({ state }) => state.slice(0, 1) },
  s: { heading: "S", of: ({ state }) => state.slice(0, 1) },
  ni: { heading: "NI", of: ({ nice }) => String(nice) },
  nice: { heading: "NI", of: ({ nice }) => String(nice) },
  nlwp: { heading: "NLWP", of: ({ threads }) => String(threads) },
  thcount: { heading: "THCNT", of: ({ threads }) => String(threads) },
  stime: START,
  start: { ...START, heading: "STARTED" },
  start_time: { ...START, heading: "START" },
  lstart: {
    heading: "STARTED",
    of: ({ startedMs }) => new Date(startedMs).toString().slice(0, 24),
  },
  etime: { heading: "ELAPSED", of: ({ startedMs }, { nowMs }) => elapsed(nowMs - startedMs) },
  etimes: {
    heading: "ELAPSED",
    of: ({ startedMs }, { nowMs }) => String(Math.max(0, Math.floor((nowMs - startedMs) / 1000))),
  },
  time: TIME,
  cputime: TIME,
  comm: COMM,
  ucmd: { ...COMM, heading: "CMD" },
  args: ARGS,
  cmd: { ...ARGS, heading: "CMD" },
  command: ARGS,
};

const heading = (column: Column | undefined, text: string): Column[] =>
  column ? [{ ...column, heading: text }] : [];

/** `ps -ef`: what docker's `top` shows. */
export const FULL: readonly Column[] = [
  ...heading(USER, "UID"),
  PID,
  PPID,
  ...heading(COLUMNS.c, "C"),
  START,
  ...heading(TTY, "TTY"),
  TIME,
  ...heading(ARGS, "CMD"),
];

const AUX: readonly Column[] = [
  ...[USER, PID, CPU, MEMORY, VSZ, RSS],
  ...heading(TTY, "TTY"),
  STAT,
  ...heading(START, "START"),
  TIME,
  ARGS,
];

/**
 * The columns that options of ps(1) ask for: `-ef`, `aux`, `-o LIST`. Which processes are shown is
 * not theirs to say: those of the container are.
 *
 * @returns undefined for an option that is none of these
 */
export function columnsFor(words: readonly string[]): readonly Column[] | undefined {
  let columns: readonly Column[] | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const list = /^-?[aAdefuxw]*o(.*)$/.exec(word)?.[1] ?? /^--format=(.*)$/.exec(word)?.[1];
    if (list !== undefined) {
      const wanted = listed(list === "" ? words[++at] ?? "" : list);
      if (!wanted) return undefined;
      columns = [...columns === FULL || columns === AUX ? [] : columns ?? [], ...wanted];
    } else if (/^-?[aAdexwf]+$/.test(word)) columns ??= FULL;
    else if (/^-?[axw]*u[axw]*$/.test(word)) columns ??= AUX;
    else return undefined;
  }
  return columns ?? FULL;
}

/** `pid,comm` or `pid,args=COMMAND LINE`: a heading goes to the end. */
function listed(text: string): Column[] | undefined {
  const found: Column[] = [];
  for (let rest = text; rest !== "";) {
    const [, name = "", sign = "", behind = ""] = /^([^,=\s]+)([,=\s]?)(.*)$/s.exec(rest) ?? [];
    const column = Object.hasOwn(COLUMNS, name.toLowerCase())
      ? COLUMNS[name.toLowerCase()]
      : undefined;
    if (!column) return undefined;
    found.push(sign === "=" ? { ...column, heading: behind } : column);
    rest = sign === "=" ? "" : behind;
  }
  return found.length > 0 ? found : undefined;
}

/** The names that `-o` takes. */
export function columnNames(): string[] {
  return Object.keys(COLUMNS);
}
