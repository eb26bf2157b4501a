import { readExit } from "../container/definition.ts";
import { readEnd } from "../container/end.ts";
import { readHealth } from "../container/health.ts";
import type { Known, Status } from "../container/list.ts";
import type { Roots } from "../container/mod.ts";

/** docker's word for a time that has not come. */
const NEVER = "0001-01-01T00:00:00Z";

/** What `inspect` calls State: docker's keys, and some of ours behind them. */
export function shownState(
  roots: Roots,
  { id, state, definition }: Known,
  status: Status,
): Record<string, unknown> {
  const exit = readExit(roots, id);
  const end = readEnd(roots, id);
  const runs = status === "running" || status === "paused";
  return {
    Status: status,
    Running: runs || status === "restarting", // As in docker: it is not to be removed.
    Paused: status === "paused",
    Restarting: status === "restarting",
    OOMKilled: !runs && (end?.memory?.oomKills ?? 0) > 0,
    Dead: status === "dead",
    Pid: runs ? state?.pid : 0,
    ExitCode: runs ? 0 : exit?.status ?? end?.status ?? 0,
    Error: runs ? "" : end?.error ?? (end?.timeoutMs === undefined ? "" : "its time was over"),
    StartedAt: state?.startedAt ?? end?.startedAt ?? NEVER,
    FinishedAt: exit ? new Date(exit.atMs).toISOString() : end?.finishedAt ?? NEVER,
    Health: definition?.health && readHealth(roots, id),
    Supervisor: runs ? state?.supervisor : undefined,
    Signal: runs ? undefined : exit?.signal,
    Memory: runs ? undefined : end?.memory,
  };
}

/** How often its policy has started a container again since it was started by hand. */
export function restartCount(roots: Roots, { id, state }: Known): number {
  return state?.restarts?.count ?? readEnd(roots, id)?.restarts ?? 0;
}
