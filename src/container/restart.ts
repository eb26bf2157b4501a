import { readDefinitions, type RestartPolicy, wasStopped } from "./definition.ts";
import type { Restarts, Roots } from "./state.ts";

/** docker's: the first pause, doubled each time up to the longest, until a run has lasted. */
const FIRST_MS = 100, LONGEST_MS = 60_000, LASTED_MS = 10_000;

/** A run that has ended. */
export interface Ended {
  /** As a shell shows it. */
  status: number;
  ranMs: number;
  /** What had been counted before it. */
  restarts: Restarts;
  /** By hand: `stop`, or `kill` with its stop signal or KILL. */
  stopped: boolean;
}

/**
 * What a container's policy says when it has ended.
 *
 * @returns the pause before it is started again, and how often it then was; undefined: it stays as it is
 */
export function nextRestart(
  policy: RestartPolicy | undefined,
  { status, ranMs, restarts: { count, delayMs }, stopped }: Ended,
): Restarts | undefined {
  if (!policy || stopped) return undefined;
  if (policy.name === "on-failure") {
    if (status === 0 || (policy.most !== undefined && count >= policy.most)) return undefined;
  }
  const doubled = ranMs >= LASTED_MS || delayMs === 0 ? FIRST_MS : delayMs * 2;
  return { count: count + 1, delayMs: Math.min(doubled, LONGEST_MS) };
}

/** Whether a policy wants a container to run when the host has come up; docker's rules. */
export function runsAtBoot(policy: RestartPolicy | undefined, stopped: boolean): boolean {
  return policy?.name === "always" || (policy?.name === "unless-stopped" && !stopped);
}

/** A policy as `--restart` has it. */
export function restartText(policy: RestartPolicy | undefined): string {
  if (!policy) return "no";
  return policy.most === undefined ? policy.name : `${policy.name}:${policy.most}`;
}

/** The ids of the containers that are to run when the host has come up. */
export function restartable(roots: Roots): string[] {
  return readDefinitions(roots)
    .filter(({ id, restart }) => runsAtBoot(restart, wasStopped(roots, id)))
    .filter(({ started }) => started)
    .sort((a, b) => a.created < b.created ? -1 : 1)
    .map(({ id }) => id);
}
