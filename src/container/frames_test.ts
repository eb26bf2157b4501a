import assert from "assert";
import fc from "fast-check";
import { FRAME_HEADER_SIZE, FRAME_MARK } from "../plan/supervise_log.ts";
import { FrameParser, framesIn } from "./frames.ts";

function frame(stream: 1 | 2, data: Uint8Array, seconds = 1_700_000_000): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_SIZE + data.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(seconds), true);
  view.setBigUint64(8, 5n, true);
  view.setUint32(16, data.length, true);
  view.setUint32(20, FRAME_MARK + stream, true);
  bytes.set(data, FRAME_HEADER_SIZE);
  return bytes;
}

const text = (value: string) => new TextEncoder().encode(value);
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const shown = (bytes: Uint8Array) =>
  framesIn(bytes).frames.map(({ stream, data }) => `${stream}:${new TextDecoder().decode(data)}`);

Deno.test("frames come back with stream, time and data", () => {
  const { frames, length } = framesIn(join(frame(1, text("a")), frame(2, text("bc"))));
  assert.deepEqual(frames.map(({ stream, time }) => [stream, time]), [
    [1, "2023-11-14T22:13:20.000000005Z"],
    [2, "2023-11-14T22:13:20.000000005Z"],
  ]);
  assert.equal(length, 2 * FRAME_HEADER_SIZE + 3);
});

Deno.test("a frame that is still being written is left for later", () => {
  const whole = frame(1, text("whole")), half = frame(1, text("half")).subarray(0, 26);
  assert.deepEqual(shown(join(whole, half)), ["1:whole"]);
  assert.equal(framesIn(join(whole, half)).length, whole.length);
});

Deno.test("what is no frame is passed over up to the next one", () => {
  const damaged = frame(1, text("x"));
  damaged.fill(0xff);
  assert.deepEqual(shown(join(frame(1, text("a")), damaged, frame(2, text("b")))), ["1:a", "2:b"]);
  assert.deepEqual(shown(join(text("M C L MCL garbage"), frame(2, text("b")))), ["2:b"]);
});

Deno.test("a frame that was cut off ends where the next one begins", () => {
  const cut = frame(1, text("a long line of output")).subarray(0, FRAME_HEADER_SIZE + 6);
  assert.deepEqual(shown(join(cut, frame(2, text("b")), frame(1, text("c")))), [
    "1:a long",
    "2:b",
    "1:c",
  ]);
});

Deno.test("a log read in any pieces gives the frames that it gives at once", () => {
  const pieces = fc.array(fc.tuple(fc.constantFrom(1 as const, 2 as const), fc.uint8Array()));
  fc.assert(fc.property(pieces, fc.array(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
    const whole = join(...frames.map(([stream, data]) => frame(stream, data)));
    const parser = new FrameParser();
    const got = [];
    let at = 0;
    for (const cut of [...cuts, whole.length]) {
      got.push(...parser.push(whole.subarray(at, at + cut)));
      at = Math.min(whole.length, at + cut);
    }
    assert.deepEqual(
      got.map(({ stream, data }) => [stream, data]),
      frames.map(([stream, data]) => [stream, data]),
    );
  }));
});

Deno.test("no bytes make it fail or turn without end", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assert.ok(framesIn(bytes).length <= bytes.length);
  }));
});
