import { thawing } from "../cgroup/freeze.ts";
import { type CgroupHost, cgroupPath } from "../cgroup/host.ts";
import type { Supervision } from "../plan/mod.ts";
import { superviseSteps } from "../plan/supervise.ts";
import type { TimeLimit } from "../plan/supervise_timeout.ts";
import type { Spec } from "../spec/mod.ts";
import { dataDirectory, type Definition } from "./definition.ts";
import { logPath } from "./log_path.ts";
import type { RunOptions } from "./make.ts";
import { selfCommand, selfEnvironment } from "./self.ts";

/** A log for those who are attached alone, which begins anew when it is full. */
const UNKEPT = { logLimitBytes: 1_000_000, logFiles: 1 };

/**
 * What is to be done for a container, with what its supervisor is told.
 *
 * @param by the host's hierarchies; a descriptor that holds the container's lock; where its output is
 * echoed to, if it is started in the foreground
 */
export function supervised(
  definition: Definition,
  spec: Spec,
  options: RunOptions,
  by: { host: CgroupHost; lock: number; echo: Supervision["echo"] },
): RunOptions {
  const { name, log, restart, timeoutMs } = definition;
  const { host, lock, echo } = by;
  const { roots, id } = options;
  const echoes = echo ? { echo } : {};
  const limit = timeoutMs !== undefined && limitOf(timeoutMs, spec, id, host);
  return {
    ...options,
    supervision: {
      directory: dataDirectory(roots, id),
      log: logPath(roots, id, log),
      lock,
      name,
      program: superviseSteps({
        ...log.driver === "none" ? UNKEPT : { logLimitBytes: log.limitBytes, logFiles: log.files },
        terminal: spec.process?.terminal ?? false,
        handsOver: echo !== undefined && restart === undefined,
        afterwards: selfCommand(roots, ["ended", id]),
        env: selfEnvironment(),
        ...echoes,
        ...limit ? { limit } : {},
      }),
      ...echoes,
    },
  };
}

function limitOf(timeoutMs: number, { linux }: Spec, id: string, host: CgroupHost): TimeLimit {
  const thaw = thawing(host, cgroupPath(linux?.cgroupsPath, id));
  return { timeoutMs, ...thaw ? { thaw } : {} };
}
