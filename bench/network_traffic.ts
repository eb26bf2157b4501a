/**
 * Bytes and requests through a bridge and a published port, against a plain veth pair. Three more ways
 * tell what the kernel's own parts cost by themselves: a rule that translates the destination, a
 * bridge, and both. The client is on the host, which is a network
 * namespace of its own for each engine.
 *
 * What else the machine does changes within a second by more than what is compared. So one client
 * holds connections by all ways, and goes through them again and again in another order each time,
 * for a tenth of a second each.
 */
import type { NetworkBench } from "./network.ts";
import { minictr, output } from "./network_many.ts";
import { median } from "./pairs.ts";

/** A round takes three times this for each way. */
const SLICE_S = 0.1;
const HOST = "10.200.0.1", PEER = "10.200.0.2";
/** On the host, and where it leads to. */
const PUBLISHED = { bulk: 6000, request: 6001 };
const BULK_PORT = 7001, REQUEST_PORT = 7000;
/** Processors of client and server: each stays on its own. */
const CLIENT_CPU = ["taskset", "-c", "0"], SERVER_CPU = ["taskset", "-c", "1"];

/**
 * Where br_netfilter is in the kernel, frames on a bridge pass the rules for IP as well: not so on
 * most hosts.
 */
const WITHOUT_FILTER =
  "for call in /proc/sys/net/bridge/*-call-*; do [ ! -e $call ] || echo 0 >$call; done";

/** Takes in what comes at one port, and at the other answers each byte by one. */
const SERVER = `
import socket, threading
def listener(port):
  s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
  s.bind(("0.0.0.0", port)); s.listen(1024)
  return s
def take(c):
  room = bytearray(1 << 20)
  while c.recv_into(room): pass
  c.close()
def answer(c):
  c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
  while True:
    b = c.recv(64)
    if not b: break
    c.send(b)
  c.close()
def serve(s, do):
  while True: threading.Thread(target=do, args=(s.accept()[0],), daemon=True).start()
threading.Thread(target=serve, args=(listener(${BULK_PORT}), take), daemon=True).start()
serve(listener(${REQUEST_PORT}), answer)
`;
/** Prints what each way carried, a line of JSON for each round. */
const CLIENT = `
import ctypes, json, os, random, socket, sys, time
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
ways, rounds = json.loads(sys.argv[1]), int(sys.argv[2])
def enter(way):
  file = os.open("/proc/%d/ns/net" % way["host"], os.O_RDONLY)
  if libc.setns(file, CLONE_NEWNET): raise OSError(ctypes.get_errno(), "setns")
  os.close(file)
def connected(way, port):
  for tries in range(200):
    try: s = socket.create_connection((way["address"], way[port]), timeout=10); break
    except ConnectionRefusedError: time.sleep(0.025)
  s.settimeout(None); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
  return s
def ask(s):
  s.send(b"x"); s.recv(64)
  return 1
def again(way):
  s = connected(way, "requestPort"); ask(s)
  s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0"); s.close()
  return 1
def rate(do):
  n, start = 0, time.monotonic(); end = start + ${SLICE_S}
  while (now := time.monotonic()) < end: n += do()
  return n / (now - start)
block = bytes(1 << 20)
for way in ways:
  enter(way)
  way["bulk"], way["kept"] = connected(way, "bulkPort"), connected(way, "requestPort")
for round in range(-2, rounds):
  line = [None] * len(ways)
  for index in random.sample(range(len(ways)), len(ways)):
    way = ways[index]
    enter(way)
    line[index] = [
      rate(lambda: way["bulk"].send(block)) * 8 / 1e9,
      rate(lambda: ask(way["kept"])),
      rate(lambda: again(way)),
    ]
  if round >= 0: print(json.dumps(line))
`;

/** Where the same server is reached. */
interface Way {
  name: string;
  /** A process in the host's namespace. */
  host: number;
  address: string;
  bulkPort: number;
  requestPort: number;
}

