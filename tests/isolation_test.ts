import assert from "assert";
import { parseProbe, type Probe, type Scratch, test } from "./support/mod.ts";

const requires = ["root", "command:busybox"] as const;

async function probe(t: Scratch, ...flags: string[]): Promise<Probe> {
  const { code, out, err } = await t.run(flags, ["/bin/probe"]);
  assert.equal(code, 0, err);
  return parseProbe(out);
}

function namespacesOfHost(): Record<string, string> {
  const names = ["ipc", "mnt", "net", "pid", "uts"];
  return Object.fromEntries(
    names.map((name) => [name, Deno.readLinkSync(`/proc/self/ns/${name}`)]),
  );
}

test("the command is process 1 and sees no other", { requires }, async (t) => {
  const seen = await probe(t);
  assert.equal(seen.pid, 1);
  assert.deepEqual(seen.processes.filter((pid) => pid !== 1), []);
});

test("processes, mounts, names, links and messages have namespaces of the container's own", {
  requires,
}, async (t) => {
  const { namespaces } = await probe(t);
  for (const [name, host] of Object.entries(namespacesOfHost())) {
    assert.match(namespaces[name] ?? "", /^\w+:\[\d+\]$/);
    assert.notEqual(namespaces[name], host);
  }
});

test("the control group namespace is the container's own on cgroup v2", {
  requires: [...requires, "cgroup-v2"],
}, async (t) => {
  const { namespaces, cgroups } = await probe(t);
  assert.notEqual(namespaces["cgroup"], Deno.readLinkSync("/proc/self/ns/cgroup"));
  assert.deepEqual(cgroups, ["0::/"]);
});

test("--hostname names the container and not the host", { requires }, async (t) => {
  const before = Deno.hostname();
  assert.equal((await probe(t, "--hostname", "box")).hostname, "box");
  assert.equal(Deno.hostname(), before);
});

test("the only link with --network none is lo", { requires }, async (t) => {
  assert.deepEqual((await probe(t)).links, ["lo"]);
});

test("the mounts are the container's only, below a root of its own", { requires }, async (t) => {
  const { mounts } = await probe(t);
  const types = Object.fromEntries(mounts.map(({ point, type }) => [point, type]));
  assert.equal(types["/proc"], "proc");
  assert.equal(types["/sys"], "sysfs");
  assert.equal(types["/dev"], "tmpfs");
  assert.equal(types["/dev/pts"], "devpts");
  const expected = /^\/($|proc|sys|dev|etc\/(hosts|hostname|resolv\.conf))/;
  assert.deepEqual(mounts.map(({ point }) => point).filter((point) => !expected.test(point)), []);
});

test("the root holds what the root file system does, and nothing of the host's", {
  requires,
}, async (t) => {
  const { root } = await probe(t);
  const own = [...Deno.readDirSync(t.rootfs)].map(({ name }) => name);
  assert.deepEqual(root.toSorted(), own.toSorted());
});

test("no way leads to a file of the host's", { requires }, async (t) => {
  const secret = `${t.directory}/secret`;
  Deno.writeTextFileSync(secret, "host");
  const ways = [
    secret,
    `/proc/1/root${secret}`,
    `/proc/self/cwd/../../../..${secret}`,
    ...Array.from({ length: 12 }, (_, fd) => `/proc/1/fd/${fd}/../../../..${secret}`),
  ];
  const script = 'for way; do cat "$way" 2>/dev/null && echo "$way"; done; true';
  const { code, out } = await t.run([], ["sh", "-c", script, "sh", ...ways]);
  assert.deepEqual([code, out], [0, ""]);
});

test("process 1's executable is the command's, not minictr's", { requires }, async (t) => {
  const { out, err } = await t.run([], ["readlink", "/proc/1/exe"]);
  assert.equal(out, "/bin/busybox\n", err);
});

test("the command has no descriptor but the standard three", { requires }, async (t) => {
  assert.deepEqual(Object.keys((await probe(t)).fds), ["0", "1", "2"]);
});

test("the command has docker's capabilities and a filter of its system calls", {
  requires,
}, async (t) => {
  const { capabilities, seccomp } = await probe(t);
  assert.deepEqual(capabilities, {
    Inh: "0000000000000000",
    Prm: "00000000a80425fb",
    Eff: "00000000a80425fb",
    Bnd: "00000000a80425fb",
    Amb: "0000000000000000",
  });
  assert.equal(seccomp, 2);
});

test("a command of another user has no capability in effect", { requires }, async (t) => {
  const { uids, gids, capabilities } = await probe(t, "-u", "alice");
  assert.deepEqual([uids[1], gids[1]], [1000, 1000]);
  assert.equal(BigInt(`0x${capabilities.Eff}`), 0n);
});

test("the supplementary groups are those of the root's /etc/group", { requires }, async (t) => {
  const { groups } = await probe(t, "-u", "alice");
  // The first group may be listed a second time, as docker does since CVE-2022-36109.
  assert.deepEqual(groups.filter((group) => group !== 1000).toSorted((a, b) => a - b), [29, 100]);
});

test("--read-only lets nothing be written to the root", { requires }, async (t) => {
  const { code, err } = await t.run(["--read-only"], ["touch", "/file"]);
  assert.notEqual(code, 0);
  assert.match(err, /Read-only file system/);
});

test("what the kernel must not be asked for is masked or read-only", { requires }, async (t) => {
  const script = "cat /proc/kcore | wc -c; cat /proc/keys | wc -c; ls /proc/acpi /sys/firmware; " +
    "echo 1 > /proc/sys/kernel/panic || echo refused";
  const { out } = await t.run([], ["sh", "-c", script]);
  assert.match(out, /^0\n0\n[^]*refused\n$/);
});
