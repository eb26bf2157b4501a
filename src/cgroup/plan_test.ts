import assert from "assert";
import { SpecError } from "../spec/error.ts";
import type { LinuxResources } from "../spec/types.ts";
import type { CgroupHost } from "./host.ts";
import { planCgroup, planUpdate } from "./plan.ts";

const v1: CgroupHost = {
  version: 1,
  hierarchies: [
    ["cpu", "cpuacct"],
    ["cpuset"],
    ["memory"],
    ["devices"],
    ["blkio"],
    ["pids"],
    ["net_prio", "net_cls"],
    ["name=systemd"],
  ].map((controllers) => ({
    controllers,
    mountPoint: `/c/${controllers.join(",").replace("name=", "")}`,
    root: "/",
    own: "/",
  })),
  unified: { controllers: [], mountPoint: "/c/unified", root: "/", own: "/" },
  controllers: "cpu cpuacct cpuset memory devices blkio pids net_prio net_cls".split(" "),
  enabled: [],
  known: { hugetlb: true, memory: true, rdma: false },
};

const v2: CgroupHost = {
  version: 2,
  hierarchies: [],
  unified: { controllers: [], mountPoint: "/c", root: "/", own: "/" },
  controllers: "cpuset cpu io memory pids".split(" "),
  enabled: ["memory", "pids"],
  known: { memory: true, hugetlb: true },
};

/** The writes as `file=content`, without directories and without those that only prepare. */
function written(host: CgroupHost, resources: LinuxResources): string[] {
  return planCgroup(host, "/m/x", resources).files
    .filter((file) => file.inheritFrom === undefined && !file.path.endsWith("subtree_control"))
    .map((file) => `${file.path.slice(file.path.lastIndexOf("/") + 1)}=${file.content}`);
}

Deno.test("a v2 plan makes both levels and enables controllers at each ancestor, never the leaf", () => {
  const plan = planCgroup(v2, "/m/x", { memory: { limit: 1024 }, cpu: { cpus: "0" } });
  assert.deepEqual(plan.directories, ["/c/m", "/c/m/x"]);
  assert.deepEqual(
    plan.files.map(({ path, content, mayFail }) => [path, content, mayFail ?? false]),
    [
      ["/c/cgroup.subtree_control", "+cpuset", false],
      ["/c/cgroup.subtree_control", "+cpu +io", true],
      ["/c/m/cgroup.subtree_control", "+cpuset +memory", false],
      ["/c/m/cgroup.subtree_control", "+cpu +io +pids", true],
      ["/c/m/x/cpuset.cpus", "0", false],
      ["/c/m/x/memory.max", "1024", false],
    ],
  );
  assert.deepEqual(plan.join, { kind: "into", directory: "/c/m/x" });
  assert.deepEqual(plan.mounts, { kind: "unified", directory: "/c/m/x" });
  assert.equal(plan.devices, undefined);
});

Deno.test("a v1 plan enters every hierarchy, inherits the cpuset top down and mounts with links", () => {
  const plan = planCgroup(v1, "/m/x", { cpu: { cpus: "1" } });
  assert.deepEqual(plan.directories.slice(0, 4), [
    "/c/cpu,cpuacct/m",
    "/c/cpu,cpuacct/m/x",
    "/c/cpuset/m",
    "/c/cpuset/m/x",
  ]);
  assert.equal(plan.directories.length, 18);
  assert.deepEqual(
    plan.files.map(({ path, content, inheritFrom }) => [path, content, inheritFrom]),
    [
      ["/c/cpuset/m/cpuset.cpus", "", "/c/cpuset/cpuset.cpus"],
      ["/c/cpuset/m/cpuset.mems", "", "/c/cpuset/cpuset.mems"],
      ["/c/cpuset/m/x/cpuset.mems", "", "/c/cpuset/m/cpuset.mems"],
      ["/c/cpuset/m/x/cpuset.cpus", "1", undefined],
    ],
  );
  assert.ok(plan.join.kind === "tasks");
  assert.equal(plan.join.paths[0], "/c/cpu,cpuacct/m/x/tasks");
  assert.equal(plan.join.born, "/c/unified/m/x");
  assert.ok(plan.mounts.kind === "hierarchies");
  assert.deepEqual(plan.mounts.hierarchies[0], {
    name: "cpu,cpuacct",
    source: "/c/cpu,cpuacct/m/x",
    links: ["cpu", "cpuacct"],
  });
  assert.deepEqual(plan.mounts.hierarchies[7], {
    name: "systemd",
    source: "/c/systemd/m/x",
    links: [],
  });
});

