import assert from "assert";
import {
  allLeases,
  chooseAddress,
  type Endpoint,
  readLeases,
  startOf,
  writeLeases,
} from "./lease.ts";
import { bridgeName, hash, type Network, tableName, vethName } from "./network.ts";

const network: Network = {
  version: 1,
  name: "small",
  bridge: "mctr0",
  subnets: [],
  internal: false,
  created: "2026-01-01T00:00:00Z",
};
const subnet = { subnet: "10.91.0.0/29", gateway: "10.91.0.1" };

function endpoint(name: string, address: string, pid = 1, started = startOf(pid)): Endpoint {
  const rest = { container: name, network: "small", interface: "eth0", host: "v", mac: "" };
  return {
    ...rest,
    name,
    addresses: [`${address}/29`],
    aliases: [],
    ports: [],
    pid,
    started: started ?? "",
  };
}

Deno.test("addresses are given in turn, each once, until none is free", () => {
  const endpoints: Endpoint[] = [];
  for (let last = 2; last <= 6; last++) {
    const address = chooseAddress(network, subnet, { endpoints });
    assert.equal(address, `10.91.0.${last}/29`);
    endpoints.push(endpoint(`c${last}`, `10.91.0.${last}`));
  }
  assert.throws(() => chooseAddress(network, subnet, { endpoints }), /5 containers are on/);
  endpoints.splice(1, 1);
  assert.equal(chooseAddress(network, subnet, { endpoints }), "10.91.0.3/29");
});

Deno.test("an address that was just given back is not the next one", () => {
  const endpoints = [endpoint("one", "10.91.0.2"), endpoint("three", "10.91.0.4")];
  assert.equal(chooseAddress(network, subnet, { endpoints }), "10.91.0.5/29");
});

Deno.test("addresses come from the range, and a wanted one from all of the subnet", () => {
  const ranged = { ...subnet, range: "10.91.0.4/30" };
  assert.equal(chooseAddress(network, ranged, { endpoints: [] }), "10.91.0.4/29");
  const wanted = chooseAddress(network, ranged, { endpoints: [], wanted: "10.91.0.2" });
  assert.equal(wanted, "10.91.0.2/29");
});

Deno.test("leases of an earlier boot, and of containers that are gone, are void", () => {
  const directory = Deno.makeTempDirSync();
  const roots = { run: `${directory}/run`, data: `${directory}/data` };
  const NO_PROCESS = 2 ** 22 + 1; // Above the highest pid_max.
  try {
    Deno.mkdirSync(`${roots.run}/containers/here`, { recursive: true });
    const endpoints = [
      endpoint("here", "10.91.0.2", NO_PROCESS),
      endpoint("gone", "10.91.0.3", NO_PROCESS),
      endpoint("starting", "10.91.0.4", Deno.pid),
      endpoint("another process", "10.91.0.5", Deno.pid, "1"),
    ];
    writeLeases(roots, "small", endpoints);
    assert.deepEqual(allLeases(roots).map(({ name }) => name), ["here", "starting"]);
    const file = `${roots.run}/networks/small/leases.json`;
    Deno.writeTextFileSync(file, JSON.stringify({ boot: "another", endpoints }));
    assert.deepEqual(readLeases(roots, "small"), []);
    Deno.writeTextFileSync(file, "{");
    assert.deepEqual(readLeases(roots, "small"), []);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("a process that has ended is not there, though nobody has waited for it", async () => {
  // The shell becomes one that does not wait for its child, which has ended by then.
  const script = "sleep 0.05 & echo $!; exec sleep 20";
  const child = new Deno.Command("sh", { args: ["-c", script], stdout: "piped" }).spawn();
  try {
    const { value } = await child.stdout.getReader().read();
    const pid = Number(new TextDecoder().decode(value));
    for (let tries = 0; tries < 200 && startOf(pid) !== undefined; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(startOf(pid), undefined);
    assert.match(Deno.readTextFileSync(`/proc/${pid}/stat`), /\) Z /);
    assert.match(startOf(Deno.pid) ?? "", /^\d+$/);
  } finally {
    child.kill();
    await child.status;
  }
});

Deno.test("names on the host fit into 15 bytes, and only the system's root has the plain ones", () => {
  const system = { run: "/run/minictr", data: "/var/lib/minictr" };
  const other = { run: "/srv/test/run", data: "/srv/test/data" };
  assert.deepEqual([bridgeName(system, "bridge"), tableName(system)], ["minictr0", "minictr"]);
  assert.notEqual(bridgeName(other, "bridge"), "minictr0");
  assert.match(tableName(other), /^minictr_[0-9a-f]{6}$/);
  const names = [
    bridgeName(other, "bridge"),
    bridgeName(system, "a-network-with-a-long-name"),
    bridgeName(other, "a-network-with-a-long-name"),
    vethName(other, "c".repeat(64), "bridge"),
    vethName(other, "c".repeat(64), "front"),
  ];
  for (const name of names) assert.ok(name.length <= 15, name);
  assert.equal(new Set(names).size, names.length);
});

Deno.test("hash() tells two thousand similar paths apart", () => {
  const seen = new Set(Array.from({ length: 2000 }, (_, at) => hash(`/srv/${at}/run`)));
  assert.equal(seen.size, 2000);
});
