/** The commands of networks as a user gives them, on a host of their own. */
import assert from "assert";
import { until } from "./support/background.ts";
import { Host } from "./support/network.ts";
import { type Scratch, test } from "./support/mod.ts";

const requires = [
  "root",
  "command:nft",
  "command:ip",
  "command:python3",
  "command:busybox",
] as const;
const options = { requires, timeoutMs: 120_000 };
/** Of many commands, each of which takes seconds in the virtual machine. */
const many = { ...options, requires: [...requires, "not-vm"] as const };

/** Does what must succeed; returns what it printed. */
async function ok(host: Host, ...args: string[]): Promise<string> {
  const { out, err, code } = await host.minictr(...args);
  assert.equal(code, 0, err);
  return out;
}

/** Starts a container in the background that waits, or runs a command. */
async function started(t: Scratch, host: Host, flags: string[], command = ["sleep", "100"]) {
  return await ok(host, "run", "-d", ...flags, "--rootfs", `${t.rootfs}:O`, ...command);
}

/** What minictr has on the host: the names of links but the host's own, and tables. */
async function made(host: Host): Promise<string> {
  return await host.sh(
    `ip -br link show | cut -d" " -f1 | grep -vE "^(lo|uplink)"; nft list tables`,
  );
}

/** Soon: an interface goes with its namespace, which the kernel clears away when it comes to it. */
async function assertMade(host: Host, expected: string): Promise<void> {
  await until(() => made(host), (there) => there === expected);
}

async function assertNoPair(host: Host): Promise<void> {
  const pairs = () => host.sh("ip -br link show type veth | grep -v uplink; true");
  await until(pairs, (there) => there === "");
}

test("a server in the background is reached as -p says, and leaves nothing", options, async (t) => {
  await using host = await Host.start(t);
  const server = ["sh", "-c", "while :; do nc -l -p 80 -e echo hello; done"];
  await started(t, host, ["--name", "web", "-p", "8080:80", "--hostname", "box"], server);
  assert.equal(await ok(host, "port", "web"), "80/tcp -> 0.0.0.0:8080\n");
  assert.match(await ok(host, "exec", "web", "cat", "/etc/hosts"), /^10\.90\.0\.2\tbox web/m);
  const asked = () => host.neighbour.ask("192.0.2.1", 8080);
  let answer = "";
  for (const end = Date.now() + 20_000; answer !== "hello" && Date.now() < end;) {
    answer = (await asked()).trim(); // Refused, as long as nobody listens.
  }
  assert.equal(answer, "hello");
  await ok(host, "rm", "-f", "web");
  assert.equal(await asked(), "ConnectionRefusedError");
  const nothing = /elements/;
  assert.doesNotMatch(
    await host.sh("nft list map inet $(nft list tables inet | cut -d' ' -f3) ports4"),
    nothing,
  );
  await assertNoPair(host);
});

test(
  "a container gets its network although its supervisor is late to tell of it",
  { ...many, requires: [...many.requires, "command:strace"] },
  async (t) => {
    await using host = await Host.start(t);
    // The child is ready for its network before its parent has come back from clone3.
    const late = "strace -f -o /dev/null -e trace=clone3 -e inject=clone3:delay_exit=300000";
    const run = ["run", "-d", "--name", "late", "--rootfs", `${t.rootfs}:O`];
    const command = ["ip", "-4", "address", "show", "eth0"];
    const { code, err } = await host.minictrBehind(late.split(" "), ...run, ...command);
    assert.equal(code, 0, err);
    assert.match(await ok(host, "logs", "late"), /inet 10\.90\.0\.2\/16/);
    await ok(host, "rm", "late");
  },
);

test("connect and disconnect are kept over stop and start", many, async (t) => {
  await using host = await Host.start(t);
  for (const name of ["front", "back"]) await ok(host, "network", "create", name);
  await started(t, host, ["--name", "web", "--network", "front"]);
  await ok(host, "network", "connect", "--alias", "www", "back", "web");
  await ok(host, "network", "disconnect", "front", "web");
  const networks = async () => {
    const [{ NetworkSettings }] = JSON.parse(await ok(host, "inspect", "web"));
    return Object.keys(NetworkSettings.Networks);
  };
  assert.deepEqual(await networks(), ["back"]);
  await ok(host, "stop", "-t", "0", "web");
  await ok(host, "start", "web");
  assert.deepEqual(await networks(), ["back"]);
  assert.match(await ok(host, "network", "inspect", "back"), /"Name": "web"/);
  // Also of one that does not run.
  await ok(host, "stop", "-t", "0", "web");
  await ok(host, "network", "connect", "front", "web");
  const twice = await host.minictr("network", "connect", "front", "web");
  assert.match(twice.err, /container "web" is on network "front" already/);
  await ok(host, "start", "web");
  assert.deepEqual((await networks()).sort(), ["back", "front"]);
  await ok(host, "rm", "-f", "web");
});

