/**
 * Bytes that nft 1.0.6 sent, read with `strace -e trace=sendmsg -e write=all nft -f FILE`.
 */
import assert from "assert";
import { parseAttributes, readAttributes, readList } from "./attribute.ts";
import type { Request } from "./message.ts";
import { replaceTables, type Ruleset } from "./nft.ts";
import { concatenated, type Element, type NftSet, TYPE } from "./nft_set.ts";
import { assertSame } from "./same_attributes_test.ts";
import { big16, big32, interfaceName, nulString } from "./value.ts";

const NFGENMSG_SIZE = 4;
const DROP = { verdict: "drop" } as const;
const T = { family: "inet", name: "t" } as const;
const EMPTY: Ruleset = { chains: [], sets: [], rules: [] };

/** A request of a table named "t", by what it says it does. */
function requestFor(ruleset: Partial<Ruleset>, what: RegExp): Request {
  const found = replaceTables({ ...T, comment: "abc", ...EMPTY, ...ruleset })
    .findLast((request) => what.test(request.what));
  assert(found, `no request to ${what}`);
  return found;
}

Deno.test("a table with a comment, and a chain at a hook, are sent as nft sends them", () => {
  // table inet t { comment "abc"; chain p { type nat hook prerouting priority -100; policy accept; } }
  const table = requestFor({}, /add table/);
  const FLAGS = 2; // nft sends it as 0.
  assertSame(
    table.body,
    "01000000060001007400000008000200000000000a0006000004616263000000",
    { headerSize: NFGENMSG_SIZE, free: [FLAGS] },
  );
  const chains = [{ name: "p", hook: { type: "nat", at: "prerouting", priority: -100 } }] as const;
  assertSame(
    requestFor({ chains }, /add chain/).body,
    "0100000006000100740000000600030070000000080007006e617400080005000000000114000480080001000000000008000200ffffff9c",
    { headerSize: NFGENMSG_SIZE },
  );
});

/** Sets, their elements, and what nft sent for both. */
const SETS: Record<
  string,
  { set: NftSet; element: Element; nft: [set: string, elements: string] }
> = {
  "map m { type inet_proto . inet_service : ipv4_addr . inet_service; elements = { tcp . 8080 : 10.0.0.2 . 80 } }":
    {
      set: {
        name: "m",
        key: concatenated(TYPE.inet_proto, TYPE.inet_service),
        data: concatenated(TYPE.ipv4_addr, TYPE.inet_service),
      },
      element: {
        key: new Uint8Array([6, 0, 0, 0, 0x1f, 0x90, 0, 0]),
        data: new Uint8Array([10, 0, 0, 2, 0, 80, 0, 0]),
      },
      nft: [
        "010000000600010074000000060002006d0000000800030000000008080004000000030d0800050000000008" +
        "08000600000001cd080007000000000808000a00000000012a000d0000040000000001040000000003080004" +
        "0d0000000100040800040d00000001000604000000000000",
        "010000000600010074000000060002006d00000008000400000000012800038024000180100001800c000100" +
        "060000001f900000100002800c0001000a00000200500000",
      ],
    },
  "map r { type ipv4_addr . inet_service : ipv4_addr; flags interval; elements = { 10.0.0.0/16 . 80-90 : 10.0.0.3 } }":
    {
      set: {
        name: "r",
        key: concatenated(TYPE.ipv4_addr, TYPE.inet_service),
        data: TYPE.ipv4_addr,
        isInterval: true,
      },
      element: {
        key: new Uint8Array([10, 0, 0, 0, 0, 80, 0, 0]),
        end: new Uint8Array([10, 0, 255, 255, 0, 90, 0, 0]),
        data: new Uint8Array([10, 0, 0, 3]),
      },
      nft: [
        "0100000006000100740000000600020072000000080003000000008c08000400000001cd0800050000000008" +
        "0800060000000007080007000000000408000a0000000003200009801c0002800c0001800800010000000004" +
        "0c000180080001000000000220000d00000400000000010402000000030800040d0000000100060400000000",
        "010000000600010074000000060002007200000008000400000000033400038030000180100001800c000100" +
        "0a0000000050000010000a800c0001000a00ffff005a00000c000280080001000a000003",
      ],
    },
  'set s { type ifname; elements = { "br7" } }': {
    set: { name: "s", key: TYPE.ifname },
    element: { key: interfaceName("br7") },
    nft: [
      "0100000006000100740000000600020073000000080003000000000008000400000000290800050000000010" +
      "08000a00000000040a000d000004010000000000",
      "01000000060001007400000006000200730000000800040000000004200003801c0001801800018014000100" +
      "62723700000000000000000000000000",
    ],
  },
};

for (const [text, { set, element, nft }] of Object.entries(SETS)) {
  Deno.test(`the ${text.replace(/;.*/, "")} is sent as nft sends it`, () => {
    const sets = [{ ...set, elements: [element] }];
    const [DESC, ID, USERDATA, SET_ID] = [9, 10, 13, 4]; // A size, numbers, what nft shows.
    const free = set.key.fields && set.isInterval ? [ID, USERDATA] : [DESC, ID, USERDATA];
    assertSame(requestFor({ sets }, /add (map|set)/).body, nft[0], {
      headerSize: NFGENMSG_SIZE,
      free,
    });
    assertSame(requestFor({ sets }, /add elements/).body, nft[1], {
      headerSize: NFGENMSG_SIZE,
      free: [SET_ID],
    });
  });
}

Deno.test("a map of verdicts by ranges has the begin and the first key behind the end", () => {
  const set: NftSet = { name: "g", key: TYPE.ipv4_addr, data: "verdict", isInterval: true };
  const elements = [
    { key: new Uint8Array([10, 0, 0, 0]), end: new Uint8Array([10, 0, 255, 255]), data: DROP },
    { key: new Uint8Array([255, 0, 0, 0]), end: new Uint8Array([255, 255, 255, 255]), data: DROP },
  ];
  const { body } = requestFor({ sets: [{ ...set, elements }] }, /add elements/);
  const list = readAttributes(body.subarray(NFGENMSG_SIZE)).get(3);
  const key = (...bytes: number[]) => ({ 1: new Uint8Array(bytes) });
  assert.deepEqual(readList(list ?? new Uint8Array()).map(parseAttributes), [
    { 1: key(10, 0, 0, 0), 2: { 2: { 1: big32(0) } } },
    { 1: key(10, 1, 0, 0), 3: big32(1) },
    { 1: key(255, 0, 0, 0), 2: { 2: { 1: big32(0) } } },
  ]);
});

Deno.test("more elements than one attribute can hold go into several messages", () => {
  const elements = Array.from({ length: 2000 }, (_, port) => ({ key: big16(port) }));
  const sets = [{ name: "many", key: TYPE.inet_service, elements }];
  const requests = replaceTables({ ...T, comment: "c", ...EMPTY, sets });
  assert.equal(requests.filter(({ what }) => /add elements/.test(what)).length, 5);
});

Deno.test("a comment with a NUL, or longer than its length can say, is refused", () => {
  assert.throws(() => replaceTables({ ...T, comment: "a\0b", ...EMPTY }), /has a NUL/);
  assert.throws(() => replaceTables({ ...T, comment: "a".repeat(256), ...EMPTY }), RangeError);
  assert.throws(() => interfaceName("a-name-too-long-"), /too long/);
  assert.deepEqual([...nulString("é")], [0xc3, 0xa9, 0]);
});
