import assert from "assert";
import { validateProcess, validateSpec } from "../spec/validate.ts";
import { defaultSpec, type Linux, type Process } from "../spec/mod.ts";
import { affinitySteps, attributeSteps } from "./attributes.ts";
import { planContainer } from "./container.ts";
import { planExec } from "./exec.ts";
import { explainCall } from "./explain.ts";
import type { Surroundings } from "./parts.ts";
import { attributesOf } from "./privileges.ts";
import type { Step } from "./step.ts";

const PROCESS: Process = { args: ["ls"], cwd: "/", user: { uid: 0, gid: 0 } };

/** The calls of steps in words. */
const texts = (steps: Step[]) =>
  steps.flatMap(({ calls }) => calls.map((call, index) => explainCall(call, index).text));

const ofProcess = (process: Partial<Process>) =>
  texts(attributeSteps({ ...PROCESS, ...process }, undefined));
const ofLinux = (linux: Linux) => texts(attributeSteps(undefined, linux));

Deno.test("a spec that asks for none of it has no steps for it", async () => {
  assert.deepEqual(attributeSteps(PROCESS, defaultSpec().linux), []);
  assert.deepEqual(await attributesOf(PROCESS, defaultSpec().linux), {});
});

Deno.test("a scheduler is told with the header's names", () => {
  const flags = ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM"];
  const deadline = { policy: "SCHED_DEADLINE", flags, runtime: 2000, deadline: 3000, period: 4000 };
  assert.deepEqual(ofProcess({ scheduler: deadline }), [
    "sched_setattr(0, {size: 56, sched_policy: SCHED_DEADLINE, " +
    "sched_flags: SCHED_FLAG_RESET_ON_FORK|SCHED_FLAG_RECLAIM, " +
    "sched_runtime: 2000, sched_deadline: 3000, sched_period: 4000}, 0)",
  ]);
  assert.match(
    ofProcess({ scheduler: { policy: "SCHED_BATCH", nice: -5 } })[0] ?? "",
    /sched_policy: SCHED_BATCH, .*sched_nice: -5}/,
  );
  assert.match(
    ofProcess({ scheduler: { policy: "SCHED_RR", priority: 7 } })[0] ?? "",
    /sched_policy: SCHED_RR, .*sched_priority: 7}/,
  );
});

Deno.test("an I/O class stands above the 13 bits of its priority", () => {
  const [step] = attributeSteps({
    ...PROCESS,
    ioPriority: { class: "IOPRIO_CLASS_BE", priority: 6 },
  }, undefined);
  assert.deepEqual(step?.calls[0]?.args[2], {
    kind: "flags",
    value: 0x4006,
    named: { "IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6)": 0x4006 },
  });
});

Deno.test("LINUX is set as LINUX32 is: the caller may have another personality", () => {
  assert.deepEqual(ofLinux({ personality: { domain: "LINUX" } }), ["personality(PER_LINUX)"]);
  assert.deepEqual(ofLinux({ personality: { domain: "LINUX32" } }), ["personality(PER_LINUX32)"]);
});

Deno.test("nodes are a mask of whole words, of which the kernel counts one bit less", () => {
  const policy = (mode: string, nodes?: string, flags: string[] = []) =>
    ofLinux({ memoryPolicy: { mode, flags, ...nodes === undefined ? {} : { nodes } } });
  assert.deepEqual(policy("MPOL_BIND", "0-2,7", ["MPOL_F_STATIC_NODES"]), [
    "set_mempolicy(MPOL_BIND|MPOL_F_STATIC_NODES, <8700000000000000>, 65)",
  ]);
  assert.deepEqual(policy("MPOL_INTERLEAVE", "64"), [
    "set_mempolicy(MPOL_INTERLEAVE, <00000000000000000100000000000000>, 129)",
  ]);
  assert.deepEqual(policy("MPOL_LOCAL"), ["set_mempolicy(MPOL_LOCAL, 0, 0)"]);
  assert.deepEqual(policy("MPOL_PREFERRED", ""), ["set_mempolicy(MPOL_PREFERRED, 0, 0)"]);
});

/** The names that the specification lists, but for SCHED_ISO, with what each needs. */
const VALID: Record<string, Partial<Process>> = {
  ...Object.fromEntries(
    ["OTHER", "BATCH", "IDLE"].map((name) => [name, { scheduler: { policy: `SCHED_${name}` } }]),
  ),
  FIFO: { scheduler: { policy: "SCHED_FIFO", priority: 1 } },
  RR: { scheduler: { policy: "SCHED_RR", priority: 99 } },
  DEADLINE: { scheduler: { policy: "SCHED_DEADLINE", runtime: 1024, deadline: 1024 } },
  ...Object.fromEntries(
    ["RESET_ON_FORK", "RECLAIM", "DL_OVERRUN", "KEEP_POLICY", "KEEP_PARAMS", "UTIL_CLAMP_MIN"]
      .concat("UTIL_CLAMP_MAX").map((name) => [
        name,
        { scheduler: { policy: "SCHED_OTHER", flags: [`SCHED_FLAG_${name}`] } },
      ]),
  ),
  ...Object.fromEntries(
    ["RT", "BE", "IDLE"].map((name) => [
      `I/O ${name}`,
      { ioPriority: { class: `IOPRIO_CLASS_${name}`, priority: 0 } },
    ]),
  ),
};