test("a container without a network of its own is connected to none", many, async (t) => {
  await using host = await Host.start(t);
  await ok(host, "network", "create", "front");
  for (const mode of ["none", "host"]) {
    await started(t, host, ["--name", mode, "--network", mode]);
    const { err, code } = await host.minictr("network", "connect", "front", mode);
    assert.equal(code, 125);
    assert.match(err, /cannot connect container ".*": it was made with --network none, host/);
    await ok(host, "rm", "-f", mode);
  }
  await assertNoPair(host);
});

test("the old form gives a container its address on the subnet", many, async (t) => {
  await using host = await Host.start(t);
  const flags = ["--hostname", "mini-1", "--ip", "192.168.1.2", "--subnet", "192.168.1.0/24"];
  const script = "ip -4 address show eth0; hostname; grep mini-1 /etc/hosts";
  const root = ["--rootfs", t.rootfs];
  const seen = await ok(host, "run", "--rm", ...root, ...flags, "/bin/sh", "-c", script);
  assert.match(seen, /inet 192\.168\.1\.2\/24 .*\n(.*\n)*mini-1\n192\.168\.1\.2\tmini-1/);
});

test("run says where a published port is reached, unless it is to be quiet", many, async (t) => {
  await using host = await Host.start(t);
  const words = ["run", "--rm", "-p", "127.0.0.1:8080:80", "--rootfs", t.rootfs, "true"];
  const { err } = await host.minictr(...words);
  assert.match(
    err,
    /^minictr: tcp 8080 leads to ".*" port 80: on 127\.0\.0\.1, from this host alone\n$/,
  );
  const [run = "", ...rest] = words;
  assert.equal((await host.minictr(run, "-q", ...rest)).err, "");
});

