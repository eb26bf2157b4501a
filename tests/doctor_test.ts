import assert from "assert";
import { doctorHere, doctorIn } from "./support/doctor.ts";
import { minictrCommand, patient, test } from "./support/mod.ts";

const root = ["root"] as const;

test("doctor finds each namespace that unshare can make", { requires: root }, async (t) => {
  const { checks } = await doctorHere(t);
  for (const type of ["mount", "pid", "uts", "ipc", "net", "cgroup", "user", "time"]) {
    await using judge = t.start([
      "unshare",
      `--${type}`,
      ...type === "pid" ? ["--fork"] : [],
      "true",
    ]);
    const { code } = await judge.ended;
    const check = checks.get(`namespace-${type === "net" ? "network" : type}`);
    assert.equal(check?.status === "ok", code === 0, `${type}: ${check?.found}`);
  }
});

test("doctor's capabilities are those of /proc", { requires: root }, async (t) => {
  const { checks } = await doctorHere(t);
  const mask = BigInt(
    `0x${/^CapEff:\s+(\w+)/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1]}`,
  );
  const bits = { "sys-admin": 21n, "net-admin": 12n, "sys-resource": 24n, "mknod": 27n };
  for (const [name, bit] of Object.entries(bits)) {
    const has = (mask >> bit & 1n) === 1n;
    assert.equal(checks.get(`capability-${name}`)?.status, has ? "ok" : "warn", name);
  }
});

test("doctor misses a capability that was taken away, and with it what needs it", {
  requires: [...root, "command:setpriv"],
}, async (t) => {
  const words = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"];
  const { checks, code } = await doctorIn(t, words);
  assert.equal(checks.get("capability-net-admin")?.status, "warn");
  assert.match(checks.get("bridge")?.found ?? "", /EPERM/);
  assert.equal(checks.get("capability-setuid")?.status, "ok");
  assert.equal(checks.get("namespace-uts")?.status, "ok", `${code}`);
});

test("doctor exits 1 without CAP_SYS_ADMIN, and says that no namespace can be made", {
  requires: [...root, "command:setpriv"],
}, async (t) => {
  const words = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];
  const { checks, code } = await doctorIn(t, words);
  assert.equal(code, 1);
  assert.equal(checks.get("capability-sys-admin")?.status, "fail");
  assert.equal(checks.get("namespace-mount")?.status, "fail");
  assert.match(checks.get("namespace-mount")?.found ?? "", /clone3.*EPERM/);
});

test(
  "doctor names the file that limits a namespace",
  { requires: [...root, "userns"] },
  async (t) => {
    const script = 'echo 0 > /proc/sys/user/max_uts_namespaces && exec "$@"';
    const { checks, code } = await doctorIn(t, ["unshare", "--user", "--map-root-user"], script);
    assert.equal(code, 1);
    const check = checks.get("namespace-uts");
    assert.equal(check?.status, "fail");
    assert.match(check?.found ?? "", /ENOSPC/);
    assert.match(check?.remedy ?? "", /> \/proc\/sys\/user\/max_uts_namespaces/);
    assert.equal(checks.get("initial-user-namespace")?.status, "warn");
  },
);

test("doctor works where memory files may not be executed", {
  requires: [...root, "file:/proc/sys/vm/memfd_noexec"],
}, async (t) => {
  const words = ["unshare", "--pid", "--fork", "--mount-proc"];
  const { checks } = await doctorIn(t, words, 'echo 2 > /proc/sys/vm/memfd_noexec && exec "$@"');
  assert.equal(checks.get("memfd-exec")?.status, "warn");
  assert.equal(checks.get("clone3")?.status, "ok");
  assert.equal(checks.get("namespace-uts")?.status, "ok");
});

test("doctor calls overlayfs usable where mount(8) can mount one", {
  requires: [...root, "overlay-on-tmp"],
}, async (t) => {
  const { checks } = await doctorHere(t);
  assert.equal(checks.get("overlay")?.status, "ok", checks.get("overlay")?.found);
});

test("doctor refuses a data root on which no overlay can be mounted", {
  requires: [...root, "overlay-on-tmp"],
}, async (t) => {
  const script = 'cd "$0" && mkdir data l u w && ' +
    "mount -t overlay -o lowerdir=l,upperdir=u,workdir=w overlay data && " +
    'export MINICTR_ROOT="$0/data" && exec "$@"';
  const words = ["unshare", "--mount"];
  const { checks, code } = await doctorIn(t, words, script.replaceAll("$0", t.directory));
  assert.equal(code, 1);
  assert.equal(checks.get("overlay")?.status, "fail");
  assert.match(checks.get("overlay")?.found ?? "", /overlay/);
  assert.match(checks.get("data-root")?.found ?? "", /on overlay/);
});

