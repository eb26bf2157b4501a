import assert from "assert";
import {
  BPF_CGROUP_DEVICE,
  BPF_F_ALLOW_MULTI,
  BPF_PROG_ATTACH,
  BPF_PROG_LOAD,
  BPF_PROG_TYPE_CGROUP_DEVICE,
} from "../../ffi/constants.ts";
import { addressOf, Fd, syscall } from "../../ffi/mod.ts";
import { test } from "../../tests/support/mod.ts";
import type { LinuxResources } from "../spec/types.ts";
import { deviceProgram } from "./device_program.ts";
import { type CgroupPlan, oomKills, planCgroup, prepare, readStatistics, update } from "./mod.ts";
import { cleaningUp, file, host, outcome, root, start, withCgroup } from "./scratch_cgroup_test.ts";

const MiB = 1024 * 1024;

test("the kernel took every limit as it was planned", root, (t) => {
  const resources: LinuxResources = {
    memory: { limit: 64 * MiB, swap: 96 * MiB, reservation: 32 * MiB },
    cpu: { shares: 1024, quota: 20000, period: 50000, cpus: "0", mems: "0" },
    pids: { limit: 50 },
  };
  const expected = host.version === 1
    ? {
      "memory.limit_in_bytes": "67108864",
      "memory.memsw.limit_in_bytes": "100663296",
      "memory.soft_limit_in_bytes": "33554432",
      "cpu.shares": "1024",
      "cpu.cfs_quota_us": "20000",
      "cpu.cfs_period_us": "50000",
    }
    : {
      "memory.max": "67108864",
      "memory.swap.max": "33554432",
      "memory.low": "33554432",
      "cpu.weight": "100",
      "cpu.max": "20000 50000",
    };
  return withCgroup(t, resources, (path) => {
    const limits = { ...expected, "cpuset.cpus": "0", "cpuset.mems": "0", "pids.max": "50" };
    for (const [name, value] of Object.entries(limits)) assert.equal(file(path, name), value, name);
    const { memory, pids } = readStatistics(host, path);
    assert.equal(memory?.limitBytes, 64 * MiB);
    assert.equal(memory?.swapLimitBytes, 32 * MiB);
    assert.equal(pids?.limit, 50);
  });
});

test("the kernel took idle, burst, weight and the switches of memory", root, (t) => {
  const cpu = { idle: 1, shares: 512, quota: 20000, period: 50000, burst: 10000 };
  const memory = { swappiness: 7, disableOOMKiller: true };
  return withCgroup(t, host.version === 1 ? { cpu, memory } : { cpu }, (path) => {
    assert.equal(file(path, "cpu.idle"), "1");
    const burst = host.version === 1 ? "cpu.cfs_burst_us" : "cpu.max.burst";
    assert.equal(file(path, burst), "10000");
    if (host.version === 2) return;
    assert.equal(file(path, "memory.swappiness"), "7");
    assert.match(file(path, "memory.oom_control"), /^oom_kill_disable 1$/m);
  });
});

test("the kernel took block I/O limits", {
  requires: ["root", "file:/sys/block/vda/dev"],
}, (t) => {
  const [major = 0, minor = 0] = Deno.readTextFileSync("/sys/block/vda/dev").split(":").map(Number);
  const blockIO = {
    throttleReadBpsDevice: [{ major, minor, rate: 1048576 }],
    throttleWriteIOPSDevice: [{ major, minor, rate: 100 }],
  };
  return withCgroup(t, { blockIO }, (path) => {
    if (host.version === 1) {
      assert.equal(file(path, "blkio.throttle.read_bps_device"), `${major}:${minor} 1048576`);
      assert.equal(file(path, "blkio.throttle.write_iops_device"), `${major}:${minor} 100`);
    } else {
      const line = `${major}:${minor} rbps=1048576 wbps=max riops=max wiops=100`;
      assert.equal(file(path, "io.max"), line);
    }
  });
});

