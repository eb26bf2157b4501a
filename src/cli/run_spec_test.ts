import assert from "assert";
import type { Mount } from "../spec/mod.ts";
import { ID, made, spec } from "../../tests/support/run_spec.ts";

const types = (namespaces: { type: string }[]) => namespaces.map(({ type }) => type);
const at = (mounts: Mount[], path: string) => mounts.find((m) => m.destination === path);

Deno.test("run without flags makes docker's default container", async () => {
  const { spec: { process, linux, root, hostname }, user, seccomp, engine } = await made(["sh"]);
  assert.deepEqual(process.args, ["sh"]);
  assert.deepEqual(process.env, [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOSTNAME=0123456789ab",
  ]);
  assert.equal(process.capabilities?.bounding?.length, 14);
  assert.deepEqual(types(linux.namespaces), ["mount", "network", "uts", "pid", "ipc", "cgroup"]);
  assert.equal(linux.cgroupsPath, `/minictr/${ID}`);
  assert.equal(linux.sysctl["net.ipv4.ping_group_range"], "0 2147483647");
  assert.deepEqual([root?.path, hostname, user, seccomp], ["/root", "0123456789ab", {}, "default"]);
  assert.deepEqual([engine.stopSignal, engine.stopTimeoutMs, engine.remove], [15, 10_000, false]);
});

Deno.test("two runs share no object that the first could change for the second", async () => {
  const first = await made(["--memory", "1m", "sh"]);
  first.spec.linux.maskedPaths?.splice(0);
  first.spec.process.capabilities?.bounding?.push("CAP_SYS_ADMIN");
  first.spec.process.env.push("SECRET=1");
  const second = await made(["sh"]);
  assert.equal(second.spec.linux.resources.memory, undefined);
  assert.notEqual(second.spec.linux.maskedPaths?.length, 0);
  assert.equal(second.spec.process.capabilities?.bounding?.includes("CAP_SYS_ADMIN"), false);
  assert.equal(second.spec.process.env.includes("SECRET=1"), false);
});

Deno.test("no flag makes a capability inheritable or ambient", async () => {
  for (const flags of [["--privileged"], ["--cap-add", "ALL"], []]) {
    const { process: { capabilities } } = await spec(...flags);
    assert.deepEqual([capabilities?.inheritable, capabilities?.ambient], [undefined, undefined]);
  }
});

Deno.test("env: files before flags, the last one counts, a bare name imports or unsets", async () => {
  const { process } = await spec(
    ...["-e", "A=1", "-e", "HOME", "--env-file", "f", "-e", "A=", "-e", "B=2", "-e", "B"],
    ...["-e", "EMPTY", "-t"],
  );
  assert.deepEqual(process.env.slice(1), [
    "HOSTNAME=0123456789ab",
    "TERM=xterm",
    "FROM=f",
    "HOME=/home/u",
    "A=",
    "EMPTY=",
  ]);
});

Deno.test("an entry point from the command line leaves out the image's command", async () => {
  const image = { entrypoint: ["/entry"], cmd: ["serve"], env: ["PATH=/bin"], user: "1000" };
  const args = async (...argv: string[]) => (await made(argv, { image })).spec.process.args;
  assert.deepEqual(await args(), ["/entry", "serve"]);
  assert.deepEqual(await args("x"), ["/entry", "x"]);
  assert.deepEqual(await args("--entrypoint", "/other"), ["/other"]);
  assert.deepEqual(await args("--entrypoint", "", "x"), ["x"]);
  const { spec, user } = await made([], { image });
  assert.equal(spec.process.env[0], "PATH=/bin");
  assert.deepEqual([spec.process.user.uid, user], [1000, { user: 1000 }]);
});

