/** The record of a container's end: what `inspect` and `why` tell when nothing of it runs any more. */
import type { CgroupHost } from "../cgroup/host.ts";
import {
  dataDirectory,
  type Definition,
  type ExitRecord,
  readDefinition,
  readExit,
  writeWhole,
} from "./definition.ts";
import { deathEvents, noteEvents } from "./events.ts";
import type { Roots, State } from "./state.ts";

/** Why and how a run of a container ended: `end.json` beside its definition. */
export interface EndRecord {
  version: 1;
  /** As a shell shows it: the exit code, or 128 plus a signal. */
  status: number;
  signal?: number;
  /** It was killed after so long, as `--timeout` says. */
  timeoutMs?: number;
  /** ISO 8601. */
  startedAt?: string;
  finishedAt: string;
  /** Absent without the memory controller. */
  memory?: MemoryAtEnd;
  /** Why it could not be started, or what became of it where nobody saw its end. */
  error?: string;
  /** The step of the start that failed, as `--explain` names it. */
  step?: string;
  /** How often its policy had started it again. */
  restarts?: number;
}

/** Bytes. */
export interface MemoryAtEnd {
  /** How many of its processes the OOM killer has ended. */
  oomKills: number;
  limitBytes?: number;
  peakBytes?: number;
}

const DEAD_STATUS = 137;
const INTERRUPTED = "the command that started it was killed before it had";

/**
 * Notes how a run ended, before its cgroup is removed: what the supervisor saw, and what the kernel
 * counted. Nothing is noted of a container without a definition, or twice.
 *
 * @returns the record
 */
export async function noteEnd(
  roots: Roots,
  state: State,
  host: CgroupHost,
): Promise<EndRecord | undefined> {
  const definition = readDefinition(roots, state.id);
  if (!definition || state.waiter) return undefined;
  const before = readEnd(roots, state.id);
  if (before) return before;
  const record = await recordOf(roots, state, host, definition);
  writeEnd(roots, state.id, record);
  const { status, memory } = record;
  const oomKilled = memory !== undefined && memory.oomKills > 0;
  noteEvents(roots, deathEvents(definition, state, { status, oomKilled }));
  return record;
}

async function recordOf(
  roots: Roots,
  state: State,
  host: CgroupHost,
  definition: Definition,
): Promise<EndRecord> {
  const exit = readExit(roots, state.id);
  const memory = await memoryAtEnd(host, state.cgroup);
  const { startedAt, restarts } = state;
  return {
    version: 1,
    ...endOf(exit, definition),
    ...state.pid === undefined ? { error: INTERRUPTED } : {},
    ...startedAt === undefined ? {} : { startedAt },
    ...memory ? { memory } : {},
    ...restarts ? { restarts: restarts.count } : {},
  };
}

function endOf(exit: ExitRecord | undefined, { timeoutMs }: Definition) {
  if (!exit) {
    return {
      status: DEAD_STATUS,
      finishedAt: new Date().toISOString(),
      error: "nobody saw its end: its supervisor was killed, or the host went down",
    };
  }
  const { status, signal, atMs, timedOut } = exit;
  const finishedAt = new Date(atMs).toISOString();
  return {
    status,
    finishedAt,
    ...signal === undefined ? {} : { signal },
    ...timedOut && timeoutMs !== undefined ? { timeoutMs } : {},
  };
}

async function memoryAtEnd(host: CgroupHost, cgroup: string): Promise<MemoryAtEnd | undefined> {
  const { readStatistics } = await import("../cgroup/mod.ts");
  const memory = readStatistics(host, cgroup).memory;
  if (!memory) return undefined;
  const { oomKills, limitBytes, peakBytes } = memory;
  return {
    oomKills,
    ...limitBytes === undefined ? {} : { limitBytes },
    ...peakBytes === undefined ? {} : { peakBytes },
  };
}

/** Notes that a container could not be started. */
export function recordFailure(roots: Roots, id: string, error: unknown): void {
  const code = error instanceof Error && "exitCode" in error ? error.exitCode : undefined;
  const step = error instanceof Error && "step" in error ? error.step : undefined;
  writeEnd(roots, id, {
    version: 1,
    status: typeof code === "number" ? code : 125,
    finishedAt: new Date().toISOString(),
    error: error instanceof Error ? error.message : String(error),
    ...typeof step === "string" ? { step } : {},
  });
}

/** Synced before it takes its name: a power cut leaves the whole record or none; fsync(2). */
function writeEnd(roots: Roots, id: string, record: EndRecord): void {
  const path = `${dataDirectory(roots, id)}/end.json`;
  writeWhole(path, JSON.stringify(record, null, 2), "synced");
}

/** The record of a container's last end; undefined where it has none. */
export function readEnd(roots: Roots, id: string): EndRecord | undefined {
  try {
    const text = Deno.readTextFileSync(`${dataDirectory(roots, id)}/end.json`);
    const value: unknown = JSON.parse(text);
    return isEnd(value) ? value : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isEnd(value: unknown): value is EndRecord {
  return typeof value === "object" && value !== null && "version" in value &&
    value.version === 1 && "status" in value && "finishedAt" in value;
}
