import assert from "assert";
import { Container, parseProbe, test } from "./support/mod.ts";

const requires = ["root", "command:busybox"] as const;

test("exec runs in every namespace and control group of the container", { requires }, async (t) => {
  await using container = await Container.start(t);
  const seen = parseProbe(await container.output([], ["/bin/probe"]));
  assert.ok(seen.pid > 1);
  assert.ok(seen.processes.includes(1));
  for (const [name, link] of Object.entries(seen.namespaces)) {
    if (name.endsWith("_for_children")) continue;
    assert.equal(link, Deno.readLinkSync(`/proc/${container.pid}/ns/${name}`), name);
  }
  const pidfile = `${t.directory}/pid`;
  await container.output(["-d", "--pidfile", pidfile], ["sleep", "1000"]);
  const pid = Deno.readTextFileSync(pidfile);
  assert.equal(
    Deno.readTextFileSync(`/proc/${pid}/cgroup`),
    Deno.readTextFileSync(`/proc/${container.pid}/cgroup`),
  );
});

test("exec has the container's rights, limits and environment, and no more", {
  requires,
}, async (t) => {
  const flags = ["--cap-drop", "CHOWN", "--security-opt", "no-new-privileges", "-e", "A=1", "-w"];
  const more = ["/tmp", "--oom-score-adj", "500", "--ulimit", "nofile=500:600", "--umask", "0027"];
  await using container = await Container.start(t, [...flags, ...more]);
  const own = parseProbe((await t.run([...flags, ...more], ["/bin/probe"])).out);
  const seen = parseProbe(await container.output([], ["/bin/probe"]));
  assert.deepEqual(seen.capabilities, own.capabilities);
  assert.equal(seen.capabilities.Inh, "0000000000000000");
  for (
    const key of ["cwd", "umask", "uids", "gids", "groups", "seccomp", "oomScoreAdj"] as const
  ) assert.deepEqual(seen[key], own[key], key);
  assert.equal(seen.noNewPrivileges, true);
  assert.deepEqual(seen.limits["Max open files"], ["500", "600"]);
  const { HOSTNAME: _, ...environment } = own.environment;
  const { HOSTNAME: __, ...seenEnvironment } = seen.environment;
  assert.deepEqual(seenEnvironment, environment);
});

test("exec --cap-add, --cap-drop and --privileged change the capabilities of that command alone", {
  requires: [...requires, "not-vm"],
}, async (t) => {
  await using container = await Container.start(t);
  const bits = async (...flags: string[]) => {
    const { capabilities } = parseProbe(await container.output(flags, ["/bin/probe"]));
    assert.equal(capabilities.Inh, "0000000000000000");
    assert.equal(capabilities.Amb, "0000000000000000");
    assert.equal(capabilities.Eff, capabilities.Bnd);
    return BigInt(`0x${capabilities.Eff}`);
  };
  const [NET_ADMIN, CHOWN] = [1n << 12n, 1n];
  const own = await bits();
  assert.equal(await bits("--cap-add", "NET_ADMIN"), own | NET_ADMIN);
  assert.equal(await bits("--cap-drop", "chown"), own & ~CHOWN);
  const mask = /^CapBnd:\s+(\w+)/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
  assert.equal(await bits("--privileged"), BigInt(`0x${mask}`));
  assert.equal(await bits(), own);
});

test("exec -u takes names of the container's passwd, with their groups and home", {
  requires: [...requires, "not-vm"],
}, async (t) => {
  await using container = await Container.start(t);
  const alice = parseProbe(await container.output(["-u", "alice"], ["/bin/probe"]));
  assert.deepEqual(alice.uids, [1000, 1000, 1000, 1000]);
  assert.deepEqual(alice.groups.toSorted((a, b) => a - b), [29, 100, 1000]);
  assert.equal(alice.environment["HOME"], "/home/alice");
  assert.equal(alice.capabilities.Eff, "0000000000000000");
  const ids = await container.output(["-u", "5:audio"], ["sh", "-c", "id -u; id -g; id -G"]);
  assert.equal(ids, "5\n29\n29\n");
  const home = ["-u", "alice", "-e", "HOME=/x"];
  assert.equal(await container.output(home, ["sh", "-c", "echo $HOME"]), "/x\n");
  const unknown = await container.exec(["-u", "nobody-here"], ["true"]);
  assert.equal(unknown.code, 125);
  assert.match(unknown.err, /cannot become user "nobody-here"/);
});

test(
  "exec sets variables, from files and the caller too",
  { requires: [...requires, "not-vm"] },
  async (t) => {
    await using container = await Container.start(t, ["-e", "A=1", "-e", "B=2"]);
    const file = `${t.directory}/env`;
    Deno.writeTextFileSync(file, "C=3\n# no\nD=4\n");
    const flags = ["-e", "B=20", "-e", "MINE", "-e", "NONE", "--env-file", file, "-e", "D=40"];
    const words = container.words(flags, ["sh", "-c", "echo $A $B $C $D $MINE ${NONE-unset}"]);
    const { out } = await t.minictr(words, { env: { MINE: "5" } });
    assert.equal(out, "1 20 3 40 5 unset\n");
  },
);

test("exec passes input on with -i only, and exit codes and signals back", {
  requires: [...requires, "not-vm"],
}, async (t) => {
  await using container = await Container.start(t);
  const bytes = Uint8Array.from({ length: 70_000 }, (_, at) => at * 7);
  const copied = await t.minictr(container.words(["-i"], ["cat"]), { stdin: bytes });
  assert.deepEqual(copied.stdout, bytes);
  assert.equal((await t.minictr(container.words([], ["cat"]), { stdin: bytes })).out, "");
  for (const code of [0, 1, 42, 255]) {
    assert.equal((await container.exec([], ["sh", "-c", `exit ${code}`])).code, code);
  }
  assert.equal((await container.exec([], ["sh", "-c", "kill -9 $$"])).code, 137);
  const script = "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.1; done";
  await using program = t.startMinictr(container.words([], ["sh", "-c", script]));
  await program.until("ready");
  program.kill("SIGTERM");
  const { code, out } = await program.ended;
  assert.deepEqual([code, out], [9, "ready\ngot\n"]);
});