Deno.test("what is valid of a process can be planned", () => {
  for (const [name, process] of Object.entries(VALID)) {
    const valid = validateProcess({ ...PROCESS, ...process });
    assert.equal(attributeSteps(valid, undefined).length, 1, name);
  }
});

Deno.test("every memory policy that is valid can be planned", () => {
  const nodes = ["BIND", "INTERLEAVE", "WEIGHTED_INTERLEAVE", "PREFERRED", "PREFERRED_MANY"];
  const flags = ["NUMA_BALANCING", "RELATIVE_NODES", "STATIC_NODES"];
  const policies = [
    ...["DEFAULT", "LOCAL", "PREFERRED"].map((mode) => ({ mode: `MPOL_${mode}` })),
    ...nodes.map((mode) => ({ mode: `MPOL_${mode}`, nodes: "0" })),
    ...flags.map((flag) => ({ mode: "MPOL_BIND", nodes: "0", flags: [`MPOL_F_${flag}`] })),
  ];
  for (const memoryPolicy of policies) {
    const spec = defaultSpec();
    const { linux } = validateSpec({ ...spec, linux: { ...spec.linux, memoryPolicy } });
    assert.equal(attributeSteps(undefined, linux).length, 1, JSON.stringify(memoryPolicy));
  }
});

Deno.test("a container's are set in its cgroup, before rights are given up and a filter forbids it", async () => {
  const spec = defaultSpec();
  const process = { ...PROCESS, ioPriority: { class: "IOPRIO_CLASS_IDLE", priority: 0 } };
  const linux = { ...spec.linux, personality: { domain: "LINUX32" } };
  const around: Surroundings = {
    root: { kind: "directory", path: "/" },
    cgroup: {
      directories: [],
      files: [],
      join: { kind: "tasks", paths: ["/cg/tasks"] },
      mounts: { kind: "hierarchies", hierarchies: [] },
    },
    lastCapability: 40,
    seccomp: { filter: new Uint8Array(8), flags: {} },
    ...await attributesOf(process, linux),
    kindOf: () => "directory",
    streams: ["null", "null", "null"],
    mapRoot: false,
    foreground: true,
    init: false,
    barrier: false,
    trace: false,
  };
  for (const noNewPrivileges of [false, true]) {
    const plan = planContainer(
      { ...spec, process: { ...process, noNewPrivileges }, linux },
      around,
    );
    const labels = plan.stage.map(({ label }) => label);
    const at = (beginning: string) => labels.findIndex((label) => label.startsWith(beginning));
    const order = ["move into /cg", "set the I/O priority", "set the personality"].map(at);
    assert.deepEqual(order, order.toSorted((a, b) => a - b));
    assert.ok(order[0] !== -1 && at("set the personality") < at("become user"));
    assert.ok(at("set the personality") < at("load the seccomp filter"));
  }
});

Deno.test("exec runs on its first CPUs before it moves into the cgroup, and on its last ones after", () => {
  const joins = [
    { kind: "into", directory: "/cg" },
    { kind: "tasks", paths: ["/v1/tasks"], born: "/cg" },
  ] as const;
  for (const join of joins) {
    const around = {
      ...affinitySteps(
        { initial: "0", final: "2-3" },
        join.kind === "into" ? join : { ...join, paths: [...join.paths] },
      ),
      pid: 42,
      pidfd: 9,
      namespaces: ["mount", "pid"],
      lastCapability: 40,
      streams: ["null", "null", "null"] as ["null", "null", "null"],
      foreground: true,
      trace: false,
    };
    const plan = planExec(PROCESS, around);
    assert.equal(plan.cgroup, undefined, "not born in the cgroup");
    const labels = plan.stage.map(({ label }) => label);
    const first = labels.indexOf("run on the CPUs 0 before it is in the cgroup");
    assert.deepEqual(labels.slice(first), [
      "run on the CPUs 0 before it is in the cgroup",
      ...join.kind === "tasks" ? ["move into /v1/tasks"] : [],
      "move into /cg/cgroup.procs",
      "run on the CPUs 2-3 from now on",
      ...labels.slice(labels.indexOf("join the container's namespaces")),
    ]);
    assert.deepEqual(texts(around.affinity.final), [
      "sched_setaffinity(0, 8, <0c00000000000000>)",
    ]);
  }
});

Deno.test("exec without first CPUs gets into the cgroup as ever", () => {
  const cgroup = { kind: "into", directory: "/cg" } as const;
  assert.equal(affinitySteps({ initial: "", final: "1" }, cgroup).cgroup, cgroup);
  assert.deepEqual(affinitySteps({}, cgroup).affinity, { initial: [], final: [] });
});
