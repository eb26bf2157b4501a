import assert from "assert";
import { parseProcess } from "./process_table.ts";
import { traffic } from "./figures.ts";

const STATUS = "Name:\tx\nUid:\t1\t1000\t1\t1\nGid:\t2\t2000\t2\t2\nVmRSS:\t    8 kB\n";

Deno.test("a process is read whatever its name holds", () => {
  const fields = "S 1 42 42 34816 42 0 0 0 0 0 250 50 0 0 20 0 1 0 3000 8192 2 0";
  const one = parseProcess(`42 (a) R (b\n) ${fields}`, STATUS, "sh\0-c\0x\0\0", 1_000_000);
  assert.deepEqual(one, {
    pid: 42,
    ppid: 1,
    pgid: 42,
    sid: 42,
    uid: 1000,
    gid: 2000,
    state: "Ss+",
    tty: "pts/0",
    cpuMs: 3000,
    startedMs: 1_030_000,
    nice: 0,
    threads: 1,
    virtualBytes: 8192,
    residentBytes: 8192,
    name: "a) R (b\n",
    command: "sh -c x",
  });
  assert.equal(parseProcess(`42 (x) ${fields}`, STATUS, "", 0).command, "[x]");
});

Deno.test("traffic is the sum of all interfaces but lo", () => {
  const text = "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes packets\n" +
    "    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n" +
    "  eth0: 200 2 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n  eth1:1 2 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n";
  assert.deepEqual(traffic(text), { receivedBytes: 201, sentBytes: 35 });
});
