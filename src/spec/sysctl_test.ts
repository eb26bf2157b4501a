import assert from "assert";
import fc from "fast-check";
import { sysctlPath, sysctlProblem } from "./sysctl.ts";
import type { LinuxNamespace } from "./types.ts";

const all: LinuxNamespace[] = [{ type: "network" }, { type: "ipc" }, { type: "uts" }];

const PATHS: [key: string, path: string | undefined][] = [
  ["net.ipv4.ip_forward", "net/ipv4/ip_forward"],
  ["net/ipv4/ip_forward", "net/ipv4/ip_forward"],
  ["net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding"],
  ["net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding"],
  ["net", undefined],
  ["", undefined],
  ["net..ipv4", undefined],
  ["net/../kernel/core_pattern", undefined],
  ["net.//.kernel", undefined],
  ["/net/ipv4", undefined],
  ["net.ipv4.", undefined],
  ["net.ipv4.a b", undefined],
];

for (const [key, path] of PATHS) {
  Deno.test(`sysctlPath() makes "${key}" ${path ?? "nothing"}`, () => {
    assert.equal(sysctlPath(key), path);
  });
}

Deno.test("sysctlPath() never leaves /proc/sys", () => {
  const key = fc.string({ unit: fc.constantFrom(".", "/", "a", "net", "..", "\n") });
  fc.assert(fc.property(key, (text) => {
    const path = sysctlPath(text);
    if (path === undefined) return;
    assert.equal(new URL(`file:///proc/sys/${path}`).pathname, `/proc/sys/${path}`);
  }));
});

const REFUSED: [key: string, value: string, namespaces: LinuxNamespace[]][] = [
  ["kernel.core_pattern", "core", all],
  ["kernel.hostname", "x", all],
  ["vm.swappiness", "1", all],
  ["kernel.shm_rmid_forced", "1+kernel.core_pattern=|/x", all],
  ["kernel.msgmax", "1\n2", all],
  ["net.ipv4.ip_forward", "1", [{ type: "ipc" }]],
  ["kernel.msgmax", "1", [{ type: "network" }]],
  ["fs.mqueue.msg_max", "1", []],
  ["kernel.domainname", "x", [{ type: "network" }]],
];

for (const [key, value, namespaces] of REFUSED) {
  Deno.test(`sysctlProblem() refuses ${key}=${JSON.stringify(value)}`, () => {
    assert.notEqual(sysctlProblem(key, value, namespaces), undefined);
  });
}

Deno.test("sysctlProblem() lets a namespace's own sysctls through", () => {
  const own = {
    "net.ipv4.ping_group_range": "0 2147483647",
    "net.ipv4.ip_local_reserved_ports": "1-2,3",
    "kernel.shmmax": "65536",
    "kernel.sem": "250\t32000 32 128",
    "fs.mqueue.msg_max": "10",
    "kernel.domainname": "example.com",
  };
  for (const [key, value] of Object.entries(own)) {
    assert.equal(sysctlProblem(key, value, all), undefined);
  }
});
