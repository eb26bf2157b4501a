import assert from "assert";
import { planAwaited } from "./awaited.ts";
import type { ExecSurroundings } from "./exec.ts";

const AROUND: ExecSurroundings = {
  pid: 42,
  pidfd: 9,
  namespaces: ["mount", "pid"],
  cgroup: { kind: "into", directory: "/cg" },
  lastCapability: 40,
  streams: ["null", "null", "null"],
  foreground: false,
  trace: false,
};
const AWAITING = { note: new Uint8Array(9), argv: ["/minictr"], env: [], title: "waits" };

function planned(around: Partial<ExecSurroundings> = {}) {
  const process = { args: ["ls"], cwd: "/", user: { uid: 0, gid: 0 } };
  const plan = planAwaited(process, { ...AROUND, ...around }, AWAITING);
  return { plan, calls: plan.stage.flatMap(({ calls }) => calls) };
}

Deno.test("who waits stays out of the container's cgroup and namespaces", () => {
  const { plan, calls } = planned();
  assert.equal(plan.cgroup, undefined);
  assert.equal(plan.namespaces.value, 0);
  const child = calls.findIndex(({ id }) => id === "container");
  assert.ok(calls.findIndex(({ name }) => name === "setns") > child);
  const born = calls.find(({ name }) => name === "clone3");
  assert.match(JSON.stringify(born), /CLONE_INTO_CGROUP/);
});

Deno.test("a process gets none of what its parent keeps", () => {
  const { calls } = planned();
  const child = calls.findIndex(({ id }) => id === "container");
  const closed = calls.slice(child, child + 3);
  assert.deepEqual(closed.map(({ name }) => name), ["close", "close", "close"]);
  const kept = calls.filter(({ name }) => name === "dup3").slice(0, 3).map(({ args: [fd] }) => fd);
  assert.deepEqual(new Set(closed.map(({ args: [fd] }) => fd)), new Set(kept));
});

Deno.test("a process that makes way for a second one is reaped before the wait", () => {
  const reaped = (namespaces: string[]) =>
    planned({ namespaces }).calls.some(({ name }) => name === "wait4");
  assert.deepEqual([reaped(["pid"]), reaped(["mount"])], [true, false]);
});

Deno.test("no end is told of before its beginning", () => {
  const names =
    planned().plan.supervisor?.program.flatMap(({ calls }) => calls.map(({ name }) => name)) ?? [];
  const order = (["wait4", "read", "execve"] as const).map((name) => names.indexOf(name));
  assert.ok(!order.includes(-1));
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
});
