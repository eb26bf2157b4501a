import assert from "assert";
import type { CgroupFile, CgroupPlan } from "../cgroup/plan.ts";
import { cgroupSteps } from "./cgroup.ts";
import type { Step } from "./step.ts";

const PATH = "/sys/fs/cgroup/x/file";

function stepsFor(...files: Partial<CgroupFile>[]): Step[] {
  const plan: CgroupPlan = {
    directories: [],
    files: files.map((file) => ({ path: PATH, content: "1", label: "limit", ...file })),
    join: { kind: "into", directory: "/sys/fs/cgroup/x" },
    mounts: { kind: "unified", directory: "/sys/fs/cgroup/x" },
  };
  return cgroupSteps(plan);
}

function names(steps: Step[]): string[][] {
  return steps.map(({ calls }) => calls.map(({ name }) => name));
}

Deno.test("lines of one file are written through one descriptor, each in a step of its own", () => {
  const steps = stepsFor({ content: "a" }, { content: "b" }, { content: "c" }, { path: "/other" });
  assert.deepEqual(names(steps), [
    ["openat", "write"],
    ["write"],
    ["write", "close"],
    ["openat", "write", "close"],
  ]);
  const files = steps.slice(0, 3).map(({ calls }) =>
    calls.find(({ name }) => name === "write")?.args[0]
  );
  assert.equal(new Set(files).size, 1);
});

Deno.test("a line that may fail may fail, whatever else is written to the same file", () => {
  const steps = stepsFor({ content: "+memory" }, { content: "+cpu", mayFail: true });
  assert.deepEqual(names(steps), [["openat", "write", "close"], ["openat", "write", "close"]]);
  const write = steps[1]?.calls[1];
  assert.deepEqual(write?.on, [{ errno: "any", goto: "next" }]);
  assert.deepEqual(steps[0]?.calls[1]?.on, []);
});

Deno.test("each of several lines has its other file where the first does not exist", () => {
  const otherwise = { path: "/sys/fs/cgroup/x/other", content: "1", label: "limit" };
  for (const { calls } of stepsFor({ otherwise }, { otherwise })) {
    const paths = calls.filter(({ name }) => name === "openat").map(({ args }) => args[1]);
    assert.deepEqual(paths, [PATH, "/sys/fs/cgroup/x/other"]);
  }
});