/** Prints the medians of several rounds, in each of which every way has its turn. */
export async function traffic(bench: NetworkBench): Promise<void> {
  await using servers = new Servers();
  const ways = [
    ...await pairWays(servers),
    ...minictrWays(bench, servers),
    ...await podmanWays(bench, servers),
  ];
  try {
    print(ways, measured(ways, bench.rounds));
  } finally {
    minictr(bench, ["rm", "-f", "server"]);
    if (ways.some(({ name }) => name.startsWith("podman"))) {
      output([...podman(bench), "rm", "-f", "-t", "0", "server"]);
    }
  }
}

const SERVED = { bulkPort: BULK_PORT, requestPort: REQUEST_PORT };
const BEHIND = { bulkPort: PUBLISHED.bulk, requestPort: PUBLISHED.request };

/** A veth pair, and one that is the port of a bridge; each with and without a rule that translates
 * the destination. */
async function pairWays(servers: Servers): Promise<Way[]> {
  const bridge = "ip link add bridge0 type bridge; ip link set plain0 master bridge0";
  const rule = (from: number, to: number) =>
    `add rule ip bench output tcp dport ${from} dnat to ${PEER}:${to}`;
  const table = `add table ip bench
    add chain ip bench output { type nat hook output priority -100 ; }
    ${rule(PUBLISHED.bulk, BULK_PORT)}
    ${rule(PUBLISHED.request, REQUEST_PORT)}`;
  const make = async (name: string, isBridged: boolean, isTranslated: boolean): Promise<Way> => {
    const host = await servers.namespace(), peer = await servers.namespace();
    const [device, more] = isBridged ? ["bridge0", bridge] : ["plain0", ":"];
    output([
      ...inside(host),
      "sh",
      "-ec",
      `ip link add plain0 type veth peer name plain1 netns ${peer}
      ${more}
      ip addr add ${HOST}/24 dev ${device}; ip link set plain0 up; ip link set ${device} up
      nsenter --net=/proc/${peer}/ns/net sh -c 'ip addr add ${PEER}/24 dev plain1; ip link set plain1 up'`,
    ]);
    servers.serve(peer);
    if (!isTranslated) return { name, host, address: PEER, ...SERVED };
    output([...inside(host), "nft", table]);
    return { name, host, address: HOST, ...BEHIND };
  };
  return [
    await make("plain veth pair", false, false),
    await make("the same with one DNAT rule", false, true),
    await make("the same as a port of a bridge", true, false),
    await make("that with one DNAT rule", true, true),
  ];
}

/** In the namespace of the benchmark. */
function minictrWays(bench: NetworkBench, servers: Servers): Way[] {
  output(["sh", "-ec", `${WITHOUT_FILTER}; ip addr add ${HOST}/32 dev lo`]);
  minictr(bench, ["run", "-d", "--quiet", "--name", "server", ...publish(), ...sleeper(bench)]);
  const [command = "", ...words] = bench.minictr;
  const [{ State, NetworkSettings }] = JSON.parse(
    output([command, ...words, "inspect", "server"], bench.env),
  );
  servers.serve(State.Pid);
  const host = Deno.pid;
  return [
    { name: "minictr, bridge", host, address: NetworkSettings.IPAddress, ...SERVED },
    { name: "minictr, published port", host, address: HOST, ...BEHIND },
  ];
}

