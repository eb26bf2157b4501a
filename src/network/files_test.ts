import assert from "assert";
import { hostsFile, isStub, resolvConf, withSiblings } from "./files.ts";
import type { Endpoint } from "./lease.ts";
import type { Network } from "./network.ts";

const network: Network = {
  version: 1,
  name: "front",
  bridge: "mctr0",
  subnets: [{ subnet: "10.91.0.0/24", gateway: "10.91.0.1" }],
  internal: false,
  created: "2026-01-01T00:00:00Z",
};

function endpoint(name: string, address: string, aliases: string[] = []): Endpoint {
  const rest = { container: name, network: "front", interface: "eth0", host: "v", mac: "" };
  return { ...rest, name, addresses: [`${address}/24`], aliases, ports: [], pid: 1, started: "1" };
}

Deno.test("hostsFile() names the container by hostname, name and alias, each once", () => {
  const text = hostsFile({
    hostname: "web",
    networks: [network],
    endpoints: [endpoint("web", "10.91.0.2", ["www"])],
    siblings: [endpoint("db", "10.91.0.3")],
    addHosts: ["api:192.0.2.7", "v6=fd00::7", "up:host-gateway"],
  });
  assert.deepEqual(text.split("\n"), [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "10.91.0.2\tweb www",
    "192.0.2.7\tapi",
    "fd00::7\tv6",
    "10.91.0.1\tup",
    "10.91.0.1\thost.containers.internal host.docker.internal",
    "# containers on the same networks",
    "10.91.0.3\tdb",
    "",
  ]);
});

Deno.test("host-gateway without a network is refused", () => {
  assert.throws(() => hostsFile({ hostname: "x", addHosts: ["up:host-gateway"] }), /network/);
});

Deno.test("withSiblings() changes only the lines of siblings", () => {
  const before = hostsFile({ hostname: "web" });
  const between = withSiblings(before, [endpoint("db", "10.91.0.3", ["postgres"])]);
  assert.match(between, /\n10\.91\.0\.3\tdb postgres\n$/);
  assert.equal(withSiblings(between, []), before);
});

Deno.test("resolvConf() leaves out servers on the host's loopback", () => {
  const host = "search example.org\nnameserver 127.0.0.1\nnameserver ::1\n" +
    "nameserver 192.0.2.53 # ours\noptions edns0 trust-ad\n";
  assert.deepEqual(resolvConf(host), {
    text: "nameserver 192.0.2.53\nsearch example.org\noptions edns0 trust-ad\n",
  });
  const { text, notice } = resolvConf("nameserver 127.0.0.1\n");
  assert.equal(text, "");
  assert.match(notice ?? "", /\(127\.0\.0\.1\); give one with --dns/);
});

Deno.test("resolvConf() takes what the flags say in place of the host's, each by itself", () => {
  const host = "domain old.example\nnameserver 192.0.2.53\n";
  assert.equal(
    resolvConf(host, { servers: ["127.0.0.11"] }).text,
    "nameserver 127.0.0.11\nsearch old.example\n",
  );
  assert.equal(resolvConf(host, { search: ["."] }).text, "nameserver 192.0.2.53\n");
  assert.equal(
    resolvConf(host, { search: ["a", "b"], options: ["ndots:2"] }).text,
    "nameserver 192.0.2.53\nsearch a b\noptions ndots:2\n",
  );
});

Deno.test("isStub() knows systemd-resolved's addresses, alone", () => {
  assert.equal(isStub("nameserver 127.0.0.53\noptions edns0\n"), true);
  assert.equal(isStub("nameserver 127.0.0.53\nnameserver 192.0.2.1\n"), false);
  assert.equal(isStub("nameserver 127.0.0.1\n"), false);
  assert.equal(isStub(""), false);
});
