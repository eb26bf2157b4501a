import assert from "assert";
import { type Scratch, test } from "../../tests/support/mod.ts";
import {
  addressIn,
  deleteLink,
  deleteTables,
  getAddresses,
  getChain,
  getLink,
  getLinks,
  getRoutes,
  getTable,
  inNamespace,
  interfaceName,
  linkIn,
  meta,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkError,
  NetlinkSocket,
  newAddress,
  newBridge,
  newRoute,
  newVeth,
  openNamespace,
  replaceTables,
  routeIn,
  setHairpin,
  setMaster,
  setNoLinkLocal,
  setUp,
  tableCommentIn,
  TYPE,
  verdictMap,
} from "./mod.ts";
import { chainUseIn } from "./nft.ts";

const IP_AND_NFT = { requires: ["root", "command:ip", "command:nft"] } as const;

/** A network namespace of the test's own, known to `ip netns`. */
class Namespace implements Disposable {
  readonly fd;

  constructor(readonly name: string) {
    run("ip", "netns", "add", name);
    this.fd = openNamespace(`/run/netns/${name}`);
  }

  socket(protocol: number): NetlinkSocket {
    return inNamespace(this.fd.number, () => new NetlinkSocket(protocol));
  }

  /** What a command prints in there. */
  run(...command: string[]): string {
    return run("ip", "netns", "exec", this.name, ...command);
  }

  [Symbol.dispose](): void {
    this.fd.close();
    run("ip", "netns", "del", this.name);
  }
}

function run(command: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command, { args }).outputSync();
  const text = new TextDecoder();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

function namespace(t: Scratch, which = ""): Namespace {
  return new Namespace(`${t.name}${which}`);
}

/** The index of a link that is there. */
function indexOf(socket: NetlinkSocket, name: string): number {
  const found = socket.find(getLink(name));
  assert(found, `no link "${name}"`);
  return linkIn(found).index;
}

test(
  "a bridge, a veth pair into another namespace, addresses and routes are as ip shows",
  IP_AND_NFT,
  (t) => {
    using host = namespace(t);
    using inner = namespace(t, "-b");
    using socket = host.socket(NETLINK_ROUTE);
    using innerSocket = inner.socket(NETLINK_ROUTE);
    const mac = new Uint8Array([2, 0, 0, 0, 0, 1]);
    socket.send([newBridge("br0", { mac })]);
    const bridge = indexOf(socket, "br0");
    const peer = { name: "eth0", namespace: inner.fd.number, mtu: 1400 };
    socket.send([newVeth("ve0", peer, { master: bridge })]);
    socket.send([setHairpin("ve0"), setNoLinkLocal("ve0"), setUp("ve0"), setUp(bridge)]);
    const address = (last: number) => new Uint8Array([10, 90, 0, last]);
    const v6 = (last: number) => new Uint8Array([0xfd, ...new Array(14).fill(0), last]);
    socket.send([
      newAddress({ address: address(1), prefix: 16, index: bridge }),
      newAddress({ address: v6(1), prefix: 64, index: bridge }),
    ]);
    const index = indexOf(innerSocket, "eth0");
    innerSocket.send([
      newAddress({ address: address(2), prefix: 16, index }),
      newAddress({ address: v6(2), prefix: 64, index }),
      setUp(index),
      newRoute({ prefix: 0, gateway: address(1), index }),
      newRoute({ prefix: 0, gateway: v6(1), index }),
    ]);

    assert.match(host.run("ip", "-d", "link", "show", "br0"), /link\/ether 02:00:00:00:00:01/);
    const port = host.run("ip", "-d", "link", "show", "ve0");
    assert.match(port, /master br0 .*UP/);
    assert.match(port, /hairpin on/);
    assert.match(port, /addrgenmode none/);
    assert.match(host.run("ip", "address", "show", "br0"), /inet 10.90.0.1\/16 brd 10.90.255.255/);
    const shown = inner.run("ip", "address", "show", "eth0");
    assert.match(shown, /mtu 1400/);
    assert.match(shown, /inet 10.90.0.2\/16/);
    assert.match(shown, /inet6 fd00::2\/64 scope global nodad/);
    assert.match(inner.run("ip", "route"), /default via 10.90.0.1 dev eth0/);
    assert.match(inner.run("ip", "-6", "route"), /default via fd00::1 dev eth0/);
    inner.run("ping", "-c1", "-W2", "10.90.0.1");
    inner.run("ping", "-c1", "-W2", "fd00::1");

    const links = socket.ask(getLinks()).map(linkIn);
    assert.deepEqual(links.find(({ name }) => name === "ve0")?.master, bridge);
    const addresses = innerSocket.ask(getAddresses()).map(addressIn);
    assert(addresses.some((found) => found?.address.join(".") === "10.90.0.2"));
    const routes = innerSocket.ask(getRoutes()).map(routeIn);
    assert(routes.some((route) => route?.destination?.join(".") === "10.90.0.0"));
    assert(routes.some((route) => route?.gateway?.join(".") === "10.90.0.1"));

    socket.send([deleteLink("ve0")]);
    assert.equal(innerSocket.find(getLink("eth0")), undefined);
  },
);

