import assert from "assert";
import { Host } from "./support/network.ts";
import { test } from "./support/mod.ts";

const requires = ["root", "command:nft", "command:ip", "command:ping", "command:python3"] as const;
const options = { requires, timeoutMs: 120_000 };
/** Of what does not depend on the kernel: a host takes seconds to set up in the virtual machine. */
const hostOnly = { ...options, requires: [...requires, "not-vm"] as const };
const back = [{ name: "back" }];

const http = { container: [80, 80], host: [8080, 8080], protocol: "tcp" } as const;

/** An endpoint's address without its prefix. */
function plain(address = ""): string {
  return address.slice(0, address.indexOf("/"));
}

test(
  "a container reaches the host, its siblings and the outside, and the host reaches it",
  options,
  async (t) => {
    await using host = await Host.start(t);
    const { netns: web, endpoints: [endpoint] } = await host.container("web");
    const { netns: db } = await host.container("db");
    assert.deepEqual(endpoint?.addresses, ["10.90.0.2/16"]);
    const ping = (address: string) => `ping -c1 -W2 -q ${address} | grep -o " 0% packet loss"`;
    for (
      const [from, to] of [[web, "10.90.0.1"], [web, "10.90.0.3"], [host, "10.90.0.2"], [
        db,
        "192.0.2.2",
      ]] as const
    ) {
      assert.equal(await from.sh(ping(to)), " 0% packet loss\n", to);
    }
    // The outside sees the host's address.
    await host.neighbour.serve(7000);
    assert.equal(await web.ask("192.0.2.2", 7000), "192.0.2.1 at 7000");
  },
);

test(
  "an interface has its MAC, the uplink's MTU, and no IPv6 address on a network without",
  options,
  async (t) => {
    await using host = await Host.start(t);
    await host.sh("ip link set uplink mtu 1400; ip route add default via 192.0.2.2");
    const { netns } = await host.container("web", {
      networks: [{ name: "bridge", ip: "10.90.3.4", mac: "02:42:ac:11:00:02" }],
    });
    const [link] = JSON.parse(await netns.sh("ip -j addr show eth0"));
    assert.equal(link.address, "02:42:ac:11:00:02");
    assert.equal(link.mtu, 1400);
    assert.deepEqual(link.addr_info.map(({ local }: { local: string }) => local), ["10.90.3.4"]);
    const bridge = JSON.parse(await host.sh("ip -6 -j addr show type bridge"));
    assert.deepEqual(bridge.flatMap((one: { addr_info?: unknown[] }) => one.addr_info ?? []), []);
  },
);

test(
  "a published port is reached from everywhere, and the client's address is kept",
  options,
  async (t) => {
    await using host = await Host.start(t);
    const udp = { container: [53, 53], host: [5353, 5353], protocol: "udp" } as const;
    const { netns: web } = await host.container("web", { publish: [http, udp] });
    const { netns: db } = await host.container("db");
    await web.serve(80);
    await web.serve(53, { kind: "udp" });
    assert.equal(await host.neighbour.ask("192.0.2.1", 8080), "192.0.2.2 at 80");
    assert.equal(await host.ask("127.0.0.1", 8080), "10.90.0.1 at 80");
    assert.match(await host.ask("192.0.2.1", 8080), / at 80$/);
    assert.match(await web.ask("192.0.2.1", 8080), / at 80$/); // To itself.
    assert.match(await db.ask("192.0.2.1", 8080), / at 80$/);
    assert.equal(await host.neighbour.ask("192.0.2.1", 5353, { kind: "udp" }), "192.0.2.2 at 53");
    assert.equal(await host.ask("127.0.0.1", 5353, { kind: "udp" }), "10.90.0.1 at 53");
  },
);

test(
  "a port published on 127.0.0.1 is not reached from outside, even by a forged route",
  options,
  async (t) => {
    await using host = await Host.start(t);
    const { netns: web } = await host.container("web", {
      publish: [{ ...http, hostIp: "127.0.0.1" }],
    });
    await web.serve(80);
    await host.serve(9999, { address: "127.0.0.1" });
    assert.match(await host.ask("127.0.0.1", 8080), / at 80$/);
    const { neighbour } = host;
    assert.equal(await neighbour.ask("192.0.2.1", 8080, { timeoutS: 1 }), "ConnectionRefusedError");
    assert.equal(await neighbour.ask("10.90.0.2", 80, { timeoutS: 1 }), "TimeoutError");
    // CVE-2020-8558: a neighbour, or a container, that sends to the host's 127.0.0.1.
    const forge =
      "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet; ip addr del 127.0.0.1/8 dev lo;" +
      "ip route del local 127.0.0.0/8 dev lo table local; ip route add 127.0.0.1/32 via ";
    await neighbour.sh(`${forge} 192.0.2.1 src 192.0.2.2`);
    await web.sh(`${forge} 10.90.0.1 src 10.90.0.2`);
    for (const port of [8080, 9999]) {
      assert.equal(await neighbour.ask("127.0.0.1", port, { timeoutS: 1 }), "TimeoutError");
      assert.equal(await web.ask("127.0.0.1", port, { timeoutS: 1 }), "TimeoutError");
    }
  },
);