test("doctor makes a bridge, a veth pair and a table where ip and nft can", {
  requires: [...root, "command:ip", "command:nft"],
}, async (t) => {
  const { checks } = await doctorHere(t);
  const judges = {
    "bridge": "ip link add name doctor0 type bridge",
    "veth": "ip link add name doctor1 type veth peer name doctor2",
    "nf-tables": "nft 'add table inet t; " +
      "add chain inet t c { type nat hook postrouting priority 100; }'",
  };
  for (const [id, script] of Object.entries(judges)) {
    await using judge = t.start(["unshare", "--net", "sh", "-c", script]);
    const { code, err } = await judge.ended;
    assert.equal(checks.get(id)?.status === "ok", code === 0, `${checks.get(id)?.found} ${err}`);
  }
});

test("doctor sees that forwarded packets are dropped, and by which chain", {
  requires: [...root, "command:nft"],
}, async (t) => {
  const script = "nft add table ip filter && nft 'add chain ip filter FORWARD " +
    '{ type filter hook forward priority 0; policy drop; }\' && exec "$@"';
  const { checks } = await doctorIn(t, ["unshare", "--net"], script);
  const { status, found = "", remedy = "" } = checks.get("forward-policy") ?? {};
  assert.equal(status, "warn", found);
  assert.match(found, /"ip filter FORWARD"/);
  assert.match(remedy, /^nft insert rule ip filter FORWARD iifname \S+ accept/);
  const accepting = await doctorIn(t, ["unshare", "--net"], script.replace("drop;", "accept;"));
  assert.equal(accepting.checks.get("forward-policy")?.status, "ok");
});

test("doctor without root says what it could not try, and exits 1", {
  requires: [...root, "command:setpriv"],
}, async (t) => {
  const readAnything = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...readAnything];
  const directory = `${t.directory}/tmp`;
  Deno.mkdirSync(directory);
  Deno.chmodSync(directory, 0o777);
  const { checks, code } = await doctorIn(t, nobody, `TMPDIR=${directory} exec "$@"`);
  assert.equal(code, 1);
  assert.equal(checks.get("root")?.status, "fail");
  assert.match(checks.get("overlay")?.found ?? "", /^not tried: this needs root$/);
  assert.equal(checks.get("openat2")?.status, "ok");
  assert.deepEqual([...Deno.readDirSync(directory)], []);
});

test("doctor leaves nothing behind", { requires: root }, async (t) => {
  const look = async () => {
    const script = "(nft list tables; ls /sys/class/net; ls -a /run /var/lib /tmp; " +
      "cat /proc/self/mountinfo; find /sys/fs/cgroup -type d) 2>/dev/null | grep doctor | " +
      `grep -v ${t.name}; ls -aR ${t.directory}`;
    await using program = t.start(["sh", "-c", script]);
    return (await program.ended).out;
  };
  const before = await look();
  const { checks } = await doctorIn(t, ["env"]);
  assert.ok(checks.size > 50);
  assert.equal(await look(), before);
});

test("doctor that is interrupted leaves nothing behind", { requires: root }, async (t) => {
  for (const ms of [0, patient(40)]) {
    await using doctor = t.start([...minictrCommand(), "doctor"], {
      env: { MINICTR_ROOT: t.root },
    });
    while (doctor.out === "" && Array.from(Deno.readDirSync(t.directory)).length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await new Promise((resolve) => setTimeout(resolve, ms));
    doctor.kill("SIGINT");
    const { code, err } = await doctor.ended;
    assert.ok([0, 1, 130].includes(code), `${code} ${err}`);
    assert.deepEqual([...Deno.readDirSync(t.directory)], []);
    const found = await t.start(["find", "/sys/fs/cgroup", "-name", "*minictr-doctor*"]).ended;
    assert.equal(found.out, "");
  }
});

test("doctor exits 1 exactly when a check fails, and prints what JSON has", {
  requires: root,
}, async (t) => {
  const { checks, code } = await doctorHere(t);
  assert.equal(code, [...checks.values()].some(({ status }) => status === "fail") ? 1 : 0);
  for (const { id, status, remedy, consequence } of checks.values()) {
    assert.equal(remedy === "", status === "ok" || status === "skip", id);
    assert.notEqual(consequence, "", id);
  }
  const text = await t.minictr(["doctor"], { env: { MINICTR_ROOT: t.root, LC_ALL: "C.UTF-8" } });
  assert.equal(text.code, code);
  assert.equal(text.out.match(/^ {2}[✔!✘-] /gm)?.length, checks.size);
  assert.match(text.out, /: minictr can(not)? run containers here\n$/);
});

test("doctor prints ASCII where the locale has no more", {}, async (t) => {
  const { out } = await t.minictr(["doctor"], { env: { LC_ALL: "C", MINICTR_ROOT: t.root } });
  assert.match(out, /^[\n -~]+$/);
  assert.match(out, /^ {2}\+ /m);
});

test("doctor's command line: --help, and 125 for what it does not know", {}, async (t) => {
  const help = await t.minictr(["doctor", "--help"]);
  assert.equal(help.code, 0);
  assert.match(help.out, /--json/);
  assert.equal((await t.minictr(["doctor", "--jsn"])).code, 125);
  assert.equal((await t.minictr(["doctor", "me"])).code, 125);
});
