/**
 * What holds for the plan of every spec.
 */
import assert from "assert";
import fc from "fast-check";
import type { Spec } from "../spec/mod.ts";
import { arbitrarySpec, arbitrarySurroundings } from "./arbitrary_spec_test.ts";
import { type ContainerPlan, planContainer } from "./container.ts";
import type { Surroundings } from "./parts.ts";
import type { Call, Slot, Struct, Value } from "./step.ts";

const isSlot = (value: Value | undefined): value is Slot => isOf(value, "slot");
const isStruct = (value: Value | undefined): value is Struct => isOf(value, "struct");

function isOf(value: Value | undefined, kind: string): boolean {
  return typeof value === "object" && "kind" in value && value.kind === kind;
}

/** The names of flags; of a struct, those of all its fields. */
function names(value: Value | undefined): string[] {
  if (isStruct(value)) return value.fields.flatMap(([, , field]) => names(field));
  return typeof value === "object" && "kind" in value && value.kind === "flags"
    ? Object.keys(value.named)
    : [];
}

interface Planned {
  spec: Spec;
  around: Surroundings;
  plan: ContainerPlan;
  /** The calls of the stage, in their order. */
  stage: Call[];
}

/** A property of all plans. */
function always(name: string, judge: (planned: Planned) => void): void {
  Deno.test(name, () => {
    fc.assert(
      fc.property(arbitrarySpec, arbitrarySurroundings, (spec, around) => {
        const plan = planContainer(spec, around);
        judge({ spec, around, plan, stage: plan.stage.flatMap(({ calls }) => calls) });
      }),
      { numRuns: 200 },
    );
  });
}

/** Where the last call is that `is` holds of; -1 if there is none. */
const last = (calls: Call[], is: (call: Call) => boolean) => calls.findLastIndex(is);
const named = (...list: string[]) => (call: Call) => list.includes(call.name);
const isCloseRange = (call: Call) =>
  call.name === "close_range" && names(call.args[2]).includes("CLOSE_RANGE_CLOEXEC");

/** Calls that take a path, and the flags of each, one of which keeps them from following a link. */
const BY_PATH: Record<string, string[]> = {
  openat2: ["RESOLVE_IN_ROOT", "RESOLVE_BENEATH"],
  openat: ["O_NOFOLLOW", "O_EXCL"],
  fchownat: ["AT_SYMLINK_NOFOLLOW"],
  open_tree: ["AT_SYMLINK_NOFOLLOW"],
  // These do not follow a link at the end of their path.
  mkdirat: [],
  mknodat: [],
  symlinkat: [],
};

/** The directory and the path that a call begins with; both are empty where a descriptor suffices. */
function pathOf({ name, args }: Call): [directory: Value | undefined, path: Value | undefined] {
  if (!(name in BY_PATH)) return [undefined, undefined];
  const [directory, path] = name === "symlinkat" ? args.slice(1) : args;
  return path === "" ? [undefined, undefined] : [directory, path];
}

always(
  "the image's files are reached from descriptors inside it, and no link leads out",
  ({ stage }) => {
    const begin = stage.findIndex(named("move_mount"));
    const root = stage[begin]?.args[0];
    assert.ok(isSlot(root) && root.name === "root");
    const inside = new Set<Slot>([root]);
    for (const call of stage.slice(begin + 1, stage.findIndex(named("pivot_root")))) {
      const { name, args, to } = call;
      const [directory, path] = pathOf(call);
      if (path !== undefined) {
        assert.ok(isSlot(directory) && inside.has(directory), `${name} of ${path}`);
        assert.ok(typeof path === "string" && !path.startsWith("/"));
        assert.ok(name === "openat2" || (!path.includes("/") && path !== ".."), path);
        const keeping = BY_PATH[name] ?? [];
        const given = args.flatMap(names);
        assert.ok(keeping.length === 0 || keeping.some((flag) => given.includes(flag)), path);
      }
      if (to && (path !== undefined || name === "fsmount" || name === "open_tree")) inside.add(to);
    }
  },
);

always(
  "mounts go on descriptors: by path only on / and, to be let go of with it, the host's /proc",
  ({ stage }) => {
    for (const { name, args } of stage) {
      if (name === "mount") assert.equal(args[1], "/");
      if (name !== "move_mount") continue;
      const [, , target, path] = args;
      if (isSlot(target)) assert.equal(path, "");
      else assert.ok(path === "/" || path === "/proc", `${path}`);
    }
    assert.ok(stage.filter(named("mount")).length === 1);
  },
);

always(
  "what is bound is opened on the host's side, before the stage is born",
  ({ stage, plan, spec }) => {
    for (const { name, args: [at] } of stage) {
      assert.ok(name !== "open_tree" || isSlot(at), "the stage opens no tree by a path");
    }
    const opened = plan.host.flatMap(({ calls }) => calls).filter(named("open_tree"))
      .map(({ args: [, path] }) => path);
    for (const { options, source } of spec.mounts ?? []) {
      if (options?.includes("rbind")) assert.ok(opened.includes(source), source);
    }
  },
);

