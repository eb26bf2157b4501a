import assert from "assert";
import fc from "fast-check";
import { parseDevice, parseDeviceRule, parseDeviceValue } from "./device.ts";
import { UsageError } from "./usage_error.ts";
import { parseMount, parseTmpfs, parseVolume } from "./volume.ts";

const bind = (source: string, destination: string, ...options: string[]) => ({
  type: "bind",
  source,
  destination,
  options,
});
const tmpfs = (destination: string, ...options: string[]) => ({
  type: "tmpfs",
  destination,
  options,
});

const TAKEN: [parse: (text: string) => unknown, text: string, value: unknown][] = [
  [parseVolume, "/a:/b", { ...bind("/a", "/b", "rbind", "rprivate"), createSource: true }],
  [parseVolume, "./a:/b/../c/:ro", {
    ...bind("./a", "/c", "rbind", "rprivate", "ro"),
    createSource: true,
  }],
  [parseVolume, "/a:/b:rro,slave,bind,nosuid", {
    ...bind("/a", "/b", "rro", "slave", "bind", "nosuid"),
    createSource: true,
  }],
  [parseVolume, "/a:/b:z,cached,idmap", {
    ...bind("/a", "/b", "rbind", "rprivate", "idmap"),
    createSource: true,
  }],
  [parseVolume, "db:/b:nocopy", {
    ...bind("db", "/b", "rbind", "rprivate"),
    type: "volume",
    noCopy: true,
  }],
  [parseVolume, "/b", { type: "volume", destination: "/b", options: ["rbind", "rprivate"] }],
  [parseVolume, "/proc:/proc", {
    ...bind("/proc", "/proc", "rbind", "rprivate"),
    createSource: true,
  }],
  [parseVolume, "/x:/proc/meminfo", {
    ...bind("/x", "/proc/meminfo", "rbind", "rprivate"),
    createSource: true,
  }],
  [parseTmpfs, "/t", tmpfs("/t", "noexec", "nosuid", "nodev")],
  [parseTmpfs, "/t:", tmpfs("/t", "noexec", "nosuid", "nodev")],
  [parseTmpfs, "/t:exec,size=10%,mode=1777,uid=1", {
    ...tmpfs("/t", "nosuid", "nodev", "exec", "size=10%", "mode=1777", "uid=1"),
  }],
  [parseMount, "type=bind,src=/a,dst=/b,ro", bind("/a", "/b", "rbind", "rprivate", "ro")],
  [parseMount, "type=bind,source=/a,target=/b,readonly=0", bind("/a", "/b", "rbind", "rprivate")],
  [parseMount, "type=bind,src=/a,dst=/b,bind-propagation=rshared,bind-recursive=disabled", {
    ...bind("/a", "/b", "bind", "rshared"),
  }],
  [parseMount, "type=bind,src=/a,dst=/b,ro,bind-recursive=readonly,idmap", {
    ...bind("/a", "/b", "rbind", "rprivate", "rro", "idmap"),
  }],
  [parseMount, 'type=bind,"src=/a,""b""",dst=/b', bind('/a,"b"', "/b", "rbind", "rprivate")],
  [parseMount, "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700", {
    ...tmpfs("/t", "noexec", "nosuid", "nodev", "size=1048576", "mode=700"),
  }],
  [parseMount, "src=db,dst=/b", { ...bind("db", "/b", "rbind", "rprivate"), type: "volume" }],
  [parseDevice, "/dev/a", { source: "/dev/a", destination: "/dev/a", access: "rwm" }],
  [parseDevice, "/dev/a:rw", { source: "/dev/a", destination: "/dev/a", access: "rw" }],
  [parseDevice, "/dev/a:/dev/b", { source: "/dev/a", destination: "/dev/b", access: "rwm" }],
  [parseDevice, "/dev/a:/dev/b:r", { source: "/dev/a", destination: "/dev/b", access: "r" }],
  [parseDeviceRule, "c 1:3 rwm", { allow: true, type: "c", major: 1, minor: 3, access: "rwm" }],
  [parseDeviceRule, "a *:* r", { allow: true, type: "a", access: "r" }],
];

