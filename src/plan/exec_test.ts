import assert from "assert";
import { type ExecSurroundings, planExec } from "./exec.ts";
import type { Process } from "../spec/mod.ts";

const PROCESS: Process = { args: ["ls"], cwd: "/", user: { uid: 0, gid: 0 }, oomScoreAdj: 5 };

const AROUND: ExecSurroundings = {
  pid: 42,
  pidfd: 9,
  namespaces: ["user", "mount", "pid"],
  cgroup: { kind: "tasks", paths: ["/cg/a/tasks", "/cg/b/tasks"] },
  lastCapability: 40,
  streams: ["null", "inherit", "pipe"],
  foreground: true,
  trace: false,
};

function calls(around: Partial<ExecSurroundings> = {}, process: Partial<Process> = {}) {
  const { stage } = planExec({ ...PROCESS, ...process }, { ...AROUND, ...around });
  return stage.flatMap((step) => step.calls.map((call) => ({ ...call, label: step.label })));
}

Deno.test("all namespaces are joined in one call", () => {
  const [setns, ...more] = calls().filter(({ name }) => name === "setns");
  assert.equal(more.length, 0);
  const [, flags] = setns?.args ?? [];
  assert.deepEqual(flags, {
    kind: "flags",
    value: 0x1000_0000 + 0x2_0000 + 0x2000_0000,
    named: { CLONE_NEWUSER: 0x1000_0000, CLONE_NEWNS: 0x2_0000, CLONE_NEWPID: 0x2000_0000 },
  });
});

Deno.test("others cannot look into the stage before it is among them", () => {
  const names = calls().map(({ name, args }) =>
    name === "prctl" ? JSON.stringify(args[0]).match(/PR_\w+/)?.[0] : name
  );
  assert.ok(names.indexOf("PR_SET_DUMPABLE") >= 0);
  assert.ok(names.indexOf("PR_SET_DUMPABLE") < names.indexOf("setns"));
});

Deno.test("no path of the host is opened after its mounts are left behind", () => {
  const all = calls();
  const joined = all.findIndex(({ name }) => name === "setns");
  const paths = (from: number, to: number) =>
    all.slice(from, to).filter(({ name }) => name === "openat").map(({ args }) => args[1]);
  assert.deepEqual(paths(0, joined), [
    "/proc/self/oom_score_adj",
    "/cg/a/tasks",
    "/cg/b/tasks",
  ]);
  assert.deepEqual(paths(joined, all.length), ["/"]);
});

Deno.test("the container's descriptor is closed as soon as it is joined", () => {
  const all = calls();
  const joined = all.findIndex(({ name }) => name === "setns");
  const closed = all.findIndex(({ name, args }) =>
    name === "close" && args[0] === all[joined]?.args[0]
  );
  assert.ok(closed > joined && closed - joined <= 3);
});

Deno.test("a second process goes on only where there is another pid namespace", () => {
  const second = (namespaces: string[]) =>
    calls({ namespaces }).some(({ name }) => name === "clone");
  assert.equal(second(["mount", "pid"]), true);
  assert.equal(second(["mount", "network"]), false);
});

Deno.test("only a process in the foreground ends with minictr", () => {
  const dies = (foreground: boolean) =>
    calls({ foreground }).some(({ args }) => JSON.stringify(args[0])?.includes("PDEATHSIG"));
  assert.deepEqual([dies(true), dies(false)], [true, false]);
});

Deno.test("a terminal is not bound over the container's console", () => {
  const names = calls({}, { terminal: true }).map(({ name }) => name);
  assert.ok(names.includes("ioctl"));
  assert.equal(names.includes("move_mount"), false);
});

Deno.test("on cgroup v2 the stage is born in the cgroup and moves nowhere", () => {
  const plan = planExec(PROCESS, { ...AROUND, cgroup: { kind: "into", directory: "/cg" } });
  assert.ok(plan.cgroup);
  assert.ok(plan.given.includes(plan.cgroup));
  assert.equal(plan.stage.some(({ label }) => label.startsWith("move into")), false);
});
