/** What is known of a container's health, and what follows from a check; docker's rules. */
import { dataDirectory, writeWhole } from "./definition.ts";
import type { Roots } from "./state.ts";

/** A command that tells whether a container does its work. */
export interface HealthCheck {
  /** A line of sh(1), run in the container. */
  command: string;
  intervalMs: number;
  timeoutMs: number;
  /** So many failures on end make it unhealthy. */
  retries: number;
  /** For so long after the start failures do not count. */
  startPeriodMs: number;
  /** The interval during that time. */
  startIntervalMs: number;
}

/** docker's defaults. */
export const HEALTH_DEFAULTS: Omit<HealthCheck, "command"> = {
  intervalMs: 30_000,
  timeoutMs: 30_000,
  retries: 3,
  startPeriodMs: 0,
  startIntervalMs: 5000,
};

/** How one check ended. */
export interface Checked {
  /** ISO 8601. */
  Start: string;
  End: string;
  /** Of the command; -1 if it took too long or could not be run. */
  ExitCode: number;
  /** The beginning of what it wrote. */
  Output: string;
}

/** As `inspect` shows it. */
export interface Health {
  Status: "starting" | "healthy" | "unhealthy";
  FailingStreak: number;
  /** The last ones, the oldest first. */
  Log: Checked[];
}

const KEPT = 5;

/** Before the first check. */
export const STARTING: Health = { Status: "starting", FailingStreak: 0, Log: [] };

/**
 * The health of a container after a check.
 *
 * @param startedAtMs when the container was started, since 1970
 */
export function nextHealth(
  { Status, FailingStreak, Log }: Health,
  checked: Checked,
  check: HealthCheck,
  startedAtMs: number,
): Health {
  const log = [...Log, checked].slice(-KEPT);
  if (checked.ExitCode === 0) return { Status: "healthy", FailingStreak: 0, Log: log };
  const early = Status === "starting" &&
    Date.parse(checked.Start) - startedAtMs < check.startPeriodMs;
  const streak = early ? FailingStreak : FailingStreak + 1;
  return {
    Status: streak >= check.retries && !early ? "unhealthy" : Status,
    FailingStreak: streak,
    Log: log,
  };
}

/** Milliseconds until the next check. */
export function pauseBefore(
  { Status }: Health,
  check: HealthCheck,
  startedAtMs: number,
  nowMs: number,
): number {
  const early = Status === "starting" && nowMs - startedAtMs < check.startPeriodMs;
  return early ? check.startIntervalMs : check.intervalMs;
}

/** What was written down of a container's health; undefined where nothing was. */
export function readHealth(roots: Roots, id: string): Health | undefined {
  try {
    const health: unknown = JSON.parse(Deno.readTextFileSync(healthFile(roots, id)));
    return isHealth(health) ? health : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes a container's health down, by rename. */
export function writeHealth(roots: Roots, id: string, health: Health): void {
  writeWhole(healthFile(roots, id), JSON.stringify(health));
}

function healthFile(roots: Roots, id: string): string {
  return `${dataDirectory(roots, id)}/health.json`;
}

function isHealth(value: unknown): value is Health {
  return typeof value === "object" && value !== null && "Status" in value && "Log" in value &&
    Array.isArray(value.Log) && "FailingStreak" in value;
}
