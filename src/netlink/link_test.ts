/**
 * Bytes that iproute2 6.1 sent, read with `strace -e trace=sendmsg -e write=all ip …`.
 */
import assert from "assert";
import { addressIn, newAddress } from "./address.ts";
import { readAttributes } from "./attribute.ts";
import {
  deleteLink,
  newBridge,
  newVeth,
  setDown,
  setHairpin,
  setMac,
  setMaster,
  setMtu,
  setNoLinkLocal,
  setUp,
} from "./link.ts";
import { NLMSG_HDRLEN, parseMessages, type Request } from "./message.ts";
import { newRoute, routeIn } from "./route.ts";
import { assertSame, bytesOf } from "./same_attributes_test.ts";

const MAC = new Uint8Array([2, 0, 0, 0, 0, 1]);
const GATEWAY = new Uint8Array([10, 90, 0, 2]);
const V6 = new Uint8Array([0xfd, ...new Array(14).fill(0), 1]);
const [IFINFOMSG_SIZE, IFADDRMSG_SIZE, RTMSG_SIZE] = [16, 8, 12];

/** A command, the request that does the same, the size of its fixed header, and ip's message. */
const CASES: [command: string, request: Request, headerSize: number, ip: string][] = [
  [
    "ip link add br7 address 02:00:00:00:00:01 type bridge",
    newBridge("br7", { mac: MAC }),
    IFINFOMSG_SIZE,
    "44000000100005068d2f036b00000000000000000000000000000000000000000a000100020000000001000008000300" +
    "62723700100012000a0001006272696467650000",
  ],
  [
    "ip link set br7 up",
    setUp(2),
    IFINFOMSG_SIZE,
    "20000000100005008d2f036b0000000000000000020000000100000001000000",
  ],
  [
    "ip link set br7 down",
    setDown(2),
    IFINFOMSG_SIZE,
    "20000000100005006531036b0000000000000000020000000000000001000000",
  ],
  [
    "ip link set ve7 master br7",
    setMaster(3, 2),
    IFINFOMSG_SIZE,
    "28000000100005008d2f036b000000000000000003000000000000000000000008000a0002000000",
  ],
  [
    "ip link set br7 mtu 1400",
    setMtu(2, 1400),
    IFINFOMSG_SIZE,
    "28000000100005006431036b00000000000000000200000000000000000000000800040078050000",
  ],
  [
    "ip link set br7 address 02:00:00:00:00:01",
    setMac(2, MAC),
    IFINFOMSG_SIZE,
    "2c000000100005006631036b00000000000000000200000000000000000000000a0001000200000000010000",
  ],
  [
    "ip link set ve7 addrgenmode none",
    setNoLinkLocal(3),
    IFINFOMSG_SIZE,
    "30000000100005008e2f036b000000000000000003000000000000000000000010001a000c000a000500080001000000",
  ],
  [
    "ip link del ve7",
    deleteLink(3),
    IFINFOMSG_SIZE,
    "20000000110005008e2f036b0000000000000000030000000000000000000000",
  ],
  [
    "ip address replace 10.90.0.1/16 broadcast + dev br7",
    newAddress({ address: new Uint8Array([10, 90, 0, 1]), prefix: 16, index: 2 }),
    IFADDRMSG_SIZE,
    "30000000140005056331036b000000000210000002000000080002000a5a0001080001000a5a0001080004000a5affff",
  ],
  [
    "ip address replace fd00::1/64 dev br7 nodad",
    newAddress({ address: V6, prefix: 64, index: 2 }),
    IFADDRMSG_SIZE,
    "40000000140005056331036b000000000a4002000200000014000200fd00000000000000000000000000000114000100" +
    "fd000000000000000000000000000001",
  ],
  [
    "ip route add 10.1.0.0/16 via 10.90.0.2 dev br7",
    newRoute({
      destination: new Uint8Array([10, 1, 0, 0]),
      prefix: 16,
      gateway: GATEWAY,
      index: 2,
    }),
    RTMSG_SIZE,
    "34000000180005068e2f036b0000000002100000fe03000100000000080001000a010000080005000a5a000208000400" +
    "02000000",
  ],
  [
    "ip route add default via 10.90.0.2 dev br7",
    newRoute({ prefix: 0, gateway: GATEWAY, index: 2 }),
    RTMSG_SIZE,
    "2c000000180005068e2f036b0000000002000000fe03000100000000080005000a5a00020800040002000000",
  ],
];

