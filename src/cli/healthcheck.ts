import { pick } from "../container/find.ts";
import { attendHealth, checkHealth } from "../container/health_run.ts";
import { knownContainers } from "../container/list.ts";
import { rootsBelow } from "../container/mod.ts";
import { running } from "../container/stop.ts";
import { KEPT_DESCRIPTOR } from "../plan/sleep.ts";
import { type Grammar, parseCommandLine, wrongUse } from "./grammar.ts";
import { helped } from "./lifecycle.ts";
import { UsageError } from "./usage_error.ts";

/** `healthcheck` */
export const HEALTHCHECK: Grammar = {
  command: "healthcheck",
  operands: "run CONTAINER",
  summary: "Run the health check of a container now",
  examples: [["minictr healthcheck run web", "prints its health; 1 if it is not healthy"]],
  groups: [],
};

/** `minictr healthcheck run`, as in podman; `attend` is what the wait for a check ends with. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { operands, help } = parseCommandLine(HEALTHCHECK, args);
  if (helped(HEALTHCHECK, help)) return 0;
  const [verb, name, ...more] = operands;
  const roots = rootsBelow(root);
  if (verb === "attend" && name !== undefined) {
    await attendHealth(roots, name, KEPT_DESCRIPTOR);
    return 0;
  }
  if (verb !== "run" || name === undefined || more.length > 0) {
    throw wrongUse(HEALTHCHECK, '"healthcheck" runs that of one container: healthcheck run NAME');
  }
  const known = pick(knownContainers(roots), name);
  const state = running(roots, known);
  if (!known.definition?.health) {
    throw new UsageError(
      `container "${known.name}" has no health check: --health-cmd gives it one`,
    );
  }
  const { Status, Log } = await checkHealth(roots, known.definition, state);
  console.log(Status);
  return Log.at(-1)?.ExitCode === 0 ? 0 : 1;
}
