import assert from "assert";
import fc from "fast-check";
import { errorIn, messagesIn, newBridge, newNatTable } from "./netlink_message.ts";

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.replace(/\s/g, "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

Deno.test("the message for a bridge is the one that the headers describe", () => {
  const message = newBridge("br0");
  // struct nlmsghdr: 56 bytes, RTM_NEWLINK, REQUEST|ACK|CREATE; then struct ifinfomsg.
  assert.deepEqual(message.slice(0, 16), bytes("38000000 1000 0504 00000000 00000000"));
  assert.deepEqual(message.slice(16, 32), new Uint8Array(16));
  assert.deepEqual(message.slice(32, 40), bytes("0800 0300 62723000")); // IFLA_IFNAME "br0"
  // IFLA_LINKINFO, nested, and in it IFLA_INFO_KIND "bridge".
  assert.deepEqual(message.slice(40), bytes("1000 1280 0b00 0100 62726964676500 00"));
});

Deno.test("a batch begins, does and ends", () => {
  const types = messagesIn(newNatTable("t")).map(({ type }) => type);
  assert.deepEqual(types, [0x10, 0xa00, 0xa03, 0x11]);
});

/** NLMSG_ERROR with an error number. */
function answer(error: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(20));
  view.setUint32(0, 20, true);
  view.setUint16(4, 2, true);
  view.setInt32(16, -error, true);
  return new Uint8Array(view.buffer);
}

Deno.test("the first error counts, an acknowledgement is none, and silence is neither", () => {
  const read = (...errors: number[]) => errorIn(errors.flatMap((e) => messagesIn(answer(e))));
  assert.equal(read(0, 95, 1), 95);
  assert.equal(read(0), 0);
  assert.equal(read(), undefined);
});

Deno.test("any bytes may come as an answer", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const messages = messagesIn(bytes);
    errorIn(messages);
  }));
});