/** None where podman does not work here. */
async function podmanWays(bench: NetworkBench, servers: Servers): Promise<Way[]> {
  const host = await servers.namespace();
  const limits = ["--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:1024"];
  const run = [...podman(bench), "run", "-d", "--name", "server", "--network", "bridge", ...limits];
  try {
    output([
      ...inside(host),
      "sh",
      "-ec",
      `ip link set lo up; ip addr add ${HOST}/32 dev lo`,
    ]);
    output([...inside(host), ...run, ...publish(), ...sleeper(bench)]);
    const [{ State, NetworkSettings }] = JSON.parse(
      output([...podman(bench), "inspect", "server"]),
    );
    servers.serve(State.Pid);
    const address = NetworkSettings.Networks.podman.IPAddress;
    return [
      { name: "podman, bridge", host, address, ...SERVED },
      { name: "podman, published port", host, address: HOST, ...BEHIND },
    ];
  } catch (error) {
    console.log(`- podman is left out: ${error instanceof Error ? error.message : error}`);
    return [];
  }
}

function podman({ scratch }: NetworkBench): string[] {
  const stores = ["--root", `${scratch}/podman`, "--runroot", `${scratch}/podman.run`];
  return ["podman", ...stores, "--runtime", "runc", "--cgroup-manager", "cgroupfs"];
}

function publish(): string[] {
  const { bulk, request } = PUBLISHED;
  return ["-p", `${bulk}:${BULK_PORT}`, "-p", `${request}:${REQUEST_PORT}`];
}

function sleeper({ rootfs }: NetworkBench): string[] {
  return ["--rootfs", rootfs, "/bin/sleep", "3600"];
}

/** Words in front of a command that make it run in the network namespace of a process. */
function inside(pid: number): string[] {
  return ["nsenter", `--net=/proc/${pid}/ns/net`];
}

/** What a way carried in a round: Gbit/s, requests/s on one connection, and with one each. */
type Figures = [bulk: number, kept: number, anew: number];

/** For each way, what it carried in each round. */
function measured(ways: readonly Way[], rounds: number): Figures[][] {
  const [command = "", ...args] = [...CLIENT_CPU, "python3", "-c", CLIENT];
  const lines = output([command, ...args, JSON.stringify(ways), `${rounds}`]).trim().split("\n");
  const figures: Figures[][] = lines.map((line) => JSON.parse(line));
  return ways.map((_, index) => figures.map((round) => round[index] ?? [NaN, NaN, NaN]));
}

function print(ways: readonly Way[], figures: Figures[][]): void {
  console.log("| | bulk, Gbit/s | requests/s | with a connection each |");
  console.log("| --- | ---: | ---: | ---: |");
  for (const [index, { name }] of ways.entries()) {
    const cells = [0, 1, 2].map((column) => {
      const of = (way: number) => figures[way]?.map((row) => row[column] ?? NaN) ?? [];
      const share = median(of(index).map((figure, round) => figure / (of(0)[round] ?? NaN)));
      const digits = column === 0 ? 1 : 0;
      return `${median(of(index)).toFixed(digits)} (${(100 * share).toFixed(0)} %)`;
    });
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
  console.log();
}

/** Waits until something holds that may fail at first. */
async function until(holds: () => boolean): Promise<void> {
  const TRIES = 200, PAUSE_MS = 25;
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      if (holds()) return;
    } catch { /* Not yet. */ }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error("what was waited for did not happen");
}

/** Processes that end with the measurement. */
class Servers implements AsyncDisposable {
  readonly #all: Deno.ChildProcess[] = [];

  start([command = "", ...args]: string[]): number {
    const child = new Deno.Command(command, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#all.push(child);
    return child.pid;
  }

  /** A new network namespace; returns a process in it. */
  async namespace(): Promise<number> {
    const pid = this.start(["unshare", "--net", "sh", "-c", `${WITHOUT_FILTER}; exec sleep 3600`]);
    const own = Deno.readLinkSync("/proc/self/ns/net");
    await until(() => Deno.readLinkSync(`/proc/${pid}/ns/net`) !== own);
    return pid;
  }

  /** The server, in the network namespace of a process. */
  serve(pid: number): void {
    this.start([...inside(pid), ...SERVER_CPU, "python3", "-c", SERVER]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#all) child.kill("SIGKILL");
    for (const child of this.#all) await child.status;
  }
}
