import { type Known, statusOf } from "../container/list.ts";
import type { Roots } from "../container/mod.ts";
import { askedMounts, specOf } from "../container/mounts.ts";
import { restartText } from "../container/restart.ts";
import type { Spec } from "../spec/mod.ts";
import { volumeName } from "./ps_row.ts";
import { restartCount, shownState } from "./state_shown.ts";

/** What `inspect` prints of a container: docker's words where docker has them. */
export async function describe(roots: Roots, known: Known): Promise<Record<string, unknown>> {
  const { id, name, definition, state } = known;
  const status = statusOf(roots, known);
  const spec = await specOf(roots, known);
  const { args = [], env = [], cwd = "/", terminal = false } = spec?.process ?? {};
  const networked = state?.networked ?? false;
  return {
    Id: id,
    Name: name,
    Created: definition?.created ?? state?.created,
    Image: definition?.image,
    Command: definition?.command,
    State: shownState(roots, known, status),
    RestartCount: restartCount(roots, known),
    RestartPolicy: restartText(definition?.restart),
    Labels: definition?.labels,
    Root: definition?.root,
    LogPath: definition && `${roots.data}/containers/${id}/log`,
    ConfigPath: definition && `${roots.data}/containers/${id}/config.json`,
    CgroupPath: state?.cgroup,
    AutoRemove: definition?.remove,
    Path: args[0],
    Args: args.slice(1),
    Config: {
      Hostname: spec?.hostname,
      Env: env,
      Cmd: definition?.command ?? args,
      Image: definition?.image,
      WorkingDir: cwd,
      Tty: terminal,
      Labels: definition?.labels ?? {},
      Timeout: (definition?.timeoutMs ?? 0) / 1000, // podman's: 0 is none.
    },
    Mounts: mountsOf(roots, id, spec),
    NetworkSettings: networked
      ? (await import("./network_rows.ts")).networkSettings(roots, id)
      : { IPAddress: "", Ports: {}, Networks: {} },
  };
}

/** The mounts that were asked for, by docker's names. */
function mountsOf(roots: Roots, id: string, spec: Spec | undefined): Record<string, unknown>[] {
  return askedMounts(roots, id, spec).map(({ type, source = "", destination, options = [] }) => {
    const name = volumeName(roots, source);
    return {
      Type: name === undefined ? type : "volume",
      ...name === undefined ? {} : { Name: name, Driver: "local" },
      Source: source,
      Destination: destination,
      Mode: options.join(","),
      RW: !options.some((option) => option === "ro" || option === "rro"),
    };
  });
}