Deno.test("numbers go into the spec as ids, names are left for the root filesystem", async () => {
  const found = await made(["-u", "7:staff", "--group-add", "wheel", "--group-add", "9", "sh"]);
  assert.deepEqual(found.user, { user: 7, group: "staff" });
  assert.deepEqual(found.groups, ["wheel"]);
  assert.deepEqual(found.spec.process.user, { uid: 7, gid: 0, umask: 0o022, additionalGids: [9] });
});

Deno.test("process limits replace the default of the same kind", async () => {
  const { process } = await spec(
    ...["--ulimit", "nofile=10:20", "--ulimit", "core=-1", "--umask", "077"],
    ...["--oom-score-adj", "-500", "-w", "/tmp"],
  );
  assert.deepEqual(process.rlimits, [
    { type: "RLIMIT_NOFILE", soft: 10, hard: 20 },
    { type: "RLIMIT_CORE", soft: 2n ** 64n - 1n, hard: 2n ** 64n - 1n },
  ]);
  assert.deepEqual([process.user.umask, process.oomScoreAdj, process.cwd], [0o077, -500, "/tmp"]);
});

Deno.test("capabilities: ALL is the whole, names are exceptions", async () => {
  const caps = async (...argv: string[]) =>
    (await spec(...argv)).process.capabilities?.bounding ?? [];
  assert.deepEqual(await caps("--cap-drop", "all"), []);
  assert.deepEqual(await caps("--cap-drop", "ALL", "--cap-add", "net_raw"), ["CAP_NET_RAW"]);
  assert.equal((await caps("--cap-add", "ALL")).length, 41);
  assert.equal((await caps("--cap-add=ALL", "--cap-drop=CAP_SYS_ADMIN")).length, 40);
  assert.equal((await caps("--cap-drop", "Chown")).length, 13);
  assert.equal((await caps("--cap-add", "SYS_PTRACE")).length, 15);
});

Deno.test("--privileged lifts masks, seccomp and read-only mounts, and adds devices", async () => {
  const { spec, seccomp } = await made(["--privileged", "sh"]);
  assert.equal(seccomp, "unconfined");
  assert.deepEqual([spec.linux.maskedPaths, spec.linux.readonlyPaths], [[], []]);
  assert.equal(at(spec.mounts, "/sys")?.options?.includes("ro"), false);
  assert.equal(at(spec.mounts, "/sys/fs/cgroup")?.options?.includes("ro"), false);
  assert.deepEqual(spec.linux.devices.map(({ path }) => path), [
    "/dev/sda",
    "/dev/fuse",
    "/dev/snd/seq",
    "/dev/snd/timer",
  ]);
});

Deno.test("security options", async () => {
  const option = async (text: string) => await made(["--security-opt", text, "sh"]);
  assert.equal((await option("no-new-privileges")).spec.process.noNewPrivileges, true);
  assert.equal((await option("no-new-privileges:true")).spec.process.noNewPrivileges, true);
  assert.equal((await option("no-new-privileges=false")).spec.process.noNewPrivileges, false);
  assert.equal((await option("seccomp=unconfined")).seccomp, "unconfined");
  assert.equal((await option("seccomp=default")).seccomp, "default");
  assert.deepEqual((await option("seccomp=./p.json")).seccomp, { path: "./p.json" });
  assert.deepEqual((await option("systempaths=unconfined")).spec.linux.maskedPaths, []);
  assert.equal((await option("apparmor=x")).spec.process.apparmorProfile, "x");
  assert.equal((await option("apparmor=unconfined")).spec.process.apparmorProfile, undefined);
  assert((await option("mask=/a:/b")).spec.linux.maskedPaths?.includes("/b"));
  assert(!(await option("unmask=/proc/acpi")).spec.linux.maskedPaths?.includes("/proc/acpi"));
});

Deno.test("namespaces are shared, joined or new", async () => {
  const { linux } = await spec(
    ...["--pid", "host", "--ipc", "container:web", "--network", "ns:/run/netns/x"],
    ...["--cgroupns", "host", "--uts", "private"],
  );
  assert.deepEqual(linux.namespaces, [
    { type: "mount" },
    { type: "uts" },
    { type: "ipc", path: "/proc/42/ns/ipc" },
    { type: "network", path: "/run/netns/x" },
  ]);
});

