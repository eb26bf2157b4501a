import assert from "assert";
import { Container, IN_VM, test } from "./support/mod.ts";

const requires = ["root", "command:busybox"] as const;

test("exec -u never takes digits for a name, nor an id that is out of range for another", {
  requires: [...requires, "not-vm"],
}, async (t) => {
  const rootfs = await t.ownRootfs();
  const passwd = `${rootfs}/etc/passwd`;
  Deno.writeTextFileSync(passwd, "1000:x:0:0::/root:/bin/sh\n", { append: true });
  await using container = await Container.start(t, ["--rootfs", rootfs]);
  const id = ["sh", "-c", "id -u; id -g"];
  assert.equal(await container.output(["-u", "1000"], id), "1000\n1000\n");
  assert.equal(await container.output(["-u", "1"], id), "1\n0\n");
  assert.equal(await container.output(["-u", ":1"], id), "0\n1\n");
  for (const user of ["4294967295", "4294967296", "-1", "+1", "1:2:3", "1.5"]) {
    const { code, out } = await container.exec([`--user=${user}`], id);
    assert.equal(code, 125, user);
    assert.equal(out, "");
  }
});

test("exec -w enters a directory of the container, and nothing outside of it", {
  requires: [...requires, "not-vm"],
}, async (t) => {
  const rootfs = await t.ownRootfs();
  Deno.symlinkSync("/proc/self/fd/8", `${rootfs}/cwd`);
  await using container = await Container.start(t, ["--rootfs", rootfs]);
  assert.equal(await container.output(["-w", "/home/alice"], ["pwd"]), "/home/alice\n");
  const missing = await container.exec(["-w", "/nowhere"], ["pwd"]);
  assert.equal(missing.code, 127);
  assert.match(missing.err, /"\/nowhere" does not exist in the container/);
  assert.equal((await container.exec(["-w", "tmp"], ["pwd"])).code, 125);
  const numbers = IN_VM ? [3, 4, 5, 6, 7] : [3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  for (const cwd of ["/cwd", ...numbers.map((n) => `/proc/self/fd/${n}`)]) {
    const { code, out } = await container.exec(["-w", cwd], ["sh", "-c", "pwd; ls /"]);
    // What one of them may be is the container's own root.
    if (code === 0) assert.match(out, /^\/\nbin\n/, cwd);
    else assert.equal(out, "", cwd);
  }
});

test("nothing but the standard streams is open in what exec starts", { requires }, async (t) => {
  await using container = await Container.start(t);
  const shell = ["sh", "-c", "echo /proc/self/fd/*; readlink /proc/$$/exe"];
  const script = 'exec 7</etc/passwd 9</ 8>"$0/x"; exec "$@"';
  const caller = ["sh", "-c", script, t.directory, ...container.programWords([], shell)];
  const { out } = await t.start(caller).ended;
  assert.equal(
    out,
    "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n/bin/busybox\n",
  );
});

test("who watches in the container sees neither minictr nor a descriptor of the host's", {
  requires,
}, async (t) => {
  // /proc/PID/exe and /proc/PID/fd of all others, as often as possible, and attempts to write.
  const watch = `while [ ! -e /tmp/stop ]; do
    for process in /proc/[0-9]*; do
      [ $process = /proc/$$ ] && continue
      readlink $process/exe
      (echo broken >$process/exe) 2>/dev/null && echo written
      for fd in $process/fd/*; do readlink $fd; done
    done
  done >/tmp/seen 2>/dev/null; exec cat`;
  await using container = await Container.start(t, ["--tmpfs", "/tmp"], watch);
  for (let round = 0; round < (IN_VM ? 3 : 10); round++) await container.exec([], ["true"]);
  const script = "touch /tmp/stop; sleep 0.5; sort -u /tmp/seen";
  const seen = (await container.output([], ["sh", "-c", script])).trim().split("\n");
  const foreign = seen.filter((target) =>
    /deno|minictr|written|pidfd|cgroup|anon_inode/.test(target.replaceAll(t.directory, ""))
  );
  assert.deepEqual(foreign.filter((target) => !/^\/memfd:/.test(target)), []);
});

test("a command that is a link back to its starter does not lead to minictr", {
  requires: [...requires, "not-vm"],
}, async (t) => {
  const rootfs = await t.ownRootfs();
  Deno.writeTextFileSync(`${rootfs}/bin/trap`, "#!/proc/self/exe\n");
  Deno.chmodSync(`${rootfs}/bin/trap`, 0o755);
  await using container = await Container.start(t, ["--rootfs", rootfs]);
  for (const command of ["/bin/trap", "/proc/self/exe"]) {
    const { code, out } = await container.exec([], [command]);
    assert.notEqual(code, 0);
    assert.equal(out, "");
  }
});

test("exec tells 126 and 127 with the reason", { requires: [...requires, "not-vm"] }, async (t) => {
  await using container = await Container.start(t);
  const missing = await container.exec([], ["nowhere-at-all"]);
  assert.equal(missing.code, 127);
  assert.match(missing.err, /"nowhere-at-all": executable file not found in \$PATH/);
  const noPath = await container.exec([], ["/bin/nowhere"]);
  assert.equal(noPath.code, 127);
  assert.match(noPath.err, /no such file or directory/);
  const denied = await container.exec([], ["/etc/passwd"]);
  assert.equal(denied.code, 126);
  assert.match(denied.err, /permission denied/);
  assert.equal((await container.exec([], ["/etc"])).code, 126);
  assert.equal((await t.minictr(["exec", container.name])).code, 125);
});

test("a command in the foreground ends when minictr is killed", { requires }, async (t) => {
  await using container = await Container.start(t);
  await using program = t.startMinictr(
    container.words([], ["sh", "-c", "echo ready; exec sleep 1000"]),
  );
  await program.until("ready");
  program.kill("SIGKILL");
  await program.ended;
  // What remains until the host's init has reaped it is a zombie.
  const alive = "sleep 0.2; cat /proc/[0-9]*/stat | grep -c '(sleep) [^Z]'";
  assert.equal((await container.exec([], ["sh", "-c", alive])).out, "0\n");
});

test("exec ends with 137 when its container ends, and fails at once afterwards", {
  requires,
}, async (t) => {
  await using container = await Container.start(t);
  await using program = t.startMinictr(
    container.words([], ["sh", "-c", "echo ready; exec sleep 1000"]),
  );
  await program.until("ready");
  await container.end();
  assert.equal((await program.ended).code, 137);
  const { code, err } = await container.exec([], ["true"]);
  assert.equal(code, 125);
  assert.match(err, /there is no container/);
});

test("exec into a container whose first process was killed says that it has ended", {
  requires,
}, async (t) => {
  await using container = await Container.start(t);
  const { pid, id } = container.state();
  // Its minictr is stopped, so that the end is not noticed.
  const parent = Number(/^PPid:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]);
  Deno.kill(parent, "SIGSTOP");
  Deno.kill(pid ?? 0, "SIGKILL");
  const { code, err } = await container.exec([], ["true"]);
  Deno.kill(parent, "SIGCONT");
  assert.equal(code, 125);
  assert.match(err, /does not run: it has ended/, id);
});

