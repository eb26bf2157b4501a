import assert from "assert";
import { SpecError } from "../spec/error.ts";
import { cgroupDirectories, cgroupPath, type CgroupTexts, parseCgroupHost } from "./host.ts";

// Made with: cat /proc/self/mountinfo /proc/self/cgroup /proc/cgroups, and shortened.
const hybrid: CgroupTexts = {
  mountinfo: `22 27 0:21 / /proc rw,relatime - proc proc rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate
33 31 0:30 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup rw,xattr,name=systemd
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:13 master:1 - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
90 31 0:32 /docker/a /mnt/a\\040b/memory rw,relatime - cgroup cgroup rw,memory
`,
  selfCgroup: `9:name=systemd:/user.slice/a:b
4:memory:/docker/abc
1:cpu,cpuacct:/
0::/user.slice
`,
  cgroups: `#subsys_name\thierarchy\tnum_cgroups\tenabled
cpu\t1\t1\t1
memory\t4\t19\t1
net_cls\t0\t1\t1
hugetlb\t0\t1\t0
`,
};

const noFile = () => "";

Deno.test("a hybrid host counts as version 1, each hierarchy once, and keeps its unified one", () => {
  const host = parseCgroupHost(hybrid, noFile);
  assert.equal(host.version, 1);
  assert.deepEqual(host.hierarchies, [
    {
      controllers: ["name=systemd"],
      mountPoint: "/sys/fs/cgroup/systemd",
      root: "/",
      own: "/user.slice/a:b",
    },
    {
      controllers: ["memory"],
      mountPoint: "/sys/fs/cgroup/memory",
      root: "/",
      own: "/docker/abc",
    },
    {
      controllers: ["cpu", "cpuacct"],
      mountPoint: "/sys/fs/cgroup/cpu,cpuacct",
      root: "/",
      own: "/",
    },
  ]);
  assert.equal(host.unified?.own, "/user.slice");
  assert.deepEqual(host.controllers, ["memory", "cpu", "cpuacct"]);
  assert.deepEqual(host.known, { cpu: true, memory: true, net_cls: true, hugetlb: false });
  assert.deepEqual(cgroupDirectories(host, "/m/x"), [
    "/sys/fs/cgroup/systemd/m/x",
    "/sys/fs/cgroup/memory/m/x",
    "/sys/fs/cgroup/cpu,cpuacct/m/x",
    "/sys/fs/cgroup/unified/m/x",
  ]);
});

Deno.test("a bind of a part of the tree keeps its root, and octal escapes are undone", () => {
  const mountinfo = hybrid.mountinfo.split("\n").filter((l) => /a.040b/.test(l)).join("\n");
  const host = parseCgroupHost({ ...hybrid, mountinfo }, noFile);
  assert.deepEqual(host.hierarchies, [{
    controllers: ["memory"],
    mountPoint: "/mnt/a b/memory",
    root: "/docker/a",
    own: "/docker/abc",
  }]);
  assert.equal(host.unified, undefined);
});

Deno.test("a host is version 2 though a named hierarchy of version 1 is mounted", () => {
  const mountinfo = `30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
31 23 0:27 / /run/systemd-v1 rw - cgroup cgroup rw,name=systemd
`;
  const files: Record<string, string> = {
    "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
    "/sys/fs/cgroup/cgroup.subtree_control": "cpu memory\n",
  };
  const host = parseCgroupHost({ ...hybrid, mountinfo }, (path) => files[path] ?? "");
  assert.equal(host.version, 2);
  assert.deepEqual(host.controllers, ["cpuset", "cpu", "io", "memory", "pids"]);
  assert.deepEqual(host.enabled, ["cpu", "memory"]);
  assert.deepEqual(cgroupDirectories(host, "/m/x"), ["/sys/fs/cgroup/m/x"]);
});

Deno.test("a host without cgroups is version 1 without hierarchies", () => {
  const host = parseCgroupHost({ mountinfo: "", selfCgroup: "", cgroups: "" }, noFile);
  assert.deepEqual(host, {
    version: 1,
    hierarchies: [],
    controllers: [],
    enabled: [],
    known: {},
  });
});

Deno.test("cgroupPath takes absolute, relative, systemd's and absent paths", () => {
  const table = [
    [undefined, "/minictr/web"],
    ["", "/minictr/web"],
    ["/docker/web", "/docker/web"],
    ["/docker/web/", "/docker/web"],
    ["pods/web", "/minictr/pods/web"],
    ["system.slice:docker:web", "/system.slice/docker-web.scope"],
    [":libpod:web", "/system.slice/libpod-web.scope"],
    ["a-b.slice::web", "/a.slice/a-b.slice/web.scope"],
    ["-.slice:x:y.slice", "/y.slice"],
    ["/machine.slice/a:b:c", "/machine.slice/a:b:c"],
  ] as const;
  for (const [path, expected] of table) assert.equal(cgroupPath(path, "web"), expected);
  for (const path of ["/", "/a/../b", "../a", "a.slice:..:/../b"]) {
    assert.throws(() => cgroupPath(path, "web"), SpecError, path);
  }
});
