import assert from "assert";
import { type Scratch, test } from "./support/mod.ts";
import { Agent, type Netns } from "./support/network.ts";

const options = {
  requires: ["root", "command:ip", "command:nsenter", "command:python3"],
} as const;
const LISTENER = new URL("../src/network/listener.ts", import.meta.url).href;

/** A host of which some ports are taken. */
class Taken implements AsyncDisposable {
  private constructor(readonly t: Scratch, readonly netns: Netns) {}

  /** @param ports each as `tcp 127.0.0.1 8080` */
  static async make(t: Scratch, ...ports: string[]): Promise<Taken> {
    const netns = await new Agent(t).namespace();
    for (const port of ports) {
      const [kind = "", address = "", number] = port.split(" ");
      await netns.serve(Number(number), { kind, address });
    }
    return new Taken(t, netns);
  }

  /** What `holderOnHost` says there: in a process of its own, as /proc/net is its process's. */
  async holdersOf(...published: Record<string, unknown>[]): Promise<string[]> {
    const wanted = published.map((one) => ({ container: 80, count: 1, protocol: "tcp", ...one }));
    const script = `
      const { holderOnHost } = await import(${JSON.stringify(LISTENER)});
      for (const one of ${JSON.stringify(wanted)}) {
        try { console.log(holderOnHost(one) ?? "free"); } catch (e) { console.log(e.message); }
      }`;
    const words = this.netns.words([Deno.execPath(), "eval", "--no-lock", script]);
    const { out, err } = await this.t.start(words).ended;
    return (out || err).trim().split("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.netns.agent[Symbol.asyncDispose]();
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
    const holders = await host.holdersOf(
      { host: 8080 },
      { host: 8080, hostIp: "127.0.0.1" },
      { host: 8070, count: 20 },
      { host: 8000, count: 1000 },
      { host: 8081 },
      { host: 8082, protocol: "udp" },
      { host: 8083 },
    );
    assert.equal(holders.length, 7);
    for (const holder of holders) assert.match(holder, /^"python3[^"]*" \(process \d+\)$/);
  },
);

test("a port is free where nobody listens, or only on another address", options, async (t) => {
  await using host = await Taken.make(t, "tcp 127.0.0.1 8080", "udp 0.0.0.0 8082");
  await host.netns.sh("ip address add 192.0.2.1/24 dev lo");
  const holders = await host.holdersOf(
    { host: 8081 },
    { host: 8082 },
    { host: 8080, protocol: "udp" },
    { host: 8080, hostIp: "192.0.2.1" },
    { host: 8080, hostIp: "127.0.0.2" },
    { host: 9000, count: 1000 },
  );
  assert.deepEqual(holders, Array(6).fill("free"));
});

test("IPv6 that is switched off is no error, an address of another host is", options, async (t) => {
  await using host = await Taken.make(t);
  await host.netns.sh("echo 1 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6");
  assert.deepEqual(await host.holdersOf({ host: 80, hostIp: "192.0.2.9" }, { host: 80 }), [
    "cannot publish tcp port 80 of 192.0.2.9, which is no address of this host",
    "free",
  ]);
});