test("what cannot be is one clear line, exit 125, and leaves nothing", many, async (t) => {
  await using host = await Host.start(t);
  await ok(host, "network", "create", "-d", "bridge", "--subnet", "10.50.0.0/30", "small");
  await started(t, host, ["--name", "web", "--network", "small", "-p", "8080:80"]);
  const before = await made(host);
  const run = (...flags: string[]) => ["run", "--rm", ...flags, "--rootfs", t.rootfs, "true"];
  const create = (...flags: string[]) => ["network", "create", ...flags];
  const refusals: [string[], RegExp][] = [
    [create("--subnet", "10.50.1.1/24", "x"), /not a subnet: did you mean "10.50.1.0\/24"/],
    [create("--subnet", "10.50.1.0", "x"), /"10.50.1.0" is not a subnet/],
    [create("--subnet", "10.50.1.0/33", "x"), /is not a subnet/],
    [create("--subnet", "10.50.0.0/24", "x"), /overlaps network "small"/],
    [
      create("--subnet", "10.51.0.0/24", "--gateway", "10.52.0.1", "x"),
      /is not in the subnet: 10.51.0.0\/24/,
    ],
    [
      create("--subnet", "10.51.0.0/24", "--gateway", "10.51.0", "x"),
      /gateway "10.51.0": it is not an address/,
    ],
    [create("--subnet", "10.51.0.0/24", "--ip-range", "10.52.0.0/28", "x"), /is not in the subnet/],
    [create("--gateway", "10.51.0.1", "x"), /there is none; give one with --subnet/],
    [create("--opt", "mtu=7", "x"), /mtu/],
    [create("--driver", "macvlan", "x"), /there is no driver "macvlan", only bridge/],
    [create("small"), /there is one of that name/],
    [create("a/b"), /cannot be a network's name/],
    [run("--network", "small"), /no address is free on network "small"/],
    [run("--network", "nowhere"), /no network "nowhere"/],
    [run("--ip", "10.50.0.2", "--network", "small"), /container "web" has it/],
    [run("--ip", "10.60.0.2", "--network", "small"), /its subnet is 10.50.0.0\/30/],
    [run("--ip", "1.2.3"), /"1.2.3"/],
    [run("--ip6", "fd00::2"), /no such subnet/],
    [run("--mac-address", "02:42"), /is not a MAC address/],
    [run("-p", "8080:80"), /cannot publish tcp port 8080: container "web" has it/],
    [run("-p", "9000:80", "-p", "9000:81"), /9000: this container itself has it/],
    [run("-p", "192.0.2.77:9000:80"), /no address of this host/],
    [run("-p", "70000:80"), /"70000" for a port/],
    [run("--network", "none", "-p", "8080:80"), /--publish needs a network/],
    [run("--subnet", "10.70.0.5/24"), /did you mean "10.70.0.0\/24"/],
  ];
  for (const [args, reason] of refusals) {
    const { code, err } = await host.minictr(...args);
    const what = `${args.join(" ")}: ${err}`;
    assert.match(err, reason, what);
    assert.equal(code, 125, what);
    assert.equal(err.trimEnd().split("\n").length, 1, what);
  }
  await assertMade(host, before);
  assert.deepEqual((await ok(host, "ps", "-aq")).trim().split("\n").length, 1);
  await ok(host, "rm", "-f", "web");
});

test("a start that fails while its interfaces are made leaves none", options, async (t) => {
  await using host = await Host.start(t);
  const run = (...flags: string[]) =>
    host.minictr("run", "--rm", ...flags, "--rootfs", t.rootfs, "true");
  assert.equal((await run()).code, 0); // The bridge stays.
  await assertNoPair(host);
  const before = await made(host);
  // Interfaces are made meanwhile, and not before settings of interfaces.
  for (const sysctl of ["net.core.none=1", "net.ipv4.conf.none.forwarding=1"]) {
    const { code, err } = await run("--sysctl", sysctl);
    assert.match(err, /^minictr: cannot set net.* the kernel has no sysctl .*\n$/);
    assert.equal(code, 125);
    await assertMade(host, before);
  }
  const settings = ["--sysctl", "net.ipv6.conf.default.hop_limit=33"];
  const { out } = await host.minictr(
    ...["run", "--rm", ...settings, "--rootfs", t.rootfs],
    ...["cat", "/proc/sys/net/ipv6/conf/eth0/hop_limit"],
  );
  assert.equal(out, "33\n"); // It is there before the interface, which takes it over.
});

test("without CAP_NET_ADMIN a network is refused before anything is made", {
  requires: [...many.requires, "command:setpriv"],
}, async (t) => {
  await using host = await Host.start(t);
  const words = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"];
  const { code, err } = await host.minictrBehind(
    words,
    "run",
    "--rm",
    "--rootfs",
    t.rootfs,
    "true",
  );
  assert.equal(code, 125, err);
  assert.match(
    err,
    /^minictr: .*networks need root with CAP_NET_ADMIN; --network host does not\n$/,
  );
  await assertMade(host, "");
  const without = ["run", "--rm", "--network", "host", "--rootfs", t.rootfs, "true"];
  assert.equal((await host.minictrBehind(words, ...without)).code, 0);
});

test("events tell of networks and of who is on them", many, async (t) => {
  await using host = await Host.start(t);
  await ok(host, "network", "create", "front");
  const id = (await started(t, host, ["--name", "web", "--network", "front"])).trim();
  await ok(host, "network", "connect", "bridge", "web");
  await ok(host, "network", "disconnect", "front", "web");
  await ok(host, "rm", "-f", "web");
  await ok(host, "run", "--rm", "--network", "front", "--rootfs", t.rootfs, "true");
  await ok(host, "network", "rm", "front");
  const all = ["events", "--since", "1h", "--until", "0s"];
  const format = ["--format", "{{.Action}} {{.Actor.ID}}"];
  assert.equal(
    await ok(host, ...all, "--filter", "type=network", ...format),
    "create front\nconnect front\nconnect bridge\ndisconnect front\ndisconnect bridge\n" +
      "connect front\ndisconnect front\ndestroy front\n",
  );
  const [line = ""] =
    (await ok(host, ...all, "--filter", "network=front", "--filter", "event=connect")).split("\n");
  assert.match(
    line,
    new RegExp(` network connect front \\(container=${id}, name=front, type=bridge\\)$`),
  );
  const order = await ok(host, ...all, "--format", "{{.Type}} {{.Action}}");
  assert.match(order, /^network create\ncontainer create\nnetwork connect\ncontainer start\n/);
});
