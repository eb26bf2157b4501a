import assert from "assert";
import { doctorHere, doctorIn } from "./support/doctor.ts";
import { test } from "./support/mod.ts";

const root = ["root"] as const;

test("doctor finds version 1's controllers where findmnt does", {
  requires: [...root, "cgroup-v1"],
}, async (t) => {
  const { checks } = await doctorHere(t);
  assert.match(checks.get("cgroup-version")?.found ?? "", /^version 1/);
  const names = { memory: "memory", cpu: "cpu", io: "blkio", pids: "pids", hugetlb: "hugetlb" };
  for (const [id, name] of Object.entries(names)) {
    await using judge = t.start(["findmnt", "-n", "-t", "cgroup", "-O", name, "-o", "TARGET"]);
    const [target = ""] = (await judge.ended).out.split("\n");
    const { status, found = "", remedy = "" } = checks.get(`controller-${id}`) ?? {};
    if (target === "") assert.match(`${status} ${remedy}`, new RegExp(`warn .*-o ${name} |skip`));
    else assert.ok(status === "ok" && found.includes(`mounted on "${target}"`), found);
  }
});

test("doctor tells a read-only hierarchy from the others, and how to mend it", {
  requires: [...root, "cgroup-v1", "controller:pids"],
}, async (t) => {
  const script =
    'p=$(findmnt -n -t cgroup -O pids -o TARGET) && mount -o bind,remount,ro "$p" && ' +
    'exec "$@"';
  const { checks, code } = await doctorIn(t, ["unshare", "--mount"], script);
  assert.equal(code, 1);
  assert.match(checks.get("cgroup-create")?.found ?? "", /pids.*EROFS/);
  assert.equal(checks.get("controller-pids")?.status, "warn");
  assert.match(checks.get("controller-pids")?.remedy ?? "", /^mount -o remount,rw \/.*pids$/);
  assert.equal(checks.get("controller-memory")?.status, "ok");
});

test("doctor without any cgroup filesystem fails, and tells what to mount", {
  requires: [...root, "command:findmnt"],
}, async (t) => {
  const script = "for p in $(findmnt -rn -t cgroup,cgroup2 -o TARGET); do umount -l $p; done; " +
    'exec "$@"';
  const { checks, code } = await doctorIn(t, ["unshare", "--mount"], script);
  assert.equal(code, 1);
  assert.equal(checks.get("cgroup-version")?.status, "fail");
  assert.match(checks.get("cgroup-version")?.remedy ?? "", /^mount -t cgroup2 /);
  assert.equal(checks.get("freezer")?.status, "skip");
});

test("doctor finds version 2's controllers as cgroup.controllers has them", {
  requires: [...root, "cgroup-v2"],
}, async (t) => {
  const { checks } = await doctorHere(t);
  assert.match(checks.get("cgroup-version")?.found ?? "", /^version 2/);
  const [offered = [], enabled = []] = ["controllers", "subtree_control"].map((file) =>
    Deno.readTextFileSync(`/sys/fs/cgroup/cgroup.${file}`).trim().split(" ")
  );
  for (const name of ["memory", "cpu", "cpuset", "io", "pids", "hugetlb", "rdma"]) {
    const { status, found = "" } = checks.get(`controller-${name}`) ?? {};
    assert.equal(status === "ok", offered.includes(name), found);
    assert.equal(found.startsWith("enabled in"), enabled.includes(name), found);
  }
  for (const id of ["clone-into-cgroup", "cgroup-kill", "device-rules", "freezer"]) {
    assert.equal(checks.get(id)?.status, "ok", checks.get(id)?.found);
  }
});

test("doctor names what to write where a controller is not passed on", {
  requires: [...root, "cgroup-v2", "controller:pids"],
}, async (t) => {
  // What doctor sees as root is not the true one, and has a process in it.
  const cgroup = `/sys/fs/cgroup/${t.name}`;
  Deno.mkdirSync(cgroup);
  const inside = (remedy: string) =>
    `echo $$ > ${cgroup}/cgroup.procs && exec unshare --cgroup --mount sh -c ` +
    `'umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && { ${remedy}; } 2>&- && ` +
    `exec "$@"' sh "$@"`;
  const before = (await doctorIn(t, ["env"], inside("true"))).checks.get("controller-pids");
  assert.equal(before?.status, "warn", before?.found);
  assert.match(before?.found ?? "", /processes of its own \(EBUSY\)/);
  const remedy = before?.remedy ?? "";
  assert.match(remedy, /echo \+pids > \/sys\/fs\/cgroup\/cgroup\.subtree_control$/);
  const after = (await doctorIn(t, ["env"], inside(remedy))).checks.get("controller-pids");
  assert.equal(after?.status, "ok", after?.found);
  for (const directory of [`${cgroup}/init`, cgroup]) Deno.removeSync(directory);
});
