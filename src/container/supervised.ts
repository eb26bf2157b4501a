import { thawing } from "../cgroup/freeze.ts";
import { type CgroupHost, cgroupPath } from "../cgroup/host.ts";
import type { ContainerPlan, Supervision } from "../plan/mod.ts";
import { superviseSteps } from "../plan/supervise.ts";
import { planSupervised } from "../plan/supervised.ts";
import type { TimeLimit } from "../plan/supervise_timeout.ts";
import type { Spec } from "../spec/mod.ts";
import { dataDirectory, type Definition } from "./definition.ts";
import { logPath } from "./log_path.ts";
import { planRun, type RunOptions } from "./make.ts";
import { selfCommand, selfEnvironment } from "./self.ts";

/** A log for those who are attached alone, which begins anew when it is full. */
const UNKEPT = { logLimitBytes: 1_000_000, logFiles: 1 };

/**
 * The plan of a container that has a supervisor.
 *
 * @param by the host's hierarchies; a descriptor that holds the container's lock; where its output is
 * echoed to, if it is started in the foreground
 */
export function planKept(
  definition: Definition,
  spec: Spec,
  options: RunOptions,
  by: { host: CgroupHost; lock: number; echo: Supervision["echo"] },
): Promise<ContainerPlan> {
  const wanted = { ...options, supervision: supervisionOf(definition, spec, options, by) };
  return planRun(spec, wanted, by.host, planSupervised);
}

/** What its supervisor is told. */
function supervisionOf(
  definition: Definition,
  spec: Spec,
  { roots, id }: RunOptions,
  { host, lock, echo }: { host: CgroupHost; lock: number; echo: Supervision["echo"] },
): Supervision {
  const { name, log, restart, timeoutMs } = definition;
  const echoes = echo ? { echo } : {};
  const limit = timeoutMs !== undefined && limitOf(timeoutMs, spec, id, host);
  return {
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
  };
}

function limitOf(timeoutMs: number, { linux }: Spec, id: string, host: CgroupHost): TimeLimit {
  const thaw = thawing(host, cgroupPath(linux?.cgroupsPath, id));
  return { timeoutMs, ...thaw ? { thaw } : {} };
}
