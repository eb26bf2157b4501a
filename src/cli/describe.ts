import { readExit } from "../container/definition.ts";
import { type Known, statusOf } from "../container/list.ts";
import type { Roots } from "../container/mod.ts";

/** What `inspect` prints of a container: docker's words where docker has them. */
export function describe(roots: Roots, known: Known): Record<string, unknown> {
  const { id, name, definition, state } = known;
  const status = statusOf(roots, known);
  const exit = readExit(roots, id);
  const runs = status === "running" || status === "paused";
  return {
    Id: id,
    Name: name,
    Created: definition?.created ?? state?.created,
    Image: definition?.image,
    Command: definition?.command,
    State: {
      Status: status,
      Running: runs,
      Paused: status === "paused",
      Dead: status === "dead",
      Pid: runs ? state?.pid : 0,
      Supervisor: runs ? state?.supervisor : undefined,
      StartedAt: state?.startedAt,
      ExitCode: exit?.status,
      Signal: exit?.signal,
      FinishedAt: exit && new Date(exit.atMs).toISOString(),
    },
    Labels: definition?.labels,
    Root: definition?.root,
    LogPath: definition && `${roots.data}/containers/${id}/log`,
    ConfigPath: definition && `${roots.data}/containers/${id}/config.json`,
    CgroupPath: state?.cgroup,
    AutoRemove: definition?.remove,
  };
}
