/**
 * A host, its neighbour and containers for tests of networks: each a network namespace that a
 * process holds, so that the machine's own network is never touched, and nothing outlives a test.
 * Two programs do everything in them, as starting programs is what takes time in the virtual machine.
 */
import { PROJECT } from "./run.ts";
import { type Ended, minictrCommand, patient, type Program } from "./program.ts";
import type { Scratch } from "./scratch.ts";
import type { Endpoint, NetworkRequest } from "../../src/network/mod.ts";

/** What a driver answered. */
export type Answer<T> = { result: T; error?: undefined } | { error: string; result?: undefined };

/** A program that answers each line of JSON, `[verb, ...arguments]`, by one. */
class Driver implements AsyncDisposable {
  readonly #program: Program;
  #asked = 0;

  constructor(t: Scratch, words: readonly string[]) {
    this.#program = t.start(words, { stdin: "pipe", timeoutMs: patient(120_000) });
  }

  async do<T>(verb: string, ...given: unknown[]): Promise<Answer<T>> {
    const wanted = ++this.#asked;
    await this.#program.write(`${JSON.stringify([verb, ...given])}\n`);
    const lines = (out: string) => out.split("\n").slice(0, -1);
    const isFull = (out: string) => lines(out).length >= wanted ? "full" : "";
    await this.#program.until("full", isFull);
    return JSON.parse(lines(this.#program.out)[wanted - 1] ?? "null");
  }

  /** Does what must succeed. */
  async must<T>(verb: string, ...given: unknown[]): Promise<T> {
    const { result, error } = await this.do<T>(verb, ...given);
    if (error !== undefined) throw new Error(`${verb}: ${error}`);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}

/** A network namespace, and the process that holds it. */
export class Netns {
  constructor(readonly agent: Agent, readonly pid: number) {}

  /** The words that start a program in it. */
  words(words: readonly string[]): string[] {
    return ["nsenter", `--net=/proc/${this.pid}/ns/net`, ...words];
  }

  /** Runs a shell's line, and returns what it printed; an exit status but 0 is in it. */
  sh(line: string): Promise<string> {
    return this.agent.must("sh", this.pid, line);
  }

  /** Starts a server that answers with its client's address. */
  serve(port: number, { kind = "tcp", address = "0.0.0.0" } = {}): Promise<void> {
    return this.agent.must("serve", this.pid, kind, address, port);
  }

  /** What a server answers, or the name of the error. */
  ask(address: string, port: number, { kind = "tcp", timeoutS = 3 } = {}): Promise<string> {
    return this.agent.must("ask", this.pid, kind, address, port, timeoutS);
  }

  /** Sends a frame by an interface, whatever it claims. */
  send(frame: Uint8Array, name = "eth0"): Promise<void> {
    return this.agent.must("send_frame", this.pid, name, frame.toHex());
  }

  /** Notes the frames that come in by an interface; what it returns says which did so far. */
  async watch(name = "eth0"): Promise<() => Promise<string[]>> {
    const number = await this.agent.must("watch", this.pid, name);
    return () => this.agent.must("seen", number);
  }
}

/** The program that works in a test's namespaces. */
export class Agent extends Driver {
  constructor(t: Scratch) {
    super(t, [python(), `${PROJECT}/tests/support/network_agent.py`]);
  }

  /** A new namespace, with its loopback up. */
  async namespace(): Promise<Netns> {
    return new Netns(this, await this.must("namespace"));
  }
}

/** The distribution's, as one found in PATH may be a script that looks for it. */
function python(): string {
  try {
    return Deno.statSync("/usr/bin/python3") && "/usr/bin/python3";
  } catch {
    return "python3";
  }
}

/** A host that networks are made on, 192.0.2.1, with a neighbour, 192.0.2.2, who knows no better
 * than to route everything to it. */
export class Host extends Netns implements AsyncDisposable {
  readonly #driver: Driver;
  readonly #t: Scratch;

  private constructor(t: Scratch, agent: Agent, pid: number, readonly neighbour: Netns) {
    super(agent, pid);
    this.#t = t;
    const script = `${PROJECT}/tests/support/network_driver.ts`;
    const deno = [Deno.execPath(), "run", "-A", "--no-lock", "--cached-only", "--no-check", script];
    this.#driver = new Driver(t, this.words([...deno, `${t.directory}/root`]));
  }

  static async start(t: Scratch): Promise<Host> {
    const agent = new Agent(t);
    const { pid } = await agent.namespace();
    const neighbour = await agent.namespace();
    const host = new Host(t, agent, pid, neighbour);
    await host.sh(`
      ip link add uplink type veth peer name eth0 netns ${neighbour.pid}
      ip addr add 192.0.2.1/24 dev uplink; ip -6 addr add 2001:db8::1/64 dev uplink nodad
      ip link set uplink up`);
    await neighbour.sh(`
      ip addr add 192.0.2.2/24 dev eth0; ip -6 addr add 2001:db8::2/64 dev eth0 nodad
      ip link set eth0 up; ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8::1`);
    return host;
  }

  /** Runs `minictr --root ROOT ARGS` on it, to its end. */
  minictr(...args: string[]): Promise<Ended> {
    return this.minictrBehind([], ...args);
  }

  /** The same behind some words, as of setpriv(1). */
  async minictrBehind(before: readonly string[], ...args: string[]): Promise<Ended> {
    const minictr = [...minictrCommand(), "--root", this.#t.root, ...args];
    return await this.#t.start(this.words([...before, ...minictr])).ended;
  }

  /** Has the driver do something. */
  do<T = unknown>(verb: string, ...given: unknown[]): Promise<Answer<T>> {
    return this.#driver.do(verb, ...given);
  }

  /** A container: a namespace that is attached to networks, at first the default one. */
  async container(
    name: string,
    request: Partial<NetworkRequest> = {},
  ): Promise<{ netns: Netns; endpoints: Endpoint[]; tookMs: number }> {
    const netns = await this.agent.namespace();
    const whole = { container: `id-${name}`, name, networks: [{ name: "bridge" }], ...request };
    const { result, error } = await this.do<{ endpoints: Endpoint[]; tookMs: number }>(
      "attach",
      whole,
      netns.pid,
    );
    if (error !== undefined) throw new Error(error);
    return { netns, ...result };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver[Symbol.asyncDispose]();
    await this.agent[Symbol.asyncDispose]();
  }
}