Deno.test("sysctls of the network are set only where the network is new", async () => {
  assert.deepEqual((await spec("--network", "host")).linux.sysctl, {});
  assert.deepEqual((await spec("--network", "container:web")).linux.sysctl, {});
  const none = await spec("--network", "none", "--sysctl", "net.ipv4.ping_group_range=1 0");
  assert.equal(none.linux.sysctl["net.ipv4.ping_group_range"], "1 0");
});

Deno.test("--network host takes the host's name, unless --hostname says otherwise", async () => {
  assert.equal((await spec("--network", "host")).hostname, "host");
  assert.equal((await spec("--net=host", "-h", "box")).hostname, "box");
});

Deno.test("--uts host leaves the host's name alone", async () => {
  const found = await spec("--uts", "host");
  assert.equal(found.hostname, undefined);
  assert(!found.process.env.some((variable) => variable.startsWith("HOSTNAME=")));
});

Deno.test("--ipc brings /dev/shm and message queues along", async () => {
  const host = await spec("--ipc", "host");
  assert.equal(at(host.mounts, "/dev/shm")?.source, "/dev/shm");
  assert.equal(at(host.mounts, "/dev/mqueue")?.type, "bind");
  assert.equal(at((await spec("--ipc=container:web")).mounts, "/dev/shm")?.source, "/shm");
  assert.equal(at((await spec("--ipc=none")).mounts, "/dev/shm"), undefined);
});

Deno.test("a user namespace has maps, and a devpts that they allow", async () => {
  const { linux, mounts } = await spec("--uidmap", "0:1000:1");
  assert.deepEqual(linux.gidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
  assert.equal(at(mounts, "/dev/pts")?.options?.includes("gid=5"), false);
  assert.equal(linux.sysctl["net.ipv4.ping_group_range"], undefined);
  const maps = [{ containerID: 0, hostID: 100000, size: 65536 }];
  const argv = ["--userns", "private", "sh"];
  const wide = (await made(argv, { idMaps: { uid: maps, gid: maps } })).spec;
  assert.deepEqual(wide.linux.uidMappings, maps);
  assert.equal(at(wide.mounts, "/dev/pts")?.options?.includes("gid=5"), true);
});

Deno.test("mounts replace a default one, and lie behind those that they are in", async () => {
  const { mounts } = await spec("-v", "./a:/m/n", "-v", "/b:/m:ro", "--tmpfs", "/dev/shm:size=1m");
  assert.deepEqual(mounts.slice(-3), [
    { destination: "/m", type: "bind", source: "/b", options: ["rbind", "rprivate", "ro"] },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "tmpfs",
      options: ["noexec", "nosuid", "nodev", "size=1m"],
    },
    { destination: "/m/n", type: "bind", source: "/home/u/a", options: ["rbind", "rprivate"] },
  ]);
  assert.equal(mounts.filter(({ destination }) => destination === "/dev/shm").length, 1);
});

Deno.test("a mount on /dev leaves nothing of the default /dev behind it", async () => {
  const { mounts } = await spec("-v", "/dev:/dev");
  const below = mounts.filter(({ destination }) => destination.startsWith("/dev"));
  assert.deepEqual(below.map(({ source }) => source), ["/dev"]);
});

Deno.test("named volumes are host directories that the engine knows", async () => {
  const volume = (name = "new") =>
    Promise.resolve({ name, type: "bind", source: `/volumes/${name}`, options: [] });
  const { spec, engine } = await made(["-v", "db:/db:nocopy", "-v", "/x", "sh"], { volume });
  assert.equal(at(spec.mounts, "/db")?.source, "/volumes/db");
  assert.equal(at(spec.mounts, "/x")?.source, "/volumes/new");
  assert.deepEqual(engine.volumes, [
    { name: "db", destination: "/db", anonymous: false, copy: false },
    { name: "new", destination: "/x", anonymous: true, copy: true },
  ]);
});

