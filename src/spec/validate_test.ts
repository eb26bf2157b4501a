import assert from "assert";
import fc from "fast-check";
import { defaultSpec, RLIM_INFINITY, SpecError } from "./mod.ts";
import { parseJson, printJson } from "./json.ts";
import { validateProcess, validateSpec } from "./validate.ts";

/** The default spec as JSON would give it, with the value at a dotted path replaced. */
function changed(path: string, value: unknown): unknown {
  const spec: unknown = JSON.parse(printJson(defaultSpec()));
  let at = spec as Record<string, unknown>;
  const keys = path.split(".");
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
  const last = keys.at(-1) ?? "";
  if (value === undefined) delete at[last];
  else at[last] = value;
  return spec;
}

Deno.test("validateSpec() lets the default spec through unchanged", () => {
  assert.deepEqual(validateSpec(defaultSpec()), defaultSpec());
});

Deno.test("validateSpec() lets a spec through printed JSON unchanged, RLIM_INFINITY too", () => {
  const spec = defaultSpec();
  spec.process!.rlimits = [{ type: "RLIMIT_CORE", hard: RLIM_INFINITY, soft: 0 }];
  assert.deepEqual(validateSpec(parseJson(printJson(spec))), spec);
});

Deno.test("validateSpec() takes what plain JSON.parse makes of RLIM_INFINITY for RLIM_INFINITY", () => {
  const rlimit = { type: "RLIMIT_CORE", hard: 2 ** 64, soft: 0 };
  const spec = validateSpec(changed("process.rlimits", [rlimit]));
  assert.equal(spec.process?.rlimits?.[0]?.hard, RLIM_INFINITY);
});

Deno.test("validateSpec() ignores unknown fields and takes null for absent", () => {
  const spec = validateSpec(changed("linux.resources", { memory: null, newfangled: 1 }));
  assert.deepEqual(spec.linux?.resources, {});
});

Deno.test("validateSpec() makes mount points absolute and clean", () => {
  const spec = validateSpec(changed("mounts", [{ destination: "a/../b//c/.", type: "tmpfs" }]));
  assert.equal(spec.mounts?.[0]?.destination, "/b/c");
});

const user = { type: "user" };
const namespaces = (...types: string[]) => types.map((type) => ({ type }));

const BOTH = ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"];
const deadline = (changes: Record<string, number>) => {
  return { policy: "SCHED_DEADLINE", runtime: 2000, deadline: 5000, ...changes };
};