test("a refusal names the request and says why, and later requests go on", IP_AND_NFT, (t) => {
  using host = namespace(t);
  using socket = host.socket(NETLINK_ROUTE);
  assert.throws(
    () => socket.send([setUp("lo"), setMaster("lo", 4242), newBridge("br0"), newBridge("br0")]),
    (error) =>
      error instanceof NetlinkError && error.code === "EINVAL" &&
      error.message.startsWith('cannot set link "lo" master 4242: '),
  );
  assert.match(host.run("ip", "link", "show", "br0"), /br0/);
  assert.throws(() => socket.send([newBridge("br0")]), /cannot add bridge "br0": file exists/);
  assert.equal(socket.find(getLink("none")), undefined);
  const wrong = { ...newBridge("br1"), body: newBridge("br1").body.slice(0, 20) };
  assert.throws(() => socket.send([wrong]), NetlinkError);
  socket.send([deleteLink("br0")]); // The socket still hears the right answers.
});

test("a dump longer than one read has all links", IP_AND_NFT, (t) => {
  using host = namespace(t);
  using socket = host.socket(NETLINK_ROUTE);
  const names = Array.from({ length: 100 }, (_, number) => `br${number}`);
  socket.send(names.map((name) => newBridge(name)));
  const found = socket.ask(getLinks()).map((message) => linkIn(message).name);
  assert.deepEqual(names.filter((name) => !found.includes(name)), []);
});

test("a table is made, replaced and deleted, each at once, as nft shows", IP_AND_NFT, (t) => {
  using host = namespace(t);
  using socket = host.socket(NETLINK_NETFILTER);
  const elements = Array.from({ length: 3000 }, (_, number) => ({
    key: new Uint8Array([10, number >> 8, number & 255, 0]),
    end: new Uint8Array([10, number >> 8, number & 255, 127]),
    data: { verdict: "goto", chain: "other" } as const,
  }));
  const table = { family: "inet", name: "test" } as const;
  const chains = [
    { name: "guard", hook: { type: "filter", at: "prerouting", priority: -300 } },
    { name: "other" },
  ] as const;
  const rules = [{ chain: "guard", comment: "by subnet", expressions: [meta("nfproto")] }];
  const map = { name: "m", key: TYPE.ipv4_addr, data: "verdict", isInterval: true } as const;
  const names = {
    name: "names",
    key: TYPE.ifname,
    elements: [{ key: interfaceName("br0") }, { key: interfaceName("a-name-too-long") }],
  };
  socket.send(replaceTables({ ...table, comment: "first", chains, sets: [names], rules }));
  assert.match(
    host.run("nft", "list", "set", "inet", "test", "names"),
    /type ifname\s+elements = {\s*"br0",\s+"a-name-too-long"\s*}/,
  );
  const second = { chains, sets: [{ ...map, elements }], rules };
  socket.send(replaceTables({ ...table, comment: "second", ...second }));
  const shown = host.run("nft", "list", "table", "inet", "test");
  assert.match(shown, /comment "second"/);
  assert.equal(shown.match(/goto other/g)?.length, 3000);
  assert.match(shown, /hook prerouting priority raw; policy accept/);
  const found = socket.find(getTable(table));
  assert.equal(found && tableCommentIn(found), "second");
  const chain = socket.find(getChain(table, "guard"));
  assert.equal(chain && chainUseIn(chain), 1);

  // A batch with one wrong rule changes nothing.
  const wrong = [{ chain: "guard", comment: "no such map", expressions: [verdictMap("nowhere")] }];
  assert.throws(
    () =>
      socket.send(replaceTables({ ...table, comment: "third", chains, sets: [], rules: wrong })),
    /cannot add the rule "no such map" to chain "guard": no such file or directory/,
  );
  assert.match(host.run("nft", "list", "table", "inet", "test"), /comment "second"/);

  socket.send(deleteTables(table));
  socket.send(deleteTables(table));
  assert.equal(host.run("nft", "list", "ruleset"), "");
  assert.equal(socket.find(getTable(table)), undefined);
});

test("work in another namespace comes back, also when it fails", IP_AND_NFT, (t) => {
  using host = namespace(t);
  const own = Deno.readLinkSync("/proc/thread-self/ns/net");
  const there = inNamespace(host.fd.number, () => Deno.readLinkSync("/proc/thread-self/ns/net"));
  assert.notEqual(there, own);
  assert.throws(() => inNamespace(host.fd.number, () => assert.fail("inside")), /inside/);
  assert.equal(Deno.readLinkSync("/proc/thread-self/ns/net"), own);
  assert.throws(() => openNamespace(`${t.directory}/none`), /cannot open network namespace/);
});