test(
  "a block I/O weight goes to the scheduler that is there, or is refused",
  root,
  (t) =>
    cleaningUp(`/${t.name}`, () => {
      const path = `/${t.name}/x`;
      try {
        prepare(planCgroup(host, path, { blockIO: { weight: 300 } }));
      } catch (error) {
        assert.match(String(error), /ENOENT; weights need the BFQ scheduler/);
        return;
      }
      const weights = ["blkio.weight", "blkio.bfq.weight", "io.bfq.weight", "io.weight"];
      const values = weights.map((name) => file(path, name).replace("default ", ""));
      assert.ok(values.includes("300") || values[3] === "2930", values.join());
    }),
);

test("the kernel took a limit on huge pages", {
  requires: ["root", "controller:hugetlb", "file:/sys/kernel/mm/hugepages/hugepages-2048kB"],
}, (t) =>
  withCgroup(t, { hugepageLimits: [{ pageSize: "2MB", limit: 4 * MiB }] }, (path) => {
    const suffix = host.version === 1 ? "limit_in_bytes" : "max";
    assert.equal(file(path, `hugetlb.2MB.${suffix}`), "4194304");
    assert.equal(file(path, `hugetlb.2MB.rsvd.${suffix}`), "4194304");
  }));

test("the kernel took the class and the priority of packets", {
  requires: ["root", "controller:net_cls", "controller:net_prio"],
}, (t) => {
  const network = { classID: 0x100001, priorities: [{ name: "lo", priority: 3 }] };
  return withCgroup(t, { network }, (path) => {
    assert.equal(file(path, "net_cls.classid"), "1048577");
    assert.match(file(path, "net_prio.ifpriomap"), /^lo 3$/m);
  });
});

test(
  "the kernel took entries of unified as they are",
  { requires: ["root", "cgroup-v2"] },
  (t) =>
    withCgroup(t, { unified: { "memory.high": "8388608", "cgroup.max.depth": "3" } }, (path) => {
      assert.equal(file(path, "memory.high"), "8388608");
      assert.equal(file(path, "cgroup.max.depth"), "3");
    }),
);

test(
  "a process can enter a cgroup without any limit, in all hierarchies",
  root,
  (t) =>
    withCgroup(t, {}, async (path) => {
      const { text } = await outcome(start(path, "cat", "/proc/self/cgroup"));
      for (const line of text.trim().split("\n")) assert.ok(line.endsWith(`:${path}`), line);
      const { memory, pids, cpu } = readStatistics(host, path);
      assert.equal(memory?.limitBytes, undefined);
      assert.equal(pids?.limit, undefined);
      assert.ok((cpu?.usageUs ?? 0) > 0, "no CPU time was counted");
    }),
);

test(
  "an update raises and lowers memory and swap, and keeps the quota",
  root,
  (t) =>
    withCgroup(t, { memory: { limit: 32 * MiB, swap: 32 * MiB } }, (path) => {
      const limits = () => {
        const { memory } = readStatistics(host, path);
        return [memory?.limitBytes, memory?.swapLimitBytes];
      };
      update(host, path, { memory: { limit: 64 * MiB, swap: 128 * MiB } });
      assert.deepEqual(limits(), [64 * MiB, 64 * MiB]);
      update(host, path, { memory: { limit: 16 * MiB, swap: 24 * MiB } });
      assert.deepEqual(limits(), [16 * MiB, 8 * MiB]);
      update(host, path, { memory: { limit: -1 } });
      assert.deepEqual(limits(), [undefined, undefined]);
      update(host, path, { cpu: { quota: 20000 } });
      update(host, path, { cpu: { period: 50000 } });
      const quota = host.version === 1 ? file(path, "cpu.cfs_quota_us") : file(path, "cpu.max");
      assert.equal(quota, host.version === 1 ? "20000" : "20000 50000");
    }),
);

test(
  "the limit on processes refuses a fork, and is counted",
  root,
  (t) =>
    withCgroup(t, { pids: { limit: 2 } }, async (path) => {
      const script = "for i in 1 2 3; do sleep 9 >/dev/null 2>&1 & done";
      const { code } = await outcome(start(path, "sh", "-c", script));
      assert.notEqual(code, 0);
      assert.ok((readStatistics(host, path).pids?.limitHits ?? 0) >= 1);
    }),
);

