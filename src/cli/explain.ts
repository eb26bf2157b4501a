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
import { explain, type ExplainedStep } from "../plan/explain.ts";
import type { ContainerPlan } from "../plan/mod.ts";
import type { Process, Spec } from "../spec/mod.ts";

/** Stands for the one that a process of its own holds while the container is made. */
const NEW_USER_NAMESPACE = "/proc/HOLDER/ns/user";

/** `run --explain`: prints every step of a start, and does none; needs no privilege. */
export function printPlan(spec: Spec, options: RunOptions, json: boolean): number {
  const plan = planRun(
    wantsUserNamespace(spec) ? withUserNamespace(spec, NEW_USER_NAMESPACE) : spec,
    options,
    readCgroupHost(),
  );
  return print(plan, options, json);
}

/** `exec --explain`: the same for a further process in a container that runs. */
export function printJoin(
  joined: Joined,
  process: Process,
  options: ExecOptions,
  json: boolean,
): number {
  return print(planJoin(joined, process, options), options, json);
}

function print(plan: ContainerPlan, { roots }: { roots: Roots }, json: boolean): number {
  const { host } = assemblePlan(plan, { fallbackPath: `${roots.run}/stage` });
  const steps = [...explain(host.steps, "minictr"), ...explain(plan.stage, "container")];
  console.log(json ? JSON.stringify(steps, null, 2) : steps.map(stepText).join("\n"));
  return 0;
}

const SIDES = { minictr: "minictr  ", container: "container", supervisor: "supervisor" };

/** A step with its calls, as `--explain` prints it. */
export function stepText({ side, label, calls }: ExplainedStep, index: number): string {
  const head = `${String(index + 1).padStart(3)} ${SIDES[side]}  ${label}`;
  return [head, ...calls.map(({ text, man }) => `${" ".repeat(17)}${text}   ${man}`)].join("\n");
}