/** Of `nlmsg_flags`, those that the socket adds: NLM_F_REQUEST, NLM_F_ACK. */
const ADDED_FLAGS = 0x5;

for (const [command, { type, flags, body }, headerSize, ip] of CASES) {
  Deno.test(`${command} is sent as ip sends it`, () => {
    const [message] = parseMessages(bytesOf(ip));
    assert.deepEqual({ type, flags: flags | ADDED_FLAGS }, {
      type: message?.type,
      flags: message?.flags,
    });
    assertSame(body, ip.slice(2 * NLMSG_HDRLEN), { headerSize });
  });
}

Deno.test("a port of a bridge is told of by `bridge`, where ip says `bridge_slave`", () => {
  const ours = setHairpin(3).body;
  const ip = "000000000300000000000000000000002000120010000100627269646765000000000000" +
    "0c0005000500040001000000";
  assert.deepEqual(ours.subarray(0, IFINFOMSG_SIZE), bytesOf(ip).subarray(0, IFINFOMSG_SIZE));
  const info = readAttributes(ours.subarray(IFINFOMSG_SIZE)).get(18) ?? new Uint8Array();
  assert.deepEqual([...info], [
    ...bytesOf("0a000400"),
    ...new TextEncoder().encode("bridge\0\0"),
    ...bytesOf("0c0005800500040001000000"),
  ]);
});

Deno.test("ip link add ve7 mtu 1400 type veth peer name eth0 netns … is sent as ip sends it", () => {
  const { body } = newVeth("ve7", { name: "eth0", namespace: 4 }, { mtu: 1400 });
  const ip = readAttributes(bytesOf(
    "080004007805000008000300766537003800120008000100766574682c00020028000100" +
      "0000000000000000000000000000000008001c0004000000090003006574683000000000",
  ));
  const inner = (attributes: Map<number, Uint8Array>) => {
    const info = readAttributes(attributes.get(18) ?? new Uint8Array());
    const peer = readAttributes(info.get(2) ?? new Uint8Array()).get(1) ?? new Uint8Array();
    return {
      mtu: attributes.get(4),
      name: attributes.get(3),
      kind: info.get(1),
      header: peer.subarray(0, IFINFOMSG_SIZE),
      peer: new Map([...readAttributes(peer.subarray(IFINFOMSG_SIZE))].sort(([a], [b]) => a - b)),
    };
  };
  const ours = readAttributes(body.subarray(IFINFOMSG_SIZE));
  assert.deepEqual(JSON.stringify(inner(ours)), JSON.stringify(inner(ip)));
});

Deno.test("an address and a route are read as they were written", () => {
  const address = { address: V6, prefix: 64, index: 2 };
  const route = { destination: new Uint8Array([10, 1, 0, 0]), prefix: 16, gateway: GATEWAY };
  const message = { type: 0, flags: 0, sequence: 0 };
  assert.deepEqual(addressIn({ ...message, body: newAddress(address).body }), address);
  assert.deepEqual(routeIn({ ...message, body: newRoute(route).body }), route);
  const local = newRoute(route).body;
  local[4] = 255; // RT_TABLE_LOCAL
  assert.equal(routeIn({ ...message, body: local }), undefined);
});

Deno.test("a name that the kernel would cut or refuse is refused", () => {
  for (const name of ["", "a-name-too-long-", "a/b", "a b", "a:b", "."]) {
    assert.throws(() => newBridge(name), /cannot name a link/, name);
  }
  assert.throws(() => newBridge("a\0b"), /has a NUL/);
  assert.throws(() => newBridge("x".repeat(70_000)), /cannot name a link/);
});
