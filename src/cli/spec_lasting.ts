import type { RestartPolicy } from "../container/definition.ts";
import { HEALTH_DEFAULTS, type HealthCheck } from "../container/health.ts";
import { parsed } from "./grammar.ts";
import { parseDuration, parseInteger } from "./number.ts";
import type { RunSpec, Wish } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";

const MOST = 1_000_000;

/** The flags of a container that is looked after while nobody attends to it. */
export function applyLasting({ engine }: RunSpec, { line: { flags } }: Wish): void {
  if (flags.restart !== undefined) {
    const restart = parsed("--restart", flags.restart, parseRestart);
    if (restart && engine.remove) {
      throw new UsageError(
        "--restart excludes --rm: what is removed when it ends is not started again",
      );
    }
    if (restart) engine.restart = restart;
  }
  const health = healthOf(flags);
  if (health) engine.health = health;
}

type Flags = Wish["line"]["flags"];

/** docker's rules: 0 is the default, and less than a millisecond is refused. */
function healthOf(flags: Flags): HealthCheck | undefined {
  const command = flags["health-cmd"];
  const others = ["interval", "timeout", "retries", "start-period", "start-interval"] as const;
  const given = others.find((name) => flags[`health-${name}`] !== undefined);
  if (flags["no-healthcheck"]) {
    if (command === undefined && given === undefined) return undefined;
    throw new UsageError("--no-healthcheck excludes the flags of a health check");
  }
  if (command === undefined || command === "" || command === "none") {
    if (given === undefined) return undefined;
    throw new UsageError(`--health-${given} needs a check: --health-cmd`);
  }
  const ms = (name: (typeof others)[number], preset: number): number => {
    const flag = `health-${name}` as const;
    const text = flags[flag];
    return text === undefined ? preset : parsed(`--${flag}`, text, parseDuration) || preset;
  };
  const retries = flags["health-retries"];
  const presets = HEALTH_DEFAULTS;
  return {
    command,
    intervalMs: ms("interval", presets.intervalMs),
    timeoutMs: ms("timeout", presets.timeoutMs),
    retries: retries === undefined
      ? presets.retries
      : parsed("--health-retries", retries, (text) => parseInteger(text, 0, MOST)) ||
        presets.retries,
    startPeriodMs: ms("start-period", presets.startPeriodMs),
    startIntervalMs: ms("start-interval", presets.startIntervalMs),
  };
}

/**
 * A restart policy in docker's words: `no`, `always`, `unless-stopped`, `on-failure[:N]`.
 *
 * @returns undefined: never
 * @throws {UsageError} if it is none
 */
export function parseRestart(text: string): RestartPolicy | undefined {
  const [name, most, ...more] = text.split(":");
  const known = name === "always" || name === "unless-stopped" || name === "on-failure";
  if (more.length > 0 || (!known && name !== "no" && name !== "")) {
    throw new UsageError(`"${text}" is none of no, always, unless-stopped and on-failure[:N]`);
  }
  if (most !== undefined && name !== "on-failure") {
    throw new UsageError(`"${text}": only on-failure has a number of attempts`);
  }
  if (!known) return undefined;
  const limit = most === undefined ? 0 : parseInteger(most, 0, MOST);
  return limit === 0 ? { name } : { name, most: limit }; // 0 is no limit, as in docker.
}
