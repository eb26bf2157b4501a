import assert from "assert";
import fc from "fast-check";
import { aligned, serialiseAttributes } from "./attribute.ts";
import { NLM_F_ACK_TLVS, NLM_F_CAPPED } from "./constants.ts";
import {
  acknowledgementIn,
  type Message,
  NetlinkError,
  parseMessages,
  serialiseMessages,
} from "./message.ts";
import { joined, nulString, u32 } from "./value.ts";

const message: fc.Arbitrary<Message> = fc.record({
  type: fc.integer({ min: 0, max: 0xffff }),
  flags: fc.integer({ min: 0, max: 0xffff }),
  sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
  body: fc.uint8Array({ maxLength: 50 }),
}, { noNullPrototype: true });

Deno.test("messages are the same after serialising and parsing", () => {
  fc.assert(fc.property(fc.array(message), (messages) => {
    assert.deepEqual(parseMessages(serialiseMessages(messages)), messages);
  }));
});

Deno.test("random bytes are parsed or refused, never read beyond their end", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    try {
      parseMessages(bytes);
    } catch (error) {
      assert(error instanceof Error && /^cannot read message/.test(error.message));
    }
  }));
});

/** An NLMSG_ERROR as the kernel sends it for a request of `size` bytes. */
function refusal(errno: number, flags: number, size: number, text?: string): Message {
  const echoed = new Uint8Array(aligned((flags & NLM_F_CAPPED) ? 16 : size));
  new DataView(echoed.buffer).setUint32(0, size, true);
  const why = text === undefined
    ? new Uint8Array()
    : serialiseAttributes({ 1: nulString(text), 2: u32(8) });
  return { type: 2, flags, sequence: 1, body: joined(u32(-errno), echoed, why) };
}

Deno.test("a refusal says why, behind the request whole or its header alone", () => {
  const said = { errno: 17, text: "device exists" };
  const whole = refusal(17, NLM_F_ACK_TLVS, 50, "device exists");
  const capped = refusal(17, NLM_F_ACK_TLVS | NLM_F_CAPPED, 50, "device exists");
  assert.deepEqual(acknowledgementIn(whole), said);
  assert.deepEqual(acknowledgementIn(capped), said);
  assert.deepEqual(acknowledgementIn(refusal(1, NLM_F_CAPPED, 50)), { errno: 1 });
  assert.equal(acknowledgementIn({ type: 16, flags: 0, sequence: 1, body: u32(0) }), undefined);
});

Deno.test("an error names the request, the kernel's error and its text", () => {
  const error = new NetlinkError('add link "br0"', { errno: 17, text: "device exists" });
  assert.equal(error.message, 'cannot add link "br0": file exists (EEXIST): device exists');
  assert.equal(error.code, "EEXIST");
});
