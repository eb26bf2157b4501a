import assert from "assert";
import {
  choosePorts,
  type Holder,
  type PortRequest,
  type Published,
  reachable,
} from "./port_choice.ts";

const free = () => undefined;
const tcp = (first: number, last = first): PortRequest => ({
  host: [first, last],
  container: [first, last],
  protocol: "tcp",
});
const web: Holder = {
  published: { host: 8080, container: 80, count: 10, protocol: "tcp" },
  name: 'container "web"',
};

Deno.test("ports keep their order, their address and their length", () => {
  const requests: PortRequest[] = [
    { host: [8080, 8080], container: [80, 80], protocol: "tcp" },
    { hostIp: "0.0.0.0", host: [53, 53], container: [53, 53], protocol: "udp" },
    { hostIp: "::1", host: [9000, 9009], container: [1, 10], protocol: "sctp" },
  ];
  assert.deepEqual(choosePorts(requests, [], free), [
    { host: 8080, container: 80, count: 1, protocol: "tcp" },
    { host: 53, container: 53, count: 1, protocol: "udp" },
    { hostIp: "::1", host: 9000, container: 1, count: 10, protocol: "sctp" },
  ]);
});

Deno.test("a port that another container has is refused, whatever part of a range it is", () => {
  for (const wanted of [tcp(8080), tcp(8089), tcp(8000, 8080), tcp(8089, 9000), tcp(1, 65_535)]) {
    assert.throws(
      () => choosePorts([wanted], [web], free),
      /^Error: cannot publish tcp ports? [\d-]+: container "web" has it$/,
    );
  }
  assert.equal(choosePorts([tcp(8079), tcp(8090)], [web], free).length, 2);
  assert.equal(choosePorts([{ ...tcp(8080), protocol: "udp" }], [web], free).length, 1);
});

Deno.test("the same port on two addresses is two ports, unless one stands for all", () => {
  const on = (hostIp: string) => ({ ...tcp(80), hostIp });
  assert.equal(choosePorts([on("127.0.0.1"), on("10.0.0.1"), on("::1")], [], free).length, 3);
  assert.throws(() => choosePorts([on("127.0.0.1"), tcp(80)], [], free), /this container itself/);
  assert.throws(() => choosePorts([on("::"), on("10.0.0.1")], [], free), /this container itself/);
});

Deno.test("a free port of a range is the first, and one is found where none is asked for", () => {
  const one: PortRequest = { host: [8085, 8095], container: [80, 80], protocol: "tcp" };
  assert.equal(choosePorts([one], [web], free)[0]?.host, 8090);
  assert.equal(
    choosePorts([one], [web], ({ host }) => host < 8093 ? "x" : undefined)[0]?.host,
    8093,
  );
  assert.throws(() => choosePorts([{ ...one, host: [8080, 8085] }], [web], free), /all taken/);
  const [any] = choosePorts([{ container: [80, 89], protocol: "tcp" }], [], free);
  assert(any && any.host >= 49_152 && any.host + any.count - 1 <= 65_535);
  const all: PortRequest = { container: [1, 60_000], protocol: "tcp" };
  assert.throws(() => choosePorts([all], [], free), /49152-65535 are all taken/);
});

Deno.test("what is no address is refused", () => {
  assert.throws(
    () => choosePorts([{ ...tcp(80), hostIp: "localhost" }], [], free),
    /not an address/,
  );
});

Deno.test("reachable() says who reaches a port", () => {
  const http: Published = { host: 8080, container: 80, count: 1, protocol: "tcp" };
  assert.equal(
    reachable("web", http),
    'tcp 8080 leads to "web" port 80: on all addresses of this host, from other machines too',
  );
  assert.equal(
    reachable("web", { ...http, hostIp: "127.0.0.1", count: 2 }),
    'tcp 8080-8081 leads to "web" port 80-81: on 127.0.0.1, from this host alone',
  );
});