test(
  "networks are isolated from one another, and an internal one from the outside",
  options,
  async (t) => {
    await using host = await Host.start(t);
    await host.do("create", { name: "front" });
    await host.do("create", { name: "back", internal: true });
    const { netns: web, endpoints } = await host.container("web", {
      networks: [{ name: "front" }],
    });
    const { netns: db, endpoints: [place] } = await host.container("db", {
      networks: back,
    });
    const { netns: other } = await host.container("other", { networks: back });
    await web.serve(80);
    await db.serve(80);
    await host.neighbour.serve(80);
    const address = plain(place?.addresses[0]);
    assert.match(await other.ask(address, 80), / at 80$/);
    assert.match(await host.ask(address, 80), / at 80$/);
    assert.equal(await web.ask(address, 80, { timeoutS: 1 }), "TimeoutError");
    await db.sh(`ip route add default via ${address.replace(/\d+$/, "1")}`); // Not that it helps.
    assert.equal(
      await db.ask(plain(endpoints[0]?.addresses[0]), 80, { timeoutS: 1 }),
      "TimeoutError",
    );
    assert.equal(await db.ask("192.0.2.2", 80, { timeoutS: 1 }), "TimeoutError");
    assert.match(await web.ask("192.0.2.2", 80), /^192.0.2.1 at 80$/);
  },
);

test(
  "a range of a thousand ports is one element, and shifted it starts within a second",
  hostOnly,
  async (t) => {
    await using host = await Host.start(t);
    const { netns: web, tookMs } = await host.container("web", {
      publish: [
        { container: [20_000, 20_999], host: [20_000, 20_999], protocol: "tcp" },
        { container: [31_000, 31_999], host: [30_000, 30_999], protocol: "tcp" },
      ],
    });
    assert.ok(tookMs < 1000, `${tookMs} ms`);
    await web.serve(20_777);
    await web.serve(31_999);
    assert.equal(await host.neighbour.ask("192.0.2.1", 20_777), "192.0.2.2 at 20777");
    assert.equal(await host.neighbour.ask("192.0.2.1", 30_999), "192.0.2.2 at 31999");
    assert.match(
      await host.sh("nft list ruleset | grep 20000"),
      /0\.0\.0\.0\/0 \. 20000-20999 : 10\.90\.0\.2/,
    );
  },
);

test(
  "with IPv6 a container reaches out and is reached, and takes no advertised route",
  options,
  async (t) => {
    await using host = await Host.start(t);
    await host.do("create", { name: "six", subnets: ["10.99.0.0/24", "fd00:6::/64"] });
    const { netns: web, endpoints: [place] } = await host.container("web", {
      networks: [{ name: "six", ip6: "fd00:6::6" }],
      publish: [http],
    });
    assert.deepEqual(place?.addresses, ["10.99.0.2/24", "fd00:6::6/64"]);
    await web.serve(80, { address: "::" });
    await host.neighbour.serve(7000, { address: "::" });
    assert.equal(await web.ask("2001:db8::2", 7000), "2001:db8::1 at 7000");
    assert.equal(await host.neighbour.ask("2001:db8::1", 8080), "2001:db8::2 at 80");
    assert.equal(await host.neighbour.ask("192.0.2.1", 8080), "::ffff:192.0.2.2 at 80");
    assert.equal(await host.neighbour.ask("fd00:6::6", 80, { timeoutS: 1 }), "TimeoutError");
    assert.equal(await web.sh("cat /proc/sys/net/ipv6/conf/eth0/accept_ra"), "0\n");
  },
);

test("a flushed ruleset is repaired by a reload, and by the next container", options, async (t) => {
  await using host = await Host.start(t);
  const { netns: web } = await host.container("web", { publish: [http] });
  await web.serve(80);
  const isThere = async () => await host.neighbour.ask("192.0.2.1", 8080, { timeoutS: 1 });
  await host.sh("nft flush ruleset");
  assert.equal(await isThere(), "ConnectionRefusedError");
  await host.do("reload");
  assert.equal(await isThere(), "192.0.2.2 at 80");
  await host.sh("nft list tables | while read table; do nft flush $table; done"); // Only the rules.
  assert.equal(await isThere(), "ConnectionRefusedError");
  await host.container("db");
  assert.equal(await isThere(), "192.0.2.2 at 80");
});

