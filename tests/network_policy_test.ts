/** Beside other engines' and firewalls' tables: what blocks is named, and what is said mends it. */
import assert from "assert";
import { doctorIn } from "./support/doctor.ts";
import { Host } from "./support/network.ts";
import { type Scratch, test } from "./support/mod.ts";

const requires = ["root", "command:nft", "command:ip", "command:python3", "not-vm"] as const;
const options = { requires, timeoutMs: 120_000 };

const chain = (name: string, hook = "") => `nft 'add chain ip filter ${name} { ${hook} }'`;
const FORWARD = chain("FORWARD", "type filter hook forward priority 0; policy drop;");

/** Rules as others make them, each with what doctor has them mended by. */
const FIREWALLS: [name: string, script: string, remedy: RegExp][] = [
  [
    "a chain of one's own",
    `nft add table ip filter; ${FORWARD}`,
    /^nft insert rule ip filter FORWARD /,
  ],
  [
    "docker's chains",
    `nft add table ip filter; ${chain("DOCKER-USER")}; ${FORWARD};
     nft add rule ip filter FORWARD counter jump DOCKER-USER`,
    /^nft insert rule ip filter DOCKER-USER iifname mctr\w+ accept; nft .* oifname/,
  ],
];

async function ask(t: Scratch, host: Host) {
  const { checks } = await doctorIn(t, host.words(["env"]));
  return checks.get("forward-policy");
}

for (const [name, script, mended] of FIREWALLS) {
  test(
    `${name} with a policy of DROP is named by doctor, and mended as it says`,
    options,
    async (t) => {
      await using host = await Host.start(t);
      const { netns: web } = await host.container("web");
      await host.neighbour.serve(7000);
      const reached = () => web.ask("192.0.2.2", 7000, { timeoutS: 1 });
      assert.equal((await ask(t, host))?.status, "ok");
      await host.sh(script);
      assert.equal(await reached(), "TimeoutError");
      const { status, found = "", remedy = "" } = await ask(t, host) ?? {};
      assert.equal(status, "warn", found);
      assert.match(found, /"ip filter FORWARD" drops what no rule accepts, and none accepts "mctr/);
      assert.match(remedy, mended);
      assert.equal(await host.sh(remedy), "");
      assert.equal(await reached(), "192.0.2.1 at 7000");
      assert.equal((await ask(t, host))?.status, "ok");
    },
  );
}

test(
  "forwarding that was turned off is named by doctor, and mended by a reload",
  options,
  async (t) => {
    await using host = await Host.start(t);
    const { netns: web } = await host.container("web");
    await host.neighbour.serve(7000);
    await host.sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
    const { checks } = await doctorIn(t, host.words(["env"]));
    const { status, found = "", remedy } = checks.get("ip-forward") ?? {};
    assert.equal(status, "warn");
    assert.match(found, /^off, although a container is on a network/);
    assert.equal(remedy, "sysctl -w net.ipv4.ip_forward=1");
    await host.do("reload");
    assert.equal(await web.ask("192.0.2.2", 7000), "192.0.2.1 at 7000");
  },
);

test("firewalld's table is named until the bridge is in a zone", options, async (t) => {
  await using host = await Host.start(t);
  await host.container("web");
  await host.sh(`nft add table inet firewalld
    nft 'add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; }'
    nft add chain inet firewalld filter_FWD_trusted
    nft add rule inet firewalld filter_FORWARD reject`);
  const { status, remedy = "" } = await ask(t, host) ?? {};
  assert.equal(status, "warn");
  const [, bridge] = /--zone=trusted --add-interface=(\w+); firewall-cmd --reload$/.exec(remedy) ??
    [];
  for (const side of ["iifname", "oifname"]) {
    await host.sh(
      `nft insert rule inet firewalld filter_FORWARD ${side} ${bridge} goto filter_FWD_trusted`,
    );
  }
  assert.equal((await ask(t, host))?.status, "ok");
});
