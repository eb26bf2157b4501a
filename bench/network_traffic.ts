/** Bytes and requests through a bridge and a published port, against a plain veth pair. */
import type { NetworkBench } from "./network.ts";
import { minictr, output } from "./network_many.ts";
import { median } from "./pairs.ts";

const BULK_S = 1, REQUESTS_S = 1;
const PLAIN = "10.200.0.2";
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
  address: string;
  bulkPort: number;
  requestPort: number;
}

/** Prints the medians of several rounds, in each of which every way has its turn. */
export async function traffic(bench: NetworkBench): Promise<void> {
  const rounds = Math.min(bench.rounds, 15);
  await using servers = new Servers();
  const holder = servers.start(["unshare", "--net", "sleep", "3600"]);
  await until(() =>
    Deno.readLinkSync(`/proc/${holder}/ns/net`) !== Deno.readLinkSync("/proc/self/ns/net")
  );
  const plain = `ip link add plain0 type veth peer name plain1 netns ${holder}
    ip addr add 10.200.0.1/24 dev plain0; ip link set plain0 up
    nsenter --net=/proc/${holder}/ns/net sh -c 'ip addr add ${PLAIN}/24 dev plain1; ip link set plain1 up'`;
  output(["sh", "-ec", plain]);
  const publish = ["-p", `6000:${BULK_PORT}`, "-p", `6001:${REQUEST_PORT}`];
  const run = ["run", "-d", "--quiet", "--name", "server", ...publish];
  minictr(bench, [...run, "--rootfs", bench.rootfs, "/bin/sleep", "3600"]);
  try {
    const [command = "", ...words] = bench.minictr;
    const [{ State, NetworkSettings }] = JSON.parse(
      output([command, ...words, "inspect", "server"], bench.env),
    );
    for (const pid of [holder, State.Pid]) servers.serve(pid);
    const own = { bulkPort: BULK_PORT, requestPort: REQUEST_PORT };
    const ways: Way[] = [
      { name: "plain veth pair", address: PLAIN, ...own },
      { name: "bridge", address: NetworkSettings.IPAddress, ...own },
      { name: "published port", address: "10.200.0.1", bulkPort: 6000, requestPort: 6001 },
    ];
    print(ways, await measured(ways, rounds));
  } finally {
    minictr(bench, ["rm", "-f", "server"]);
  }
}

/** What a way carried in a round: Gbit/s, requests/s on one connection, and with one each. */
type Figures = [bulk: number, kept: number, anew: number];

async function measured(ways: readonly Way[], rounds: number): Promise<Figures[][]> {
  const figures: Figures[][] = ways.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, { address, bulkPort, requestPort }] of ways.entries()) {
      await until(() => requests(address, requestPort).length === 2);
      const [kept = NaN, anew = NaN] = requests(address, requestPort);
      if (round >= 0) figures[index]?.push([bulk(address, bulkPort), kept, anew]);
    }
  }
  return figures;
}

function bulk(address: string, port: number): number {
  const args = ["-c", address, "-p", `${port}`, "-t", `${BULK_S}`, "-J"];
  const { end } = JSON.parse(output(["iperf3", ...args]));
  return end.sum_received.bits_per_second / 1e9;
}

function requests(address: string, port: number): number[] {
  const { stdout } = new Deno.Command("python3", {
    args: ["-c", CLIENT, address, `${port}`],
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

  /** Both servers, in the network namespace of a process. */
  serve(pid: number): void {
    const inside = ["nsenter", `--net=/proc/${pid}/ns/net`];
    this.start([...inside, "iperf3", "-s"]);
    this.start([...inside, "python3", "-c", SERVER]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#all) child.kill("SIGKILL");
    for (const child of this.#all) await child.status;
  }
}
