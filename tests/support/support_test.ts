import assert from "assert";
import { leftovers, removeLeftovers } from "./leftovers.ts";
import { parseProbe, requires, test } from "./mod.ts";

test("a program's bytes pass through the harness unchanged", {}, async (t) => {
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  await using program = t.start(["cat"], { stdin: bytes });
  assert.deepEqual((await program.ended).stdout, bytes);
});

test("a program with its standard input closed cannot read it", {}, async (t) => {
  await using program = t.start(["sh", "-c", "cat; exit 0"], { stdin: "closed" });
  assert.match((await program.ended).err, /Bad file descriptor|standard input/);
});

test("a program that outlives its limit is killed and named", {}, async (t) => {
  await using program = t.start(["sleep", "100"], { timeoutMs: 50 });
  await assert.rejects(program.ended, /"sleep 100".*did not end within 50 ms/);
});

test("a program killed by signal n has the code 128 + n", {}, async (t) => {
  await using program = t.start(["sh", "-c", "kill -USR1 $$"]);
  assert.equal((await program.ended).code, 138);
});

test("a terminal shows what is typed, its size and Ctrl-C", {
  requires: ["command:python3"],
}, async (t) => {
  const script = "trap 'exit 5' INT; stty size; read line; stty size; while sleep 0.1; do :; done";
  await using shell = t.onTerminal(["sh", "-c", script]);
  await shell.until("24 80");
  await shell.resize(40, 100);
  await shell.type("hello\r");
  await shell.until("40 100");
  await shell.type("\x03");
  assert.equal((await shell.ended).code, 5);
});

test("processes, mounts and control groups that carry a name are found and removed", {
  requires: ["root"],
}, async (t) => {
  const name = `${t.name}-planted`;
  const point = `${t.directory}/${name}`;
  Deno.mkdirSync(point);
  const script = 'setsid sleep 100 & mount -t tmpfs tmpfs "$1"; echo made; wait';
  await using program = t.start(["sh", "-c", script, "sh", point], { env: { PLANTED: name } });
  await program.until("made");
  const kinds = (await leftovers(name, 0)).map(({ kind }) => kind);
  assert.deepEqual(new Set(kinds), new Set(["process", "mount"]));
  await removeLeftovers(name, [point]);
  assert.deepEqual(await leftovers(name, 0), []);
});

test("a need that nothing can meet is named with its reason", {}, () => {
  assert.deepEqual(requires("command:no-such-command"), {
    need: "command:no-such-command",
    reason: 'no command "no-such-command"',
  });
});

test("the probe reports what another runtime's container sees", {
  requires: ["root", "command:runc", "command:busybox"],
}, async (t) => {
  const bundle = `${t.directory}/bundle`;
  Deno.mkdirSync(bundle);
  await using spec = t.start(["runc", "spec", "--bundle", bundle]);
  await spec.ended;
  const config = JSON.parse(Deno.readTextFileSync(`${bundle}/config.json`));
  config.process = { ...config.process, terminal: false, args: ["/bin/probe"], cwd: "/tmp" };
  config.root = { path: t.rootfs, readonly: true };
  config.hostname = "probed";
  config.linux.cgroupsPath = `/${t.name}`;
  Deno.writeTextFileSync(`${bundle}/config.json`, JSON.stringify(config));
  await using runc = t.start([
    "runc",
    "--root",
    `${t.directory}/runc`,
    "run",
    "-b",
    bundle,
    t.name,
  ]);
  const { code, out, err } = await runc.ended;
  assert.equal(code, 0, err);
  const probe = parseProbe(out);
  assert.equal(probe.pid, 1);
  assert.equal(probe.hostname, "probed");
  assert.equal(probe.cwd, "/tmp");
  assert.equal(probe.noNewPrivileges, true);
  assert.deepEqual(probe.uids, [0, 0, 0, 0]);
  assert.equal(probe.capabilities.Bnd, "0000000020000420");
  assert.deepEqual(probe.limits["Max open files"], ["1024", "1024"]);
  assert.equal(probe.mounts.find(({ point }) => point === "/proc")?.type, "proc");
  assert.deepEqual(Object.keys(probe.fds), ["0", "1", "2"]);
  assert.ok(probe.root.includes("bin") && probe.dev.includes("null"));
  assert.match(probe.namespaces["mnt"] ?? "", /^mnt:\[\d+\]$/);
  assert.equal(probe.environment["TERM"], "xterm");
});
