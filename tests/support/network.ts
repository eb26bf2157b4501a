/**
 * A host, its neighbour and containers for tests of networks: each a network namespace that a
 * process holds, so that the machine's own network is never touched, and nothing outlives a test.
 */
import { PROJECT } from "./run.ts";
import { patient, type Program } from "./program.ts";
import type { Scratch } from "./scratch.ts";
import type { Endpoint, NetworkRequest } from "../../src/network/mod.ts";

/** Answers each client with its address, as the server sees it. */
const SERVER = `
import socket, sys
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((address, port))
if kind == "tcp": s.listen(64)
print("ready", flush=True)
while True:
  if kind == "udp":
    _, peer = s.recvfrom(100)
    s.sendto((peer[0] + " at %d" % port).encode(), peer)
  else:
    c, peer = s.accept()
    c.sendall((peer[0] + " at %d" % port).encode())
    c.close()
`;
const CLIENT = `
import socket, sys
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
s.settimeout(float(sys.argv[4]))
try:
  s.connect((address, port))
  if kind == "udp": s.send(b"hello")
  print(s.recv(100).decode())
except OSError as e: print(type(e).__name__)
`;

/** What the driver answered. */
export type Answer<T> = { result: T; error?: undefined } | { error: string; result?: undefined };

/** A network namespace, and the process that holds it. */
export class Netns {
  constructor(readonly t: Scratch, readonly pid: number) {}

  /** A new one, with its loopback up. */
  static async make(t: Scratch): Promise<Netns> {
    const hold = t.start(["unshare", "--net", "sh", "-c", "ip link set lo up; echo up; exec cat"], {
      stdin: "pipe",
      timeoutMs: patient(120_000),
    });
    holders.push(hold);
    await hold.until("up");
    return new Netns(t, hold.pid);
  }

  words(words: readonly string[]): string[] {
    return ["nsenter", `--net=/proc/${this.pid}/ns/net`, ...words];
  }

  /** Runs a shell's line, and returns what it printed; an exit status but 0 is in it. */
  async sh(line: string): Promise<string> {
    const { out, err, code } = await this.t.start(this.words(["sh", "-c", line])).ended;
    return code === 0 ? out : `${out}${err}status ${code}\n`;
  }

  /** Starts a server that answers with its client's address. */
  async serve(port: number, { kind = "tcp", address = "0.0.0.0" } = {}): Promise<void> {
    const words = ["python3", "-c", SERVER, kind, address, `${port}`];
    const server = this.t.start(this.words(words), { timeoutMs: patient(120_000) });
    holders.push(server);
    await server.until("ready");
  }

  /** What a server answers, or the name of the error. */
  async ask(address: string, port: number, { kind = "tcp", timeoutS = 3 } = {}): Promise<string> {
    const words = ["python3", "-c", CLIENT, kind, address, `${port}`, `${timeoutS}`];
    const { out, err } = await this.t.start(this.words(words)).ended;
    return (out + err).trim();
  }
}

const holders: Program[] = [];

/** Ends what the test's namespaces hold. */
async function endAll(): Promise<void> {
  for (const holder of holders.splice(0)) await holder[Symbol.asyncDispose]();
}

/** A host that networks are made on, 192.0.2.1, with a neighbour, 192.0.2.2, who knows no better
 * than to route everything to it. */
export class Host extends Netns implements AsyncDisposable {
  #driver: Program;
  #asked = 0;

  private constructor(t: Scratch, pid: number, readonly neighbour: Netns, root: string) {
    super(t, pid);
    const script = `${PROJECT}/tests/support/network_driver.ts`;
    const words = [Deno.execPath(), "run", "-A", "--no-lock", "--cached-only", script, root];
    this.#driver = t.start(this.words(words), { stdin: "pipe", timeoutMs: patient(120_000) });
  }

  static async start(t: Scratch): Promise<Host> {
    const { pid } = await Netns.make(t);
    const neighbour = await Netns.make(t);
    const host = new Host(t, pid, neighbour, `${t.directory}/root`);
    await host.sh(`
      ip link add uplink type veth peer name eth0 netns ${neighbour.pid}
      ip addr add 192.0.2.1/24 dev uplink; ip -6 addr add 2001:db8::1/64 dev uplink nodad
      ip link set uplink up`);
    await neighbour.sh(`
      ip addr add 192.0.2.2/24 dev eth0; ip -6 addr add 2001:db8::2/64 dev eth0 nodad
      ip link set eth0 up; ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8::1`);
    return host;
  }

  /** Has the driver do something. */
  async do<T = unknown>(verb: string, ...given: unknown[]): Promise<Answer<T>> {
    const wanted = ++this.#asked;
    await this.#driver.write(`${JSON.stringify([verb, ...given])}\n`);
    const lines = (out: string) => out.split("\n").slice(0, -1);
    const out = await this.#driver.until(
      /^full$/,
      (out) => lines(out).length >= wanted ? "full" : "",
    )
      .then(() => this.#driver.out);
    return JSON.parse(lines(out)[wanted - 1] ?? "null");
  }

  /** A container: a namespace that is attached to networks, at first the default one. */
  async container(
    name: string,
    request: Partial<NetworkRequest> = {},
  ): Promise<{ netns: Netns; endpoints: Endpoint[]; times: number[] }> {
    const netns = await Netns.make(this.t);
    const whole = { container: `id-${name}`, name, networks: [{ name: "bridge" }], ...request };
    const { result, error } = await this.do<{ endpoints: Endpoint[]; times: number[] }>(
      "attach",
      whole,
      netns.pid,
    );
    if (error !== undefined) throw new Error(error);
    return { netns, ...result };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver[Symbol.asyncDispose]();
    await endAll();
  }
}
