import assert from "assert";
import { replaceTables } from "../netlink/mod.ts";
import type { Endpoint } from "./lease.ts";
import type { Network } from "./network.ts";
import type { Published } from "./port_choice.ts";
import { fingerprint, RAW_RULES, SIBLING_RULES } from "./fingerprint.ts";
import { publishedElements } from "./publish.ts";
import { rulesFor } from "./rules.ts";
import { siblings } from "./siblings.ts";

function network(name: string, third: number, internal = false): Network {
  const subnets = [{ subnet: `10.91.${third}.0/24`, gateway: `10.91.${third}.1` }];
  return { version: 1, name, bridge: `br-${name}`, subnets, internal, created: "2026" };
}

function endpoint(network: string, address: string, ports: Published[] = []): Endpoint {
  const rest = { container: "c", name: "c", interface: "eth0", host: "v", mac: "", aliases: [] };
  return { ...rest, network, addresses: [address], ports, pid: 1, started: "1" };
}

const http: Published = { host: 8080, container: 80, count: 1, protocol: "tcp" };

function commentsOf(networks: Network[], endpoints: Endpoint[], chain: string): string[] {
  return rulesFor(networks, endpoints).rules
    .filter((rule) => rule.chain === chain)
    .map(({ comment }) => comment);
}

Deno.test("without a subnet of IPv6 nothing translates destinations of it", () => {
  const { chains, sets } = rulesFor([network("front", 1)], [endpoint("front", "10.91.1.2/24")]);
  const hooks = chains.filter(({ hook }) => hook).map(({ name }) => name);
  assert.deepEqual(hooks, ["raw", "forward", "postrouting", "prerouting", "output"]);
  const names = ["bridges", "guard4", "guard6", "ports4", "ranges4"];
  assert.deepEqual(sets.map(({ name }) => name), names);
  const six = network("six", 2);
  six.subnets.push({ subnet: "fd00::/64", gateway: "fd00::1" });
  const both = rulesFor([six], []).sets.map(({ name }) => name);
  assert.deepEqual(both, [...names, "ports6", "ranges6"]);
});

Deno.test("an internal network is closed before answers are let in, and is not masqueraded", () => {
  const networks = [network("front", 1), network("back", 2, true)];
  assert.deepEqual(commentsOf(networks, [], "forward").slice(0, 3), [
    "back: internal, nothing out",
    "back: internal, nothing in",
    "answers",
  ]);
  const hairpin = "front: hairpin";
  assert.deepEqual(commentsOf(networks, [], "postrouting"), ["front: out", hairpin, hairpin]);
  assert.equal(commentsOf(networks, [], "raw").length, RAW_RULES);
});

Deno.test("a range that keeps its numbers is one element, one that does not is one a port", () => {
  const range = (host: number): Published => ({
    host,
    container: 9000,
    count: 100,
    protocol: "udp",
  });
  const ports = [range(9000), range(7000)];
  const { sets } = rulesFor([network("front", 1)], [endpoint("front", "10.91.1.2/24", ports)]);
  assert.deepEqual(sets.map(({ name, elements }) => [name, elements.length]), [
    ["bridges", 1],
    ["guard4", 2],
    ["guard6", 0],
    ["ports4", 100],
    ["ranges4", 1],
  ]);
  // udp . 0.0.0.0-255.255.255.255 . 9000-9099 : 10.91.1.2
  const [element] = sets[4]?.elements ?? [];
  assert.deepEqual([...element?.key ?? []], [17, 0, 0, 0, 0, 0, 0, 0, 0x23, 0x28, 0, 0]);
  assert.deepEqual([...element?.end ?? []], [17, 0, 0, 0, 255, 255, 255, 255, 0x23, 0x8b, 0, 0]);
  assert.deepEqual(element?.data, new Uint8Array([10, 91, 1, 2]));
});

Deno.test("a port published on one address of IPv4 is in no map of IPv6", () => {
  const both = { ...endpoint("front", "10.91.1.2/24", [{ ...http, hostIp: "127.0.0.1" }]) };
  both.addresses = ["10.91.1.2/24", "fd00::2/64"];
  assert.deepEqual(publishedElements([both]).map(({ name }) => name), ["ports4"]);
});

Deno.test("fingerprint() changes with networks", () => {
  const networks = [network("front", 1)];
  assert.equal(fingerprint([network("front", 1)]), fingerprint(networks));
  assert.notEqual(fingerprint([...networks, network("back", 2)]), fingerprint(networks));
  assert.notEqual(fingerprint([network("front", 1, true)]), fingerprint(networks));
});

Deno.test("only what an endpoint publishes comes and goes with it", () => {
  const ports = [http, { ...http, host: 9000, container: 9000, count: 10 }];
  const elements = publishedElements([endpoint("front", "10.91.1.2/24", ports)]);
  assert.deepEqual(elements.map(({ name, elements }) => [name, elements.length]), [
    ["ports4", 1],
    ["ranges4", 1],
  ]);
  assert.deepEqual(publishedElements([endpoint("front", "10.91.1.2/24")]), []);
});

Deno.test("a thousand ports fit into the messages of one batch", () => {
  const many = { ...http, container: 20_000, host: 30_000, count: 1000 };
  const rules = rulesFor([network("front", 1)], [endpoint("front", "10.91.1.2/24", [many])]);
  const requests = replaceTables({ family: "inet", name: "minictr", comment: "x", ...rules });
  assert.ok(requests.every(({ body }) => body.length < 65_536));
});

Deno.test("packets to a subnet are looked up once, and pass only if they came in by its bridge", () => {
  const networks = [network("front", 1), network("back", 2, true)];
  const { sets, chains } = rulesFor(networks, []);
  const guard = sets.find(({ name }) => name === "guard4");
  assert.deepEqual(
    guard?.elements.map(({ key, end, data }) => [key.join("."), end?.join("."), data]),
    [
      ["10.91.1.0", "10.91.1.255", { verdict: "goto", chain: "guard_br-front" }],
      ["10.91.2.0", "10.91.2.255", { verdict: "goto", chain: "guard_br-back" }],
      ["127.0.0.0", "127.255.255.255", { verdict: "drop" }],
    ],
  );
  assert(chains.some(({ name }) => name === "guard_br-back"));
  assert.deepEqual(commentsOf(networks, [], "guard_br-back"), ["back: not by direct routing"]);
});

Deno.test("each bridge's addresses are refused from its ports, by family", () => {
  const six = network("six", 2);
  six.subnets.push({ subnet: "fd00::/64", gateway: "fd00::1" });
  const { sets, rules } = siblings([network("front", 1), six]);
  assert.deepEqual(sets.map(({ name, elements }) => [name, elements.length]), [
    ["gateways4", 2],
    ["gateways6", 1],
  ]);
  assert.equal(rules.length, SIBLING_RULES);
});
