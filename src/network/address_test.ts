import assert from "assert";
import fc from "fast-check";
import {
  addressAt,
  contains,
  formatAddress,
  formatSubnet,
  overlap,
  parseAddress,
  parseSubnet,
  sizeOf,
} from "./address.ts";

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 });

Deno.test("an address is the same after formatting and parsing", () => {
  fc.assert(fc.property(fc.oneof(v4, v6), (bytes) => {
    assert.deepEqual(parseAddress(formatAddress(bytes)), bytes);
  }));
});

Deno.test("IPv6 is shortened as in RFC 5952, and read in every form", () => {
  for (const text of ["fd00:0:0:0:0:0:0:6", "FD00::6", "fd00::0:6"]) {
    assert.equal(formatAddress(parseAddress(text) ?? new Uint8Array(16)), "fd00::6");
  }
  assert.equal(parseAddress("::")?.every((byte) => byte === 0), true);
});

Deno.test("what is no address is none", () => {
  for (const text of ["", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", ":::", "g::1", "::1/64"]) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

Deno.test("a subnet with bits behind its prefix is refused, naming the right one", () => {
  assert.equal(formatSubnet(parseSubnet("10.90.0.0/16")), "10.90.0.0/16");
  assert.throws(() => parseSubnet("10.90.0.1/16"), /did you mean "10\.90\.0\.0\/16"/);
  for (const text of ["10.90.0.0", "10.90.0.0/33", "fd00::/129", "/8"]) {
    assert.throws(() => parseSubnet(text), /is not a subnet/, text);
  }
});

Deno.test("each address of a subnet is in it, and the next one is not", () => {
  fc.assert(fc.property(v4, fc.integer({ min: 1, max: 32 }), fc.nat(), (bytes, prefix, place) => {
    const whole = formatAddress(bytes);
    let subnet;
    try {
      subnet = parseSubnet(`${whole}/${prefix}`);
    } catch (error) {
      const [, right = ""] = /did you mean "(.*)"/.exec(String(error)) ?? [];
      subnet = parseSubnet(right);
    }
    assert.ok(contains(subnet, bytes));
    assert.ok(contains(subnet, addressAt(subnet, place % sizeOf(subnet))));
    assert.ok(!contains(subnet, addressAt(subnet, sizeOf(subnet))));
  }));
});

Deno.test("subnets overlap if one is in the other, in either order", () => {
  const pairs: [string, string, boolean][] = [
    ["10.0.0.0/8", "10.90.0.0/16", true],
    ["10.90.0.0/16", "10.91.0.0/16", false],
    ["10.90.0.0/16", "10.90.0.0/16", true],
    ["fd00::/64", "10.0.0.0/8", false],
    ["fd00::/64", "fd00::/48", true],
  ];
  for (const [one, other, expected] of pairs) {
    assert.equal(overlap(parseSubnet(one), parseSubnet(other)), expected, `${one} ${other}`);
    assert.equal(overlap(parseSubnet(other), parseSubnet(one)), expected, `${other} ${one}`);
  }
});