for (const [parse, text, value] of TAKEN) {
  Deno.test(`${parse.name}() takes "${text}"`, () => {
    assert.deepEqual(parse(text), value);
  });
}

const REFUSED: [parse: (text: string) => unknown, list: string[]][] = [
  [parseVolume, ["", ":", "/a:", ":/b", "/a:/b:", "/a:/b:ro:rw", "/a:b", "b", "/a:/", "/"]],
  [parseVolume, ["/a:/b:x", "/a:/b:ro,rw", "/a:/b:ro,rro", "/a:/b:ro,", "/a:/b:private,shared"]],
  [parseVolume, ["/a:/b:size=1", "/a:/b:toString", "/a:/b:remount", "/a:/b:context=x"]],
  [parseVolume, ["/etc:/e:z", "/usr/:/u:Z", "/:/h:Z", "/home/../etc:/e:z"]],
  [parseVolume, ["/a:/proc", "/a:/proc/self", "/proc/1:/proc"]],
  [parseTmpfs, ["", "t", "/t:shared", "/t:bind", "/t:size=", "/t:size=x", "/t:mode=9", "/t:rro"]],
  [parseTmpfs, ["/t:exec,noexec", "/t:size=1,size=2", "/proc", "/t:uid=-1"]],
  [parseMount, [
    "",
    "type=bind,dst=/b",
    "type=bind,src=/a",
    "type=x,dst=/b",
    "dst",
    "bogus=1,dst=/b",
  ]],
  [parseMount, ["type=bind,src=,dst=/b", "type=bind,src= /a,dst=/b", "type=bind, src=/a,dst=/b"]],
  [parseMount, ["type=bind,src=/a,dst=/b,ro=yes", "type=bind,src=/a,src=/c,dst=/b"]],
  [parseMount, [
    'type=bind,src=/a,dst=/b,"bind-propagation=shared,rw"',
    "type=tmpfs,src=/a,dst=/b",
  ]],
  [parseMount, ["type=volume,src=a,dst=/b,bind-propagation=rprivate", 'type=bind,"src=/a,dst=/b']],
  [parseMount, [
    "type=bind,src=/a,dst=/b,tmpfs-size=1",
    "type=bind,src=/a,dst=/b,bind-recursive=x",
  ]],
  [parseMount, [
    "type=bind,src=/a,dst=/b,bind-recursive=readonly",
    "type=tmpfs,dst=/b,tmpfs-mode=x",
  ]],
  [parseDevice, ["", ":", "a", "/a:b", "/a:/b:x", "/a:/b:rr", "/a:/b:r:w", "/a:", "rw"]],
  [parseDeviceRule, ["", "c 1:3", "x 1:3 r", "c 1 r", "c 1:3 x", "c -1:3 r", "c 1:3 rr"]],
  [(text) => parseDeviceValue(text, Number), ["", "sda:1", "/dev/sda", "/x:1"]],
];

for (const [parse, list] of REFUSED) {
  for (const text of list) {
    Deno.test(`${parse.name || "parseDeviceValue"}() refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parse(text), UsageError);
    });
  }
}

Deno.test("no text makes a mount with an option that the tables do not name", () => {
  const word = fc.constantFrom("ro", "rro", "shared", "Z", "exec", "size=1k", "x", "mode=700", "");
  const known = /^(r?bind|r?(private|shared|slave)|r?ro|rw|(no)?(exec|suid|dev)|(size|mode)=\w+)$/;
  fc.assert(
    fc.property(fc.array(word), fc.constantFrom(parseVolume, parseTmpfs), (words, parse) => {
      const text = parse === parseVolume ? `/a:/b:${words.join(",")}` : `/b:${words.join(",")}`;
      try {
        for (const option of parse(text).options) assert.match(option, known);
      } catch (error) {
        assert(error instanceof UsageError, String(error));
      }
    }),
  );
});

Deno.test("every text is a mount or refused", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...':/,="ab', "type=bind") }),
  );
  fc.assert(
    fc.property(text, fc.constantFrom(parseVolume, parseTmpfs, parseMount), (text, parse) => {
      try {
        assert.match(parse(text).destination, /^\/[^/]/);
      } catch (error) {
        assert(error instanceof UsageError, String(error));
      }
    }),
  );
});