test("exec into a paused container fails at once and says so", { requires }, async (t) => {
  await using container = await Container.start(t);
  const { cgroup } = container.state();
  const v1 = `/sys/fs/cgroup/freezer${cgroup}/freezer.state`;
  const isV1 = await Deno.stat(v1).then(() => true, () => false);
  const [file, frozen, thawed] = isV1
    ? [v1, "FROZEN", "THAWED"] as const
    : [`/sys/fs/cgroup${cgroup}/cgroup.freeze`, "1", "0"] as const;
  Deno.writeTextFileSync(file, frozen);
  const { code, err } = await container.exec([], ["true"]);
  Deno.writeTextFileSync(file, thawed);
  assert.equal(code, 125);
  assert.match(err, /is paused/);
  assert.equal((await container.exec([], ["true"])).code, 0);
});

test("exec at the container's limit of processes fails and says so", {
  requires: [...requires, "controller:pids"],
}, async (t) => {
  await using container = await Container.start(t, ["--pids-limit", "1"]);
  const { code, err } = await container.exec([], ["true"]);
  assert.equal(code, 125);
  assert.match(err, /pids limit/);
});

test("a hundred commands in a row leave nothing behind", {
  requires: [...requires, "not-vm", "time"],
  timeoutMs: 240_000,
}, async (t) => {
  await using container = await Container.start(t);
  const tasks = () => Deno.readTextFileSync(`/proc/${container.pid}/status`);
  const before = [...Deno.readDirSync(`${t.root}/run`)].length;
  for (let round = 0; round < 25; round++) {
    const codes = await Promise.all(
      [1, 2, 3, 4].map((code) => container.exec([], ["sh", "-c", `exit ${code}`])),
    );
    assert.deepEqual(codes.map(({ code }) => code), [1, 2, 3, 4]);
  }
  assert.match(tasks(), /^Threads:\s+1$/m);
  assert.equal([...Deno.readDirSync(`${t.root}/run`)].length, before);
  const left = await container.output([], ["sh", "-c", "echo /proc/[0-9]*"]);
  assert.equal(left.trim().split(" ").length, 2);
});