Deno.test("-v asks for missing sources to be made, --mount does not", async () => {
  const mount = "type=bind,src=/n,dst=/m";
  const { engine } = await made(["-v", "./a:/a", "--mount", mount, "sh"]);
  assert.deepEqual(engine.createSources, ["/home/u/a"]);
});

Deno.test("--device adds a node and a rule for each device of a directory", async () => {
  const { linux } = await spec("--device", "/dev/snd:/dev/audio:r", "--device", "/dev/fuse");
  assert.deepEqual(linux.devices.map(({ path, minor }) => [path, minor]), [
    ["/dev/audio/seq", 1],
    ["/dev/audio/timer", 33],
    ["/dev/fuse", 229],
  ]);
  const rules = linux.resources.devices?.slice(-3).map(({ minor, access }) => [minor, access]);
  assert.deepEqual(rules, [[1, "r"], [33, "r"], [229, "rwm"]]);
});

Deno.test("limits become linux.resources", async () => {
  const { linux } = await spec(
    ...["-m", "64m", "--memory-reservation", "32m", "--cpus", "0.25", "--pids-limit", "20"],
    ...["--cpuset-cpus", "0-1,3", "--cpu-shares", "512", "--blkio-weight", "300"],
    ...["--device-read-bps", "/dev/sda:1mb", "--cgroup-conf", "memory.high=1", "--shm-size=1k"],
    ...["--cgroup-parent", "lab"],
  );
  const { devices: _, ...resources } = linux.resources;
  assert.deepEqual(resources, {
    memory: { limit: 2 ** 26, reservation: 2 ** 25, swap: 2 ** 27 },
    cpu: { shares: 512, period: 100_000, quota: 25_000, cpus: "0-1,3" },
    pids: { limit: 20 },
    blockIO: { weight: 300, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 2 ** 20 }] },
    unified: { "memory.high": "1" },
  });
  assert.equal(linux.cgroupsPath, `/lab/${ID}`);
});

Deno.test("swap: as much as memory, what is said, or unlimited", async () => {
  const swap = async (...argv: string[]) => (await spec(...argv)).linux.resources.memory?.swap;
  assert.equal(await swap("-m", "10m"), 20 * 2 ** 20);
  assert.equal(await swap("-m", "10m", "--memory-swap", "10m"), 10 * 2 ** 20);
  assert.equal(await swap("-m", "10m", "--memory-swap", "-1"), -1);
  assert.equal(await swap("-m", "10m", "--memory-swap", "0"), 20 * 2 ** 20);
  const { spec: { linux } } = await made(["-m", "1m", "sh"], { swapAccounting: false });
  assert.deepEqual(linux.resources.memory, { limit: 2 ** 20 });
});

Deno.test("what the engine needs to know is beside the spec", async () => {
  const { engine, spec } = await made([
    ...["-it", "--rm", "--name", "web", "-l", "a=1", "-l", "b", "--label-file", "f"],
    ...["--stop-signal", "SIGQUIT", "--stop-timeout", "3", "--timeout", "1m", "-p", "80:80/udp"],
    ...["--annotation", "k=v", "--cidfile", "c", "--network", "none", "--init", "sh"],
  ]);
  assert.deepEqual(engine.labels, { FROM: "f", HOME: "", MISSING: "", a: "1", b: "" });
  assert.deepEqual([engine.name, engine.stopSignal, engine.stopTimeoutMs], ["web", 3, 3000]);
  assert.deepEqual([engine.timeoutMs, engine.cidfile, engine.init], [60_000, "c", true]);
  assert.deepEqual([engine.publish, engine.network], [["80:80/udp"], ["none"]]);
  assert.deepEqual(spec.annotations, { k: "v" });
  assert.equal(spec.process.terminal, true);
});