test("what cannot be is refused with the reason, and nothing is left", hostOnly, async (t) => {
  await using host = await Host.start(t);
  await host.container("web", { publish: [http] });
  await host.serve(7070);
  const elsewhere = await host.agent.namespace();
  const refusals: [object, RegExp][] = [
    [{ publish: [http] }, /cannot publish tcp port 8080: container "web" has it/],
    [{ publish: [{ ...http, hostIp: "127.0.0.1" }] }, /container "web" has it/],
    [
      { publish: [{ ...http, host: [7070, 7070] }] },
      /port 7070: "python3[^"]*" \(process \d+\) has it/,
    ],
    [{ networks: [{ name: "bridge", ip: "10.90.0.2" }] }, /"10.90.0.2" .*: container "web" has it/],
    [{ networks: [{ name: "bridge", ip: "10.90.0.1" }] }, /the bridge has it/],
    [{ networks: [{ name: "bridge", ip: "10.90.255.255" }] }, /first or last/],
    [{ networks: [{ name: "bridge", ip: "10.1.0.2" }] }, /its subnet is 10\.90\.0\.0\/16/],
    [{ networks: [{ name: "bridge", ip6: "fd00::2" }] }, /no such subnet/],
    [{ networks: [{ name: "bridge", mac: "01:00:00:00:00:00" }] }, /not a MAC address/],
    [{ networks: [{ name: "nowhere" }] }, /no network "nowhere"; `minictr network create nowhere`/],
  ];
  for (const [request, reason] of refusals) {
    const whole = { container: "id-x", name: "x", networks: [{ name: "bridge" }], ...request };
    const { error } = await host.do("attach", whole, elsewhere.pid);
    assert.match(error ?? "nothing refused", reason);
  }
  const { result } = await host.do<{ name: string }[]>("leases");
  assert.deepEqual(result?.map(({ name }) => name), ["web"]);
  const own = { container: "id-x", name: "x", networks: [{ name: "bridge" }] };
  const { error } = await host.do("attach", own, host.pid);
  assert.match(error ?? "", /in the host's network namespace/);
  assert.equal(await host.sh("ip -br link show eth0 2>/dev/null; true"), "");
});

test(
  "leases end with their container's directory, and a full network says so",
  hostOnly,
  async (t) => {
    await using host = await Host.start(t);
    await host.do("create", { name: "small", subnets: ["10.98.0.0/30"] });
    const networks = [{ name: "small" }];
    const { endpoints: [first] } = await host.container("first", { networks });
    assert.deepEqual(first?.addresses, ["10.98.0.2/30"]);
    await assert.rejects(
      host.container("second", { networks }),
      /no address is free.*10\.98\.0\.0\/30/,
    );
    assert.match((await host.do("remove", "small")).error ?? "", /container "first" is on it/);
    await host.do("disconnect", "id-first");
    await host.do("disconnect", "id-first");
    const { endpoints: [third] } = await host.container("third", { networks });
    assert.deepEqual(third?.addresses, ["10.98.0.2/30"]);
  },
);

test("a subnet that the host's routes lead to is not taken", hostOnly, async (t) => {
  await using host = await Host.start(t);
  await host.sh("ip route add 10.90.0.0/15 via 192.0.2.2");
  const { endpoints: [place] } = await host.container("web");
  assert.deepEqual(place?.addresses, ["10.92.0.2/16"]);
  const overlapping = await host.do("create", { name: "x", subnets: ["192.0.2.0/25"] });
  assert.match(
    overlapping.error ?? "",
    /192\.0\.2\.0\/25.*overlaps the host's route to 192\.0\.2\.0\/24/,
  );
});

test("a removed network leaves neither bridge nor rules", hostOnly, async (t) => {
  await using host = await Host.start(t);
  await host.do("create", { name: "front" });
  await host.container("web", { networks: [{ name: "front" }] });
  const bridges = () => host.sh("ip -br link show type bridge");
  assert.match(await bridges(), /^mctr\w+ /);
  await host.do("disconnect", "id-web", "front");
  assert.deepEqual(await host.do("remove", "front"), { result: null });
  assert.equal(await bridges(), "");
  assert.doesNotMatch(await host.sh("nft list ruleset"), /front/);
});

test(
  "a container on an internal and an open network goes out by the open one",
  options,
  async (t) => {
    await using host = await Host.start(t);
    await host.do("create", { name: "back", internal: true });
    const networks = [{ name: "back" }, { name: "bridge" }];
    const { netns: web, endpoints } = await host.container("web", { networks, publish: [http] });
    assert.deepEqual(endpoints.map((endpoint) => endpoint.interface), ["eth0", "eth1"]);
    await web.serve(80);
    await host.neighbour.serve(7000);
    assert.equal(await web.ask("192.0.2.2", 7000), "192.0.2.1 at 7000");
    assert.equal(await host.neighbour.ask("192.0.2.1", 8080), "192.0.2.2 at 80");
  },
);
