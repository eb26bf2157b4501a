import { SIGKILL } from "../../ffi/mod.ts";
import { MESSAGE } from "../plan/channel.ts";
import type { ContainerPlan } from "../plan/mod.ts";
import { type Call, call, flags, slot, type Step, struct } from "../plan/step.ts";

/**
 * A fault to be tried: `MINICTR_FAULT=kill:N` ends minictr with SIGKILL before step N of a start, as
 * `--explain` counts them; `fail:N` lets step N fail with EBADF. For tests of what is left then.
 */
export interface Fault {
  kind: "kill" | "fail";
  /** From 1. */
  step: number;
}

/** The fault that the environment asks for. */
export function wantedFault(): Fault | undefined {
  const [, kind, step] = /^(kill|fail):(\d+)$/.exec(Deno.env.get("MINICTR_FAULT") ?? "") ?? [];
  if (kind !== "kill" && kind !== "fail") return undefined;
  return { kind, step: Number(step) };
}

/**
 * Puts a fault into the steps of one side.
 *
 * @param first the number of the side's first step
 * @param channel the stage's end, over which it asks to be bereft of minictr; absent on the host's side
 */
export function withFault(
  steps: Step[],
  fault: Fault | undefined,
  first: number,
  channel: ContainerPlan["toMinictr"] | undefined,
): Step[] {
  const index = fault ? fault.step - first : -1;
  const target = steps[index];
  if (!fault || !target) return steps;
  return steps.with(index, { ...target, calls: before(target.calls, faultCalls(fault, channel)) });
}

/** Whoever goes to the label of the first call meets the fault, too. */
function before(calls: Call[], fault: Call[]): Call[] {
  const [first, ...rest] = calls;
  if (first?.id === undefined) return [...fault, ...calls];
  const { id, ...unlabelled } = first;
  return [...fault.map((one, at) => at === 0 ? { ...one, id } : one), unlabelled, ...rest];
}

function faultCalls({ kind }: Fault, channel: ContainerPlan["toMinictr"] | undefined): Call[] {
  if (kind === "fail") return [call("close", [-1])];
  if (channel === undefined) {
    const pid = slot("minictr");
    return [call("getpid", [], { to: pid }), call("kill", [pid, flags({ SIGKILL })])];
  }
  const message = struct("message", [["kind", 4, MESSAGE.kill], ["(padding)", 4, 0]]);
  return [call("write", [channel, message, 8]), call("read", [channel, new Uint8Array(1), 1])];
}