const REFUSED: [path: string, value: unknown, field: string][] = [
  ["ociVersion", "2.0.0", "ociVersion"],
  ["ociVersion", undefined, "ociVersion"],
  ["root", undefined, "root"],
  ["root.path", 5, "root.path"],
  ["root.path", "a\0b", "root.path"],
  ["root.path", "x".repeat(4096), "root.path"],
  ["hostname", "x".repeat(65), "hostname"],
  ["hostname", "é".repeat(33), "hostname"],
  ["linux.namespaces", namespaces("mount"), "hostname"],
  ["process.args", [], "process.args"],
  ["process.args", "sh", "process.args"],
  ["process.args", ["sh", null], "process.args[1]"],
  ["process.cwd", "tmp", "process.cwd"],
  ["process.env", ["A"], "process.env[0]"],
  ["process.env", ["A=1", "=2"], "process.env[1]"],
  ["process.user.uid", 4294967295, "process.user.uid"],
  ["process.user.uid", -1, "process.user.uid"],
  ["process.user.uid", 1.5, "process.user.uid"],
  ["process.user.uid", "0", "process.user.uid"],
  ["process.user.umask", 0o1000, "process.user.umask"],
  ["process.user.additionalGids", [4294967296], "process.user.additionalGids[0]"],
  ["process.capabilities.bounding", ["CAP_X"], "process.capabilities.bounding[0]"],
  ["process.capabilities.ambient", ["CHOWN"], "process.capabilities.ambient[0]"],
  ["process.rlimits", [{ type: "RLIMIT_X", hard: 1, soft: 1 }], "process.rlimits[0].type"],
  ["process.rlimits", [{ type: "RLIMIT_CPU", hard: 1, soft: 2 }], "process.rlimits[0].soft"],
  ["process.rlimits", [{ type: "RLIMIT_CPU", hard: -1, soft: 0 }], "process.rlimits[0].hard"],
  ["process.oomScoreAdj", 1001, "process.oomScoreAdj"],
  ["process.scheduler", { policy: "SCHED_ISO" }, "process.scheduler.policy"],
  ["process.scheduler", { nice: 1 }, "process.scheduler.policy"],
  ["process.scheduler", { policy: "SCHED_BATCH", nice: 20 }, "process.scheduler.nice"],
  ["process.scheduler", { policy: "SCHED_OTHER", priority: 1 }, "process.scheduler.priority"],
  ["process.scheduler", { policy: "SCHED_RR" }, "process.scheduler.priority"],
  ["process.scheduler", { policy: "SCHED_FIFO", priority: 100 }, "process.scheduler.priority"],
  [
    "process.scheduler",
    { policy: "SCHED_FIFO", priority: 1, period: 1 },
    "process.scheduler.period",
  ],
  ["process.scheduler", { policy: "SCHED_IDLE", flags: ["X"] }, "process.scheduler.flags[0]"],
  ["process.scheduler", deadline({ runtime: 1023 }), "process.scheduler.runtime"],
  ["process.scheduler", deadline({ runtime: 6000 }), "process.scheduler.runtime"],
  ["process.scheduler", deadline({ period: 4999 }), "process.scheduler.deadline"],
  ["process.scheduler", deadline({ period: 2 ** 63 }), "process.scheduler.period"],
  ["process.ioPriority", { class: "IOPRIO_CLASS_NONE", priority: 0 }, "process.ioPriority.class"],
  ["process.ioPriority", { class: "IOPRIO_CLASS_BE" }, "process.ioPriority.priority"],
  ["process.ioPriority", { class: "IOPRIO_CLASS_BE", priority: 8 }, "process.ioPriority.priority"],
  ["process.execCPUAffinity", { initial: "0-" }, "process.execCPUAffinity.initial"],
  ["process.execCPUAffinity", { final: "3-1" }, "process.execCPUAffinity.final"],
  ["process.execCPUAffinity", { final: "0,8192" }, "process.execCPUAffinity.final"],
  ["mounts", [{ destination: "/" }], "mounts[0].destination"],
  ["mounts", [{ destination: "/proc", type: "bind", source: "/x" }], "mounts[0].destination"],
  ["mounts", [{ destination: "/a/../proc/sys", type: "tmpfs" }], "mounts[0].destination"],
  ["mounts", [{ destination: "/proc/self/attr" }], "mounts[0].destination"],
  ["mounts", [{ destination: "/x", options: ["a\0b"] }], "mounts[0].options[0]"],
  ["mounts", [{ destination: "/x", uidMappings: [] }], "mounts[0]"],
  ["hooks.prestart", [{ path: "x" }], "hooks.prestart[0].path"],
  ["hooks.poststop", [{ path: "/x", timeout: 0 }], "hooks.poststop[0].timeout"],
  ["hooks.poststop", [{ path: "/x", env: ["LD_PRELOAD"] }], "hooks.poststop[0].env[0]"],
  ["linux", undefined, "linux.namespaces"],
  ["linux.namespaces", namespaces("mount", "uts", "x"), "linux.namespaces[2].type"],
  ["linux.namespaces", namespaces("mount", "uts", "uts"), "linux.namespaces[2].type"],
  ["linux.namespaces", [{ type: "mount", path: "x" }], "linux.namespaces[0].path"],
  ["linux.namespaces", [...namespaces("mount", "uts"), user], "linux.uidMappings"],
  ["linux.uidMappings", [{ containerID: 0, hostID: 0, size: 1 }], "linux.uidMappings"],
  ["linux.timeOffsets", { monotonic: { secs: 1 } }, "linux.timeOffsets.monotonic"],
  ["linux.sysctl", { "kernel.core_pattern": "|/x" }, 'linux.sysctl["kernel.core_pattern"]'],
  ["linux.cgroupsPath", "../x", "linux.cgroupsPath"],
  ["linux.rootfsPropagation", "shared,rw", "linux.rootfsPropagation"],
  ["linux.maskedPaths", ["x"], "linux.maskedPaths[0]"],
  ["linux.devices", [{ path: "/x", type: "d" }], "linux.devices[0].type"],
  ["linux.devices", [{ path: "/x", type: "c", major: 4096 }], "linux.devices[0].major"],
  ["linux.resources.devices", [{ allow: 1 }], "linux.resources.devices[0].allow"],
  ["linux.resources.devices", [{ allow: true, access: "rx" }], "linux.resources.devices[0].access"],
  ["linux.resources.memory.limit", -2, "linux.resources.memory.limit"],
  ["linux.resources.cpu.cpus", "0;1", "linux.resources.cpu.cpus"],
  ["linux.resources.blockIO.weight", 9, "linux.resources.blockIO.weight"],
  [
    "linux.resources.hugepageLimits",
    [{ pageSize: "2 MB", limit: 1 }],
    "linux.resources." +
    "hugepageLimits[0].pageSize",
  ],
  ["linux.resources.unified", { "../cgroup.procs": "1" }, "linux.resources.unified"],
  ["linux.personality", { domain: "LINUX64" }, "linux.personality.domain"],
  ["linux.personality", { domain: "LINUX", flags: ["X"] }, "linux.personality.flags"],
  ["linux.memoryPolicy", { mode: "MPOL_ALL" }, "linux.memoryPolicy.mode"],
  ["linux.memoryPolicy", { mode: "MPOL_BIND" }, "linux.memoryPolicy.nodes"],
  ["linux.memoryPolicy", { mode: "MPOL_LOCAL", nodes: "0" }, "linux.memoryPolicy.nodes"],
  ["linux.memoryPolicy", { mode: "MPOL_BIND", nodes: "a" }, "linux.memoryPolicy.nodes"],
  ["linux.memoryPolicy", { mode: "MPOL_LOCAL", flags: ["X"] }, "linux.memoryPolicy.flags[0]"],
  [
    "linux.memoryPolicy",
    { mode: "MPOL_BIND", nodes: "0", flags: BOTH },
    "linux.memoryPolicy.flags",
  ],
  ["linux.seccomp", { defaultAction: 1 }, "linux.seccomp.defaultAction"],
  ["annotations", { "": "x" }, "annotations"],
  ["annotations", { a: 1 }, 'annotations["a"]'],
];

