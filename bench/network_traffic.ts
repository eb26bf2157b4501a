/**
 * Bytes and requests through a bridge and a published port, against a plain veth pair, and against one
 * with nothing but a rule that translates the destination: what connection tracking costs by itself.
 * The client is on the host, which is a network namespace of its own for each engine.
 */
import type { NetworkBench } from "./network.ts";
import { minictr, output } from "./network_many.ts";
import { median } from "./pairs.ts";

const BULK_S = 1, REQUESTS_S = 1;
const HOST = "10.200.0.1", PEER = "10.200.0.2";
/** On the host, and where it leads to. */
const PUBLISHED = { bulk: 6000, request: 6001 };
const BULK_PORT = 5201, REQUEST_PORT = 7000;

/** Answers each byte by one, and each connection until it is closed. */
const SERVER = `
import socket, threading
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", ${REQUEST_PORT})); s.listen(1024)
def answer(c):
  c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
  while True:
    b = c.recv(64)
    if not b: break
    c.send(b)
  c.close()
while True: threading.Thread(target=answer, args=(s.accept()[0],), daemon=True).start()
`;
/** Requests a second: on one connection, and with a connection each. */
const CLIENT = `
import socket, sys, time
where = (sys.argv[1], int(sys.argv[2]))
def connected():
  s = socket.create_connection(where); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
  return s
def ask(s):
  s.send(b"x"); s.recv(64)
kept = connected()
def again():
  s = connected(); ask(s)
  s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0"); s.close()
for do in (lambda: ask(kept), again):
  n, end = 0, time.monotonic() + ${REQUESTS_S}
  while time.monotonic() < end: do(); n += 1
  print(n / ${REQUESTS_S})
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
  const rounds = Math.min(bench.rounds, 15);
  await using servers = new Servers();
  const ways = [
    ...await pairWays(servers),
    ...minictrWays(bench, servers),
    ...await podmanWays(bench, servers),
  ];
  try {
    print(ways, await measured(ways, rounds));
  } finally {
    minictr(bench, ["rm", "-f", "server"]);
    if (ways.some(({ name }) => name.startsWith("podman"))) {
      output([...podman(bench), "rm", "-f", "-t", "0", "server"]);
    }
  }
}

const SERVED = { bulkPort: BULK_PORT, requestPort: REQUEST_PORT };
const BEHIND = { bulkPort: PUBLISHED.bulk, requestPort: PUBLISHED.request };

/** A veth pair without any rule, and one with a rule that translates the destination. */
async function pairWays(servers: Servers): Promise<Way[]> {
  const [plain, translated] = [await servers.namespace(), await servers.namespace()];
  for (const host of [plain, translated]) {
    const peer = await servers.namespace();
    output([
      ...inside(host),
      "sh",
      "-ec",
      `ip link add plain0 type veth peer name plain1 netns ${peer}
      ip addr add ${HOST}/24 dev plain0; ip link set plain0 up
      nsenter --net=/proc/${peer}/ns/net sh -c 'ip addr add ${PEER}/24 dev plain1; ip link set plain1 up'`,
    ]);
    servers.serve(peer);
  }
  const rule = (from: number, to: number) => `tcp dport ${from} dnat to ${PEER}:${to}`;
  const table = `add table ip bench
    add chain ip bench output { type nat hook output priority -100 ; }
    add rule ip bench output ${rule(PUBLISHED.bulk, BULK_PORT)}
    add rule ip bench output ${rule(PUBLISHED.request, REQUEST_PORT)}`;
  output([...inside(translated), "nft", table]);
  return [
    { name: "plain veth pair", host: plain, address: PEER, ...SERVED },
    { name: "the same, with one DNAT rule", host: translated, address: HOST, ...BEHIND },
  ];
}

/** In the namespace of the benchmark. */
function minictrWays(bench: NetworkBench, servers: Servers): Way[] {
  output([
    "sh",
    "-ec",
    `ip addr add ${HOST}/32 dev lo`,
  ]);
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

async function measured(ways: readonly Way[], rounds: number): Promise<Figures[][]> {
  const figures: Figures[][] = ways.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, way] of ways.entries()) {
      await until(() => requests(way).length === 2);
      const [kept = NaN, anew = NaN] = requests(way);
      if (round >= 0) figures[index]?.push([bulk(way), kept, anew]);
    }
  }
  return figures;
}

function bulk({ host, address, bulkPort }: Way): number {
  const args = ["-c", address, "-p", `${bulkPort}`, "-t", `${BULK_S}`, "-J"];
  const { end } = JSON.parse(output([...inside(host), "iperf3", ...args]));
  return end.sum_received.bits_per_second / 1e9;
}

function requests({ host, address, requestPort }: Way): number[] {
  const [command = "", ...args] = inside(host);
  const { stdout } = new Deno.Command(command, {
    args: [...args, "python3", "-c", CLIENT, address, `${requestPort}`],
    stderr: "null",
  }).outputSync();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "").map(Number);
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
    const pid = this.start(["unshare", "--net", "sleep", "3600"]);
    const own = Deno.readLinkSync("/proc/self/ns/net");
    await until(() => Deno.readLinkSync(`/proc/${pid}/ns/net`) !== own);
    return pid;
  }

  /** Both servers, in the network namespace of a process. */
  serve(pid: number): void {
    this.start([...inside(pid), "iperf3", "-s"]);
    this.start([...inside(pid), "python3", "-c", SERVER]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#all) child.kill("SIGKILL");
    for (const child of this.#all) await child.status;
  }
}
