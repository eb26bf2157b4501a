import { readCgroupHost } from "../cgroup/mod.ts";
import {
  assemblePlan,
  planRun,
  type Roots,
  type RunOptions,
  wantsUserNamespace,
  withUserNamespace,
} from "../container/mod.ts";
import { type ExecOptions, type Joined, planJoin } from "../container/exec.ts";
import { planBehind } from "../container/exec_behind.ts";
import { echoFor } from "../container/foreground.ts";
import { planKept } from "../container/supervised.ts";
import { explain, type ExplainedStep } from "../plan/explain.ts";
import type { ContainerPlan, Step } from "../plan/mod.ts";
import type { Process, Spec } from "../spec/mod.ts";
import { definitionOf } from "./define.ts";
import type { RunSpec } from "./run_spec.ts";

/** Stands for the one that a process of its own holds while the container is made. */
const NEW_USER_NAMESPACE = "/proc/HOLDER/ns/user";
/** Stands for the descriptor that holds the lock of the run. */
const LOCK = 3;

/** `run --explain`: prints every step of a start, and does none; needs no privilege. */
export async function printPlan(spec: Spec, options: RunOptions, json: boolean): Promise<number> {
  return print(await planRun(planned(spec), options, readCgroupHost()), options, json);
}

/** The same of a container that has a supervisor. */
export async function printSupervised(
  options: RunOptions,
  made: RunSpec,
  json: boolean,
): Promise<number> {
  const host = readCgroupHost();
  const { spec, engine } = made;
  const by = { host, lock: LOCK, echo: engine.detach ? undefined : echoFor(engine.tty) };
  const plan = await planKept(definitionOf(options, made), planned(spec), options, by);
  return print(plan, options, json);
}

function planned(spec: Spec): Spec {
  return wantsUserNamespace(spec) ? withUserNamespace(spec, NEW_USER_NAMESPACE) : spec;
}

/** `exec --explain`: the same for a further process in a container that runs. */
export async function printJoin(
  joined: Joined,
  process: Process,
  options: ExecOptions,
  json: boolean,
): Promise<number> {
  const plan = options.detach
    ? await planBehind(joined, process, options)
    : await planJoin(joined, process, options);
  return print(plan, options, json);
}

function print(plan: ContainerPlan, { roots }: { roots: Roots }, json: boolean): number {
  const { host } = assemblePlan(plan, { fallbackPath: `${roots.run}/stage` });
  const born = plan.supervisor ? plan.stage.findIndex(beginsContainer) : 0;
  const steps = [
    ...explain(host.steps, "minictr"),
    ...explain(plan.stage.slice(0, born), "supervisor"),
    ...explain(plan.stage.slice(born), "container"),
    ...explain(plan.supervisor?.program ?? [], "supervisor"),
  ];
  console.log(json ? JSON.stringify(steps, null, 2) : steps.map(stepText).join("\n"));
  return 0;
}

/** What the supervisor's child goes on with. */
function beginsContainer({ calls: [first] }: Step): boolean {
  return first?.id === "container";
}

/** A step with its calls, as `--explain` prints it. */
export function stepText({ side, label, calls }: ExplainedStep, index: number): string {
  const head = `${String(index + 1).padStart(3)} ${side.padEnd(10)}  ${label}`;
  return [head, ...calls.map(({ text, man }) => `${" ".repeat(18)}${text}   ${man}`)].join("\n");
}
