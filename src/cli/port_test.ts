import assert from "assert";
import fc from "fast-check";
import { parseExposedPort, parsePublishedPort } from "./port.ts";
import { UsageError } from "./usage_error.ts";

const TAKEN: [text: string, port: unknown][] = [
  ["80", { container: [80, 80], protocol: "tcp" }],
  ["8080:80", { host: [8080, 8080], container: [80, 80], protocol: "tcp" }],
  ["8080:80/udp", { host: [8080, 8080], container: [80, 80], protocol: "udp" }],
  ["8080:80/SCTP", { host: [8080, 8080], container: [80, 80], protocol: "sctp" }],
  ["8000-8002:80-82", { host: [8000, 8002], container: [80, 82], protocol: "tcp" }],
  ["8000-8009:80", { host: [8000, 8009], container: [80, 80], protocol: "tcp" }],
  ["0:80", { container: [80, 80], protocol: "tcp" }],
  [":80", { container: [80, 80], protocol: "tcp" }],
  ["127.0.0.1::80", { hostIp: "127.0.0.1", container: [80, 80], protocol: "tcp" }],
  ["127.0.0.1:1:80", {
    hostIp: "127.0.0.1",
    host: [1, 1],
    container: [80, 80],
    protocol: "tcp",
  }],
  ["[::1]:1:80", { hostIp: "::1", host: [1, 1], container: [80, 80], protocol: "tcp" }],
  ["[2001:db8::1]::80", { hostIp: "2001:db8::1", container: [80, 80], protocol: "tcp" }],
];

for (const [text, port] of TAKEN) {
  Deno.test(`parsePublishedPort() takes "${text}"`, () => {
    assert.deepEqual(parsePublishedPort(text), port);
  });
}

const REFUSED = ("0 65536 8080: a 80/x 80/ 1-2:80-83 82-80 :: ::80 ::1:1:80 [::1]:80 [x]:1:80 " +
  "localhost:1:80 1.2.3:1:80 1.2.3.256:1:80 01.2.3.4:1:80 1:2:3:4 80-81-82 -80 80- [::1]1:80 " +
  "[]:1:80 8080:0 1.2.3.4:80:").split(" ");

for (const text of ["", " 80", ...REFUSED]) {
  Deno.test(`parsePublishedPort() refuses "${text}"`, () => {
    assert.throws(() => parsePublishedPort(text), UsageError);
  });
}

Deno.test("parsePublishedPort() reads what was written, for any ports and address", () => {
  const port = fc.integer({ min: 1, max: 65535 });
  const address = fc.oneof(fc.ipV4(), fc.ipV6().map((ip) => `[${ip}]`));
  fc.assert(fc.property(address, port, port, (ip, host, container) => {
    const found = parsePublishedPort(`${ip}:${host}:${container}/udp`);
    assert.deepEqual(found, {
      hostIp: ip.replace(/[[\]]/g, ""),
      host: [host, host],
      container: [container, container],
      protocol: "udp",
    });
  }));
});

Deno.test("parseExposedPort() takes a port or a range, and no host's", () => {
  assert.deepEqual(parseExposedPort("80-81/udp"), { container: [80, 81], protocol: "udp" });
  assert.throws(() => parseExposedPort("1:2"), UsageError);
});