Deno.test("pids: -1 is max, 0 is 1, absent writes nothing", () => {
  for (const host of [v1, v2]) {
    assert.deepEqual(written(host, { pids: { limit: -1 } }), ["pids.max=max"]);
    assert.deepEqual(written(host, { pids: { limit: 0 } }), ["pids.max=1"]);
    assert.deepEqual(written(host, { pids: { limit: 7 } }), ["pids.max=7"]);
    assert.deepEqual(written(host, { pids: {} }), []);
  }
});

Deno.test("network limits are files of v1 and an error with v2", () => {
  const network = { classID: 1048577, priorities: [{ name: "eth0", priority: 5 }] };
  assert.deepEqual(written(v1, { network }), [
    "net_prio.ifpriomap=eth0 5",
    "net_cls.classid=1048577",
  ]);
  assert.throws(() => written(v2, { network }), SpecError);
  assert.deepEqual(written(v2, { network: {} }), []);
});

Deno.test("unified entries come last and enable their controller; v1 and slashes are refused", () => {
  const resources = {
    memory: { limit: 9 },
    unified: { "memory.max": "8", "cpu.uclamp.min": "20", "cgroup.max.depth": "3" },
  };
  assert.deepEqual(written(v2, resources), [
    "memory.max=9",
    "memory.max=8",
    "cpu.uclamp.min=20",
    "cgroup.max.depth=3",
  ]);
  const enabling = planCgroup(v2, "/m/x", resources).files[0];
  assert.equal(enabling?.content, "+cpu");
  assert.throws(() => written(v1, { unified: { "memory.high": "1" } }), SpecError);
  for (const key of ["../memory.max", "a/b.c", "memory", ".", "..", ""]) {
    assert.throws(() => written(v2, { unified: { [key]: "1" } }), SpecError, key);
  }
});

Deno.test("a limit without its controller is an error that says what to do", () => {
  const huge = { hugepageLimits: [{ pageSize: "2MB", limit: 0 }] };
  assert.throws(
    () => planCgroup(v1, "/m/x", huge),
    /cannot limit huge pages of 2MB .* "hugetlb" is not mounted; .* mount -t cgroup -o hugetlb/,
  );
  assert.throws(
    () => planCgroup(v2, "/m/x", huge),
    /not in "\/c\/cgroup.controllers"; .*Delegate=/,
  );
  const rdma = { rdma: { mlx5_0: { hcaHandles: 2, hcaObjects: 30 } } };
  assert.throws(() => planCgroup(v1, "/m/x", rdma), /boot without cgroup_disable=rdma/);
  assert.throws(
    () => planCgroup({ ...v1, known: {} }, "/m/x", rdma),
    /cannot limit RDMA device "mlx5_0" to hca_handle=2 hca_object=30: .* not in this kernel/,
  );
});

Deno.test("a host without any cgroup gives an empty plan, and an error for a limit", () => {
  const none: CgroupHost = { version: 1, hierarchies: [], controllers: [], enabled: [], known: {} };
  assert.deepEqual(planCgroup(none, "/m/x", {}), {
    directories: [],
    files: [],
    join: { kind: "tasks", paths: [] },
    mounts: { kind: "hierarchies", hierarchies: [] },
  });
  assert.throws(() => planCgroup(none, "/m/x", { pids: { limit: 3 } }), /"pids" is not in this/);
});

Deno.test("devices are files of v1 and a program of v2", () => {
  const devices = [{ allow: false, access: "rwm" }];
  assert.deepEqual(written(v1, { devices }), ["devices.deny=a"]);
  assert.deepEqual(written(v2, { devices }), []);
  assert.equal(planCgroup(v2, "/m/x", { devices }).devices?.directory, "/c/m/x");
  assert.equal(planCgroup(v1, "/m/x", { devices }).devices, undefined);
});

Deno.test("an update keeps v2's quota under a new period, and checks usage where asked", () => {
  const now = { memory: { usageBytes: 500, swapLimitBytes: Infinity }, cpuQuota: "20000" };
  const cpu = planUpdate(v2, "/m/x", { cpu: { period: 50000 } }, now).at(-1);
  assert.equal(cpu?.content, "20000 50000");
  const memory = { limit: 400, checkBeforeUpdate: true };
  assert.throws(() => planUpdate(v2, "/m/x", { memory }, now), /"400" is below the 500 bytes/);
  assert.equal(planUpdate(v2, "/m/x", { memory: { limit: 400 } }, now).at(-1)?.content, "400");
});

Deno.test("planCgroup refuses paths that reach other cgroups", () => {
  for (const path of ["/", "", "a/b", "/a/../b", "/a//b", "/a/.", "/a/"]) {
    assert.throws(() => planCgroup(v2, path, {}), SpecError, path);
  }
});