always(
  "after close_range nothing is opened until execve, which comes last",
  ({ stage, around }) => {
    const at = last(stage, isCloseRange);
    const after = stage.slice(at + 1);
    assert.ok(at > 0 && after.at(-1)?.name === "execve");
    if (!around.init && !around.trace) assert.ok(after.every(named("execve")));
    const opening = [
      "openat",
      "openat2",
      "open_tree",
      "fsopen",
      "fsmount",
      "socket",
      "pipe2",
      "dup3",
    ];
    assert.ok(!after.some(named(...opening)));
  },
);

always(
  "groups are set before the gid, the gid before the uid, and then capabilities",
  ({ stage }) => {
    const order = ["setgroups", "setresgid", "setresuid", "capset"]
      .map((name) => last(stage, named(name)));
    assert.ok(order.every((at) => at >= 0));
    assert.deepEqual(order, order.toSorted((a, b) => a - b));
    const bound = last(stage, ({ args }) => names(args[0]).includes("PR_CAPBSET_DROP"));
    assert.ok(bound < (order[0] ?? 0), "bounded while CAP_SETPCAP is held");
  },
);

always(
  "a filter is loaded once: last of all with no_new_privs, else before rights are given up",
  ({ stage, spec, around }) => {
    const filter = last(stage, named("seccomp"));
    assert.equal(stage.filter(named("seccomp")).length, around.seccomp ? 1 : 0);
    if (!around.seccomp) return;
    const nnp = last(stage, ({ args }) => names(args[0]).includes("PR_SET_NO_NEW_PRIVS"));
    if (spec.process?.noNewPrivileges) {
      for (const name of ["capset", "setresuid", "getcwd", "umask"]) {
        assert.ok(filter > last(stage, named(name)), name);
      }
      assert.ok(nnp >= 0 && filter > nnp);
    } else {
      assert.equal(nnp, -1);
      assert.ok(filter < last(stage, named("setgroups")));
    }
  },
);

always(
  "inheritable capabilities are those of the spec, and none where it names none",
  ({ stage, spec }) => {
    const [capset] = stage.filter(named("capset"));
    const data = capset?.args[1];
    assert.ok(isStruct(data));
    const bits = data.fields.filter(([field]) => field === "inheritable").map(([, , value]) =>
      value
    );
    const wanted = spec.process?.capabilities?.inheritable ?? [];
    assert.equal(bits.some((value) => value !== 0), wanted.length > 0);
  },
);

always(
  "the working directory is checked after it was entered, inside the root",
  ({ stage, spec }) => {
    const getcwd = last(stage, named("getcwd"));
    const entered = stage.findLastIndex((call, at) =>
      at < getcwd && call.name === "chdir" && call.args[0] === spec.process?.cwd
    );
    assert.ok(entered > last(stage, named("umount2")) && getcwd === entered + 1);
  },
);

always("what ends with minictr is told so after the last change of user", ({ stage }) => {
  const told = last(stage, ({ args }) => names(args[0]).includes("PR_SET_PDEATHSIG"));
  assert.ok(told > last(stage, named("setresuid")) && told < last(stage, named("execve")));
});

always("a result that is used elsewhere is not branched on by its value", ({ plan, stage }) => {
  // It would be stored behind the branch, and so not at all; see assemble.ts.
  const fillers = new Map<Slot, number>();
  for (const { to } of stage) if (to) fillers.set(to, (fillers.get(to) ?? 0) + 1);
  const shared = (to: Slot | undefined) => to !== undefined && (fillers.get(to) ?? 0) > 1;
  const byValue = ({ on = [] }: Call) => on.some(({ value }) => value !== undefined);
  for (const call of stage) assert.ok(!(shared(call.to) && byValue(call)), call.to?.name);
  const used = new Set(stage.flatMap(({ args }) => args.filter(isSlot)));
  for (const call of plan.host.flatMap(({ calls }) => calls)) {
    assert.ok(!(call.to && used.has(call.to) && byValue(call)), call.to?.name);
  }
});

always(
  "every descriptor that the stage is given is one that it uses, and closed by minictr",
  ({ plan, stage }) => {
    const used = new Set(stage.flatMap(({ args }) => args.flatMap(slotsOf)));
    const results = new Set(stage.flatMap(({ to }) => to ? [to] : []));
    const fromHost = new Set(
      plan.host.flatMap(({ calls }) => calls.flatMap(({ to }) => to ? [to] : [])),
    );
    for (const slot of used) {
      if (results.has(slot)) continue;
      assert.ok(fromHost.has(slot), `nobody opens "${slot.name}"`);
      assert.ok(plan.given.includes(slot), `"${slot.name}" stays open in minictr`);
    }
  },
);

function slotsOf(value: Value): Slot[] {
  if (isSlot(value)) return [value];
  return isStruct(value) ? value.fields.flatMap(([, , field]) => slotsOf(field)) : [];
}