test("exec -d returns while the command goes on, which ends with the container", {
  requires,
}, async (t) => {
  await using container = await Container.start(t);
  const pidfile = `${t.directory}/pid`;
  const { code, out } = await container.exec(["-d", "--pidfile", pidfile], ["sleep", "1000"]);
  assert.deepEqual([code, out], [0, ""]);
  const pid = Deno.readTextFileSync(pidfile);
  assert.match(Deno.readTextFileSync(`/proc/${pid}/cmdline`), /^sleep/);
  const open = Array.from(Deno.readDirSync(`/proc/${pid}/fd`), ({ name }) => name).sort();
  assert.deepEqual(open, ["0", "1", "2"]);
  assert.equal(Deno.readLinkSync(`/proc/${pid}/fd/1`), "/dev/null");
  const [, parent] = /^PPid:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
  const rollup = Deno.readTextFileSync(`/proc/${parent}/smaps_rollup`);
  assert.ok(Number(/^Private_Dirty:\s+(\d+)/m.exec(rollup)?.[1]) <= 32);
  assert.equal(Deno.readLinkSync(`/proc/${parent}/ns/mnt`), Deno.readLinkSync("/proc/self/ns/mnt"));
  await container.end();
  assert.throws(() => Deno.readTextFileSync(`/proc/${pid}/cmdline`), Deno.errors.NotFound);
  assert.equal((await container.exec(["-dt"], ["true"])).code, 125);
});

test("exec joins a user namespace of the container's own", {
  // The virtual machine's /tmp cannot be mapped into a user namespace.
  requires: [...requires, "userns", "not-vm"],
}, async (t) => {
  await using container = await Container.start(t, ["--userns", "private"]);
  const user = Deno.readLinkSync(`/proc/${container.pid}/ns/user`);
  assert.notEqual(user, Deno.readLinkSync("/proc/self/ns/user"));
  const script = "readlink /proc/self/ns/user; id -u; cat /proc/self/uid_map";
  const out = await container.output([], ["sh", "-c", script]);
  const [link, id, map] = out.split("\n");
  assert.deepEqual([link, id], [user, "0"]);
  assert.equal(map, Deno.readTextFileSync(`/proc/${container.pid}/uid_map`).trimEnd());
  assert.equal(await container.output(["-u", "alice"], ["id", "-u"]), "1000\n");
  const own = parseProbe((await t.run(["--userns", "private"], ["/bin/probe"])).out);
  const seen = parseProbe(await container.output([], ["/bin/probe"]));
  assert.deepEqual(seen.capabilities, own.capabilities);
});

test("exec joins what the container shares with the host, too", {
  requires: [...requires, "not-vm"],
}, async (t) => {
  await using container = await Container.start(t, ["--pid", "host", "--ipc", "host"]);
  const script = "readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc; hostname";
  const [pid, ipc, hostname] = (await container.output([], ["sh", "-c", script])).split("\n");
  assert.equal(pid, Deno.readLinkSync("/proc/self/ns/pid"));
  assert.equal(ipc, Deno.readLinkSync("/proc/self/ns/ipc"));
  assert.notEqual(hostname, Deno.hostname());
});

test("exec -it gives a terminal of the container's devpts, with the caller's size", {
  requires: [...requires, "command:python3"],
}, async (t) => {
  await using container = await Container.start(t);
  const words = container.programWords(["-it", "--detach-keys", "ctrl-a,d"], ["sh"]);
  await using terminal = t.onTerminal(words, { rows: 31, columns: 101 });
  await terminal.until("# ");
  await terminal.type("tty; stty size; echo $TERM\r");
  await terminal.until(/\/dev\/pts\/\d+\r\n31 101\r\nxterm\r\n/);
  await terminal.type("sleep 100\r");
  await new Promise((resolve) => setTimeout(resolve, 300));
  await terminal.type("\x03");
  await terminal.until(/\^C[^]*# $/);
  await terminal.type("exit 7\r");
  assert.equal((await terminal.ended).code, 7);
});

test("containers are found by name, id and beginning of an id", {
  requires: [...requires, "not-vm"],
}, async (t) => {
  await using container = await Container.start(t);
  const { id = "" } = container.state();
  for (const name of [container.name, id, id.slice(0, 12), id.slice(0, 3)]) {
    assert.equal((await t.minictr(["exec", name, "true"])).code, 0, name);
  }
  for (const name of ["nobody", "", `../${id}`, `${id}x`]) {
    const { code, err } = await t.minictr(["exec", "--", name, "true"]);
    assert.equal(code, 125);
    assert.match(err, /there is no container/);
  }
});

test(
  "exec --explain prints each step and does none",
  { requires: [...requires, "not-vm"] },
  async (t) => {
    await using container = await Container.start(t);
    const text = await container.output(["--explain"], ["touch", "/tmp/x"]);
    assert.match(text, /join the container's namespaces/);
    assert.match(text, /setns\(<the container's first process>, CLONE_NEWNS/);
    const json = JSON.parse(await container.output(["--explain", "--json"], ["true"]));
    assert.ok(json.length > 10);
    assert.notEqual((await container.exec([], ["ls", "/tmp/x"])).code, 0);
  },
);
