/** What a container may do to its siblings and to the host with CAP_NET_RAW, which it has in docker. */
import assert from "assert";
import { Host, type Netns } from "./support/network.ts";
import { test } from "./support/mod.ts";

const requires = ["root", "command:nft", "command:ip", "command:python3"] as const;
const options = { requires, timeoutMs: 120_000 };

const six = { name: "six", subnets: ["10.99.0.0/24", "fd00:6::/64"] };
const networks = [{ name: six.name }];

const ALL_NODES = "33:33:00:00:00:01", EVERYBODY = "ff:ff:ff:ff:ff:ff";
const ATTACKER = "0e:00:00:00:06:66";

const bytesOf = (mac: string) => mac.split(":").map((byte) => parseInt(byte, 16));
const v4 = (address: string) => address.split(".").map(Number);
/** `fd00:6::2`, with one `::`. */
function v6(address: string): number[] {
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string) =>
    text === "" ? [] : text.split(":").map((one) => parseInt(one, 16));
  const zeros = Array<number>(8 - groups(head).length - groups(tail).length).fill(0);
  return [...groups(head), ...zeros, ...groups(tail)].flatMap((group) => [group >> 8, group & 255]);
}

/** A message of ICMPv6 to all nodes, with its checksum; RFC 4443 section 2.3. */
function icmpv6(source: string, message: number[]): Uint8Array {
  const from = v6(source), to = v6("ff02::1");
  const pseudo = [...from, ...to, 0, 0, 0, message.length, 0, 0, 0, 58, ...message];
  let sum = 0;
  for (let at = 0; at < pseudo.length; at += 2) {
    sum += (pseudo[at] ?? 0) << 8 | (pseudo[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  const whole = [...message];
  whole[2] = ~sum >> 8 & 255;
  whole[3] = ~sum & 255;
  const HOPS = 255; // What was forwarded is not believed.
  const header = [0x60, 0, 0, 0, 0, message.length, 58, HOPS, ...from, ...to];
  return new Uint8Array([
    ...bytesOf(ALL_NODES),
    ...bytesOf(ATTACKER),
    0x86,
    0xdd,
    ...header,
    ...whole,
  ]);
}

/** "I am a router, and all of fd66::/64 is on this link"; RFC 4861 section 4.2. */
function routerAdvertisement(): Uint8Array {
  const prefix = [3, 4, 64, 0xc0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...v6("fd66::")];
  return icmpv6("fe80::666", [134, 0, 0, 0, 64, 0, 7, 8, ...Array<number>(8).fill(0), ...prefix]);
}

/** "The address is mine"; RFC 4861 section 4.4. */
function neighbourAdvertisement(address: string): Uint8Array {
  const option = [2, 1, ...bytesOf(ATTACKER)];
  return icmpv6("fe80::666", [136, 0, 0, 0, 0x20, 0, 0, 0, ...v6(address), ...option]);
}

/** "The address is mine", to all; RFC 826. */
function gratuitousArp(address: string): Uint8Array {
  const REPLY = 2;
  const body = [0, 1, 8, 0, 6, 4, 0, REPLY, ...bytesOf(ATTACKER), ...v4(address)];
  const target = [...bytesOf(EVERYBODY), ...v4(address)];
  return new Uint8Array([
    ...[...bytesOf(EVERYBODY), ...bytesOf(ATTACKER), 8, 6],
    ...[...body, ...target, ...Array<number>(18).fill(0)],
  ]);
}

/** Sends frames, and then one that nothing refuses, and waits until a sibling has seen that. */
async function sendAll(from: Netns, seen: () => Promise<string[]>, frames: Uint8Array[]) {
  for (const frame of frames) await from.send(frame);
  const last = gratuitousArp("10.99.0.200");
  await from.send(last);
  const all: string[] = [];
  for (const deadline = Date.now() + 10_000; !all.includes(last.toHex());) {
    assert.ok(Date.now() < deadline, "what is harmless did not arrive either");
    all.push(...await seen());
  }
  return all;
}

/** Whoever believes one has a route by way of the attacker, and an address. */
async function believes(netns: Netns, name: string): Promise<boolean> {
  const routes = await netns.sh(`ip -6 route show proto ra; ip -6 route show fd66::/64`);
  const addresses = await netns.sh(`ip -6 address show dev ${name} to fd66::/64`);
  return routes + addresses !== "";
}

test(
  "a router advertisement of a container reaches neither its siblings nor the host",
  options,
  async (t) => {
    await using host = await Host.start(t);
    await host.do("create", six);
    const { netns: attacker } = await host.container("attacker", { networks });
    const { netns: victim } = await host.container("victim", { networks });
    const seen = await victim.watch();
    // Both listen, as a container with sysctls of its own may.
    await victim.sh("echo 2 > /proc/sys/net/ipv6/conf/eth0/accept_ra");
    const [{ ifname: bridge }] = JSON.parse(await host.sh("ip -j link show type bridge"));
    await host.sh(`echo 2 > /proc/sys/net/ipv6/conf/${bridge}/accept_ra`);
    const frame = routerAdvertisement();
    const arrived = await sendAll(attacker, seen, [frame]);
    assert.ok(!arrived.includes(frame.toHex()));
    assert.equal(await believes(victim, "eth0"), false);
    assert.equal(await believes(host, bridge), false);
    // Without the table it would have worked: the frame is right.
    await host.sh("nft delete table bridge $(nft list tables bridge | cut -d' ' -f3)");
    assert.ok((await sendAll(attacker, seen, [frame])).includes(frame.toHex()));
    assert.equal(await believes(victim, "eth0"), true);
  },
);

test(
  "no container answers in the bridge's place, by ARP or neighbour discovery",
  options,
  async (t) => {
    await using host = await Host.start(t);
    await host.do("create", six);
    const { netns: attacker } = await host.container("attacker", { networks });
    const { netns: victim } = await host.container("victim", { networks });
    const seen = await victim.watch();
    await victim.sh("echo 0 > /proc/sys/net/ipv4/neigh/eth0/locktime"); // It believes each at once.
    await victim.sh("ping -c1 -W2 10.99.0.1; ping -c1 -W2 fd00:6::1"); // It knows the bridge.
    const neighbours = () => victim.sh("ip neigh show 10.99.0.1; ip neigh show fd00:6::1");
    assert.equal((await neighbours()).match(/lladdr/g)?.length, 2);
    const claims = [gratuitousArp("10.99.0.1"), neighbourAdvertisement("fd00:6::1")];
    const arrived = await sendAll(attacker, seen, claims);
    for (const claim of claims) assert.ok(!arrived.includes(claim.toHex()));
    assert.doesNotMatch(await neighbours(), new RegExp(ATTACKER));
    assert.match(await victim.sh("ping -c1 -W2 -q 10.99.0.1"), / 0% packet loss/);
    await host.sh("nft delete table bridge $(nft list tables bridge | cut -d' ' -f3)");
    await sendAll(attacker, seen, claims);
    assert.equal((await neighbours()).match(new RegExp(ATTACKER, "g"))?.length, 2);
  },
);

test(
  "a flushed table of the family bridge is made again by the next container",
  { ...options, requires: [...requires, "not-vm"] },
  async (t) => {
    await using host = await Host.start(t);
    await host.container("web");
    const rules = () => host.sh("nft list tables bridge; nft list ruleset bridge | grep -c drop");
    const before = await rules();
    assert.match(before, /^table bridge minictr_\w+\n3\n$/);
    await host.sh("nft delete table bridge $(nft list tables bridge | cut -d' ' -f3)");
    await host.container("db");
    assert.equal(await rules(), before);
  },
);
