/**
 * What a start does before it asks the kernel for anything, timed in a process that does it once:
 *
 *     deno run -A bench/cold_start.ts BUNDLE MILLISECONDS
 *
 * Prints JSON: phase by phase, milliseconds. The second word is the time at which the process was
 * made, in milliseconds since 1970.
 */
import { cgroupPath, readCgroupHost } from "../src/cgroup/host.ts";
import { assemblePlan, planRun, rootsBelow } from "../src/container/mod.ts";
import { filterOf } from "../src/plan/seccomp/mod.ts";
import { readSpec } from "../src/spec/mod.ts";

const [bundle = ".", made = "0"] = Deno.args;
const phases: Record<string, number> = {};
let last = performance.timeOrigin + performance.now();
phases["Deno's start, until the first line runs"] = last - Number(made);

function ends(phase: string): void {
  const now = performance.timeOrigin + performance.now();
  phases[phase] = now - last;
  last = now;
}

const spec = await readSpec(Deno.readTextFileSync(`${bundle}/config.json`));
ends("read and check config.json");
const host = readCgroupHost();
cgroupPath(undefined, "x");
ends("find the cgroups");
const options = {
  id: "minictr-bench-cold",
  name: "cold",
  roots: rootsBelow(undefined),
  root: { kind: "directory" as const, path: spec.root?.path ?? "/" },
  interactive: true,
  ...spec.linux?.seccomp ? { seccomp: await filterOf(spec.linux.seccomp, Deno.build.arch) } : {},
};
const plan = await planRun(spec, options, host);
ends("plan");
assemblePlan(plan, { fallbackPath: "/run/minictr/stage.bench" });
ends("assemble both programs");
console.log(JSON.stringify(phases));