test(
  "a process that takes more memory than the limit dies, and oomKills() is 1",
  root,
  (t) =>
    withCgroup(t, { memory: { limit: 16 * MiB, swap: 24 * MiB } }, async (path) => {
      assert.equal(oomKills(host, path), 0);
      const child = start(path, "tail", "/dev/zero");
      const { signal } = await child.output();
      assert.equal(signal, "SIGKILL");
      assert.equal(oomKills(host, path), 1);
      const { memory } = readStatistics(host, path);
      assert.equal(memory?.oomKills, 1);
      assert.ok((memory?.limitHits ?? 0) > 0);
    }),
);

test("device rules hold: what they do not allow cannot be opened", root, (t) => {
  const devices = [
    { allow: false, access: "rwm" },
    { allow: true, type: "c", major: 1, minor: 3, access: "rwm" },
    { allow: true, type: "c", major: 1, minor: 5, access: "r" },
    { allow: true, type: "c", major: 1, minor: 9, access: "rw" },
    { allow: false, type: "c", major: 1, minor: 9, access: "w" },
  ];
  return withCgroup(t, { devices }, async (path) => {
    const plan = planCgroup(host, path, { devices });
    if (plan.devices !== undefined) attach(plan.devices);
    const script = `try() { if (eval "$1") 2>&-; then echo yes; else echo no; fi; }
      try ': </dev/null >/dev/null'; try ': </dev/zero'; try ': >/dev/zero'
      try ': </dev/urandom'; try ': >/dev/urandom'; try ': </dev/random'`;
    const { text } = await outcome(start(path, "sh", "-c", script));
    assert.deepEqual(text.trim().split("\n"), ["yes", "yes", "no", "yes", "no", "no"]);
  });
});

test("the eBPF program holds on the unified hierarchy of a hybrid host too", {
  requires: ["root", "cgroup-v1", "file:/sys/fs/cgroup/unified/cgroup.procs"],
}, (t) =>
  withCgroup(t, {}, async (path) => {
    const program = deviceProgram([{ allow: true, type: "c", major: 1, minor: 3 }]);
    attach({ directory: `${host.unified?.mountPoint}${path}`, program });
    const script = "(: </dev/null) && echo null; (: </dev/zero) && echo zero";
    const { text } = await outcome(start(path, "sh", "-c", script));
    assert.match(text, /^null\n/);
    assert.doesNotMatch(text, /^zero$/m);
  }));

/** Loads and attaches a program; bpf(2). */
function attach({ directory, program }: NonNullable<CgroupPlan["devices"]>): void {
  const bytes = new Uint8Array(program);
  const license = new TextEncoder().encode("Apache-2.0\0");
  const load = new DataView(new ArrayBuffer(48));
  load.setUint32(0, BPF_PROG_TYPE_CGROUP_DEVICE, true);
  load.setUint32(4, bytes.length / 8, true);
  load.setBigUint64(8, addressOf(bytes), true);
  load.setBigUint64(16, addressOf(license), true);
  using loaded = new Fd(syscall("bpf", BPF_PROG_LOAD, new Uint8Array(load.buffer), 48));
  using cgroup = new Fd(syscall("openat", -100, directory, 0o200000, 0));
  const fields = [cgroup.number, loaded.number, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI];
  syscall("bpf", BPF_PROG_ATTACH, new Uint8Array(new Uint32Array(fields).buffer), 16);
}

test(
  "a refused write tells the limit, the file, the errno and what to do",
  root,
  (t) =>
    cleaningUp(`/${t.name}`, () => {
      const refused = (resources: LinuxResources) => () =>
        prepare(planCgroup(host, `/${t.name}/x`, resources));
      assert.throws(
        refused({ cpu: { quota: 10 } }),
        /cannot limit CPU time to 10 us: cannot write "10" to ".*": EINVAL; periods are 1000/,
      );
      assert.throws(
        refused({ cpu: { cpus: "0-" } }),
        /EINVAL; the parent's cpuset.cpus tells which/,
      );
      const throttled = { throttleReadBpsDevice: [{ major: 4000, minor: 1, rate: 1024 }] };
      assert.throws(refused({ blockIO: throttled }), /ENODEV; there is no such block device/);
    }),
);