for (const [path, value, field] of REFUSED) {
  Deno.test(`validateSpec() refuses ${path} = ${JSON.stringify(value)?.slice(0, 60)}`, () => {
    assert.throws(() => validateSpec(changed(path, value)), (error: unknown) => {
      assert(error instanceof SpecError);
      assert.equal(error.field, field);
      return true;
    });
  });
}

Deno.test("validateSpec() refuses id maps that overlap or end beyond the last id", () => {
  const linux = { ...defaultSpec().linux, namespaces: namespaces("mount", "uts", "user") };
  const map = (containerID: number, hostID: number, size: number) => ({
    containerID,
    hostID,
    size,
  });
  const wrong = [
    [map(0, 100000, 10), map(9, 200000, 1)],
    [map(0, 100000, 10), map(10, 100009, 1)],
    [map(0, 4294967294, 2)],
    [map(0, 0, 0)],
  ];
  for (const uidMappings of wrong) {
    const spec = { ...defaultSpec(), linux: { ...linux, uidMappings } };
    assert.throws(() => validateSpec(spec), { field: "linux.uidMappings" });
  }
});

Deno.test("validateSpec() keeps an annotation named __proto__ as a name like any other", () => {
  const spec = validateSpec(changed("annotations", JSON.parse('{"__proto__":"x"}')));
  assert.equal(JSON.stringify(spec.annotations), '{"__proto__":"x"}');
});

Deno.test("validateSpec() throws nothing but SpecError, whatever JSON it gets", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert.throws(() => validateSpec(value), SpecError);
  }));
});

Deno.test("validateSpec() throws nothing but SpecError when one field is any JSON", () => {
  const paths =
    "process process.user process.args mounts linux linux.namespaces hooks annotations " +
    "linux.resources linux.resources.devices linux.seccomp linux.sysctl linux.uidMappings";
  fc.assert(
    fc.property(fc.constantFrom(...paths.split(" ")), fc.jsonValue(), (path, value) => {
      try {
        validateSpec(changed(path, value));
      } catch (error) {
        assert(error instanceof SpecError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("parseJson() keeps 64-bit masks of seccomp exact", () => {
  assert.deepEqual(parseJson('{"value": 18446744073709551614, "a": -3, "b": 0.5}'), {
    value: 18446744073709551614n,
    a: -3,
    b: 0.5,
  });
});

Deno.test("parseJson() refuses what is not JSON", () => {
  assert.throws(() => parseJson("{"), SpecError);
});

Deno.test("validateProcess() names the field below process", () => {
  const process = { cwd: "x", user: { uid: 0, gid: 0 }, args: ["sh"] };
  assert.throws(() => validateProcess(process), { field: "process.cwd" });
});
