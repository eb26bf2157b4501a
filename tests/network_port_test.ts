import assert from "assert";
import { type Program, type Scratch, test } from "./support/mod.ts";
import { Netns } from "./support/network.ts";

const options = {
  requires: ["root", "command:ip", "command:nsenter", "command:python3", "not-vm"],
} as const;
const LISTENER = new URL("../src/network/listener.ts", import.meta.url).href;

/** Listens to a port of each kind that is given, as `tcp 127.0.0.1 8080`. */
const SERVERS = `
import socket, sys
held = []
for word in sys.argv[1:]:
  kind, address, port = word.split()
  family = socket.AF_INET6 if ":" in address else socket.AF_INET
  s = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
  s.bind((address, int(port)))
  if kind == "tcp": s.listen()
  held.append(s)
print("ready", flush=True)
sys.stdin.read()
`;

/** A host of which some ports are taken. */
class Taken implements AsyncDisposable {
  readonly netns: Netns;

  private constructor(t: Scratch, readonly server: Program) {
    this.netns = new Netns(t, server.pid);
  }

  static async make(t: Scratch, ...ports: string[]): Promise<Taken> {
    const script = 'ip link set lo up; exec python3 -c "$@"';
    const words = ["unshare", "--net", "sh", "-c", script, "sh", SERVERS, ...ports];
    const taken = new Taken(t, t.start(words, { stdin: "pipe", timeoutMs: 60_000 }));
    await taken.server.until("ready");
    return taken;
  }

  /** What `holderOnHost` says there: in a process of its own, as /proc/net is its process's. */
  async holderOf(published: Record<string, unknown>): Promise<string> {
    const wanted = JSON.stringify({ container: 80, count: 1, protocol: "tcp", ...published });
    const script = `
      const { holderOnHost } = await import(${JSON.stringify(LISTENER)});
      try { console.log(holderOnHost(${wanted}) ?? "free"); } catch (e) { console.log(e.message); }`;
    const words = this.netns.words([Deno.execPath(), "eval", "--no-lock", script]);
    const { out, err } = await this.netns.t.start(words).ended;
    return out.trim() || err;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

test(
  "a port that a process listens to is not free, and the process is named",
  options,
  async (t) => {
    await using host = await Taken.make(
      t,
      "tcp 0.0.0.0 8080",
      "tcp 127.0.0.1 8081",
      "udp 0.0.0.0 8082",
      "tcp :: 8083",
    );
    const named = /^"python3[^"]*" \(process \d+\)$/;
    assert.match(await host.holderOf({ host: 8080 }), named);
    assert.match(await host.holderOf({ host: 8080, hostIp: "127.0.0.1" }), named);
    assert.match(await host.holderOf({ host: 8070, count: 20 }), named);
    assert.match(await host.holderOf({ host: 8000, count: 1000 }), named);
    assert.match(await host.holderOf({ host: 8081 }), named);
    assert.match(await host.holderOf({ host: 8082, protocol: "udp" }), named);
    assert.match(await host.holderOf({ host: 8083 }), named);
  },
);

test("a port is free where nobody listens, or only on another address", options, async (t) => {
  await using host = await Taken.make(t, "tcp 127.0.0.1 8080", "udp 0.0.0.0 8082");
  await host.netns.sh("ip address add 192.0.2.1/24 dev lo");
  assert.equal(await host.holderOf({ host: 8081 }), "free");
  assert.equal(await host.holderOf({ host: 8082 }), "free");
  assert.equal(await host.holderOf({ host: 8080, protocol: "udp" }), "free");
  assert.equal(await host.holderOf({ host: 8080, hostIp: "192.0.2.1" }), "free");
  assert.equal(await host.holderOf({ host: 8080, hostIp: "127.0.0.2" }), "free");
  assert.equal(await host.holderOf({ host: 9000, count: 1000 }), "free");
});

test("IPv6 that is switched off is no error, an address of another host is", options, async (t) => {
  await using host = await Taken.make(t);
  assert.equal(
    await host.holderOf({ host: 80, hostIp: "192.0.2.9" }),
    "cannot publish tcp port 80 of 192.0.2.9, which is no address of this host",
  );
  await host.netns.sh("echo 1 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6");
  assert.equal(await host.holderOf({ host: 80 }), "free");
});
