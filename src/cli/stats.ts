import { pick } from "../container/find.ts";
import { type Figures, Sampler } from "../container/figures.ts";
import { isTerminal } from "../container/console.ts";
import { type Known, knownContainers } from "../container/list.ts";
import { isRunning } from "../container/live.ts";
import { type Roots, rootsBelow } from "../container/state.ts";
import type { Grammar } from "./grammar.ts";
import { helpText } from "./help.ts";
import { parseInterspersed } from "./interspersed.ts";
import { listed, type Listing, print, type Row } from "./output.ts";
import { bytes } from "./ps_row.ts";
import { memoryBytes } from "./top.ts";

/** `stats` */
export const STATS = {
  command: "stats",
  operands: "[CONTAINER…]",
  summary: "Print what containers use, again and again",
  examples: [
    ["minictr stats --no-stream", "once"],
    ["minictr stats web --format '{{.Name}} {{.CPUPerc}} {{.MemUsage}}'", "what a template picks"],
  ],
  groups: [{
    name: "stats",
    title: "Options",
    flags: [
      { name: "all", short: "a", help: "also containers that do not run" },
      { name: "format", value: "FORMAT", help: "table, json, or a template of Go" },
      { name: "no-stream", help: "once, over a fifth of a second" },
      { name: "no-trunc", help: "whole ids" },
    ],
  }],
} as const satisfies Grammar;

/** docker's columns. */
const FIGURES: Listing = {
  headings: {
    Container: "CONTAINER",
    ID: "CONTAINER ID",
    Name: "NAME",
    CPUPerc: "CPU %",
    MemUsage: "MEM USAGE / LIMIT",
    MemPerc: "MEM %",
    NetIO: "NET I/O",
    BlockIO: "BLOCK I/O",
    PIDs: "PIDS",
  },
  columns: ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"],
};

/** docker waits a second between its two samples. The kernel counts nanoseconds: less will do. */
const SHORT_MS = 200;
/** Of many containers the first sample itself takes a part of that time. */
const PAUSE_LEAST_MS = 50;
const INTERVAL_MS = 1000;
const CLEAR = "\x1b[H\x1b[2J";

/** `minictr stats`: memory, processor, network and block device use of containers. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseInterspersed(STATS, args);
  if (help) {
    print(`${helpText(STATS)}\n`);
    return 0;
  }
  const roots = rootsBelow(root);
  const sampler = new Sampler();
  const clears = !flags["no-stream"] && isTerminal(1);
  const hostBytes = memoryBytes();
  let chosen = choose(roots, operands, flags.all);
  const begunMs = performance.now();
  sampler.begin(chosen);
  const restMs = SHORT_MS - (performance.now() - begunMs);
  for (let waitMs = Math.max(restMs, PAUSE_LEAST_MS);; waitMs = INTERVAL_MS) {
    if (chosen.length > 0 || !flags["no-stream"]) await pause(waitMs);
    if (!flags["no-stream"]) chosen = choose(roots, operands, flags.all);
    const rows = sampler.sample(chosen).map((one) => rowOf(one, hostBytes, flags["no-trunc"]));
    print((clears ? CLEAR : "") + await listed(FIGURES, rows, flags));
    if (flags["no-stream"]) return 0;
  }
}

/** Those that are named, whatever they do; else those that run. */
function choose(roots: Roots, names: readonly string[], all: boolean): Known[] {
  const known = knownContainers(roots).map(alive);
  if (names.length > 0) return names.map((name) => pick(known, name));
  return known.filter(({ state }) => all || state !== undefined);
}

/** One that has ended has no figures. */
function alive(known: Known): Known {
  const { state, ...rest } = known;
  return state && isRunning(state) ? known : rest;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function rowOf(figures: Figures, hostBytes: number, whole: boolean): Row {
  const { known: { id, name, state }, cpuPercent, memoryBytes } = figures;
  // A limit above what the host has is none.
  const limit = state ? Math.min(figures.memoryLimitBytes ?? hostBytes, hostBytes) : 0;
  const shownId = whole ? id : id.slice(0, 12);
  return {
    Container: shownId,
    ID: shownId,
    Name: name,
    CPUPerc: `${cpuPercent.toFixed(2)}%`,
    MemUsage: `${binary(memoryBytes)} / ${binary(limit)}`,
    MemPerc: `${(limit > 0 ? memoryBytes * 100 / limit : 0).toFixed(2)}%`,
    NetIO: `${bytes(figures.receivedBytes)} / ${bytes(figures.sentBytes)}`,
    BlockIO: `${bytes(figures.readBytes)} / ${bytes(figures.writeBytes)}`,
    PIDs: String(figures.pids),
  };
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** A size with binary units and four digits, as docker prints memory: "1.523MiB". */
export function binary(count: number): string {
  let power = 0, rest = count;
  for (; rest >= 1024 && power < UNITS.length - 1; power++) rest /= 1024;
  return `${Number(rest.toPrecision(4))}${UNITS[power]}`;
}
