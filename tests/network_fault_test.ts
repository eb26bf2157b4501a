import assert from "assert";
import { PROJECT, type Scratch, test } from "./support/mod.ts";
import { Host } from "./support/network.ts";

const requires = [
  "root",
  "command:nft",
  "command:ip",
  "command:ping",
  "command:strace",
  "not-vm",
] as const;
const options = { requires, timeoutMs: 240_000 };

const request = {
  container: "id-first",
  name: "first",
  networks: [{ name: "bridge" }],
  publish: [{ container: [80, 80], host: [8080, 8080], protocol: "tcp" }],
};

/**
 * Has something done by a process of its own, which is killed when it makes a system call for the
 * n-th time.
 *
 * @returns whether it was killed
 */
async function doneKilled(
  t: Scratch,
  { host, line, at: [call, n] }: { host: Host; line: unknown[]; at: [call: string, n: number] },
): Promise<boolean> {
  const driver = `${PROJECT}/tests/support/network_driver.ts`;
  const inject = `inject=${call}:signal=KILL:when=${n}`;
  const strace = ["strace", "-f", "-o", "/dev/null", "-e", `trace=${call}`];
  const deno = [Deno.execPath(), "run", "-A", "--no-lock", "--cached-only", driver];
  const words = host.words([...strace, "-e", inject, ...deno, `${t.directory}/root`]);
  const program = t.start(words, { stdin: "pipe", timeoutMs: 60_000 });
  await program.write(`${JSON.stringify(line)}\n`);
  await program.closeStdin().catch(() => {}); // It may have been killed already.
  const { code, out, err } = await program.ended;
  if (code === 0) assert.match(out, /"result"/, `${out}${err}`);
  return code !== 0;
}

/** Makes the host as new: only the uplink and its namespace's loopback are left. */
const FORGET = `for link in $(ip -o link show | cut -d: -f2 | cut -d@ -f1); do
  case $link in lo | uplink) ;; *) ip link del "$link" ;; esac
done; nft flush ruleset; rm -rf `;

for (const call of ["sendto", "rename"]) {
  test(`killed at any ${call}, the next command makes a network that works`, options, async (t) => {
    await using host = await Host.start(t);
    const container = await host.agent.namespace();
    const { pid } = container;
    for (let n = 1; n <= 30; n++) {
      const where = `${call} ${n}`;
      if (!await doneKilled(t, { host, line: ["attach", request, pid], at: [call, n] })) {
        assert(n > 2, `${call} was made ${n - 1} times`);
        return;
      }
      // What repairs after a crash gives back what was set aside, then removes the directory.
      assert.equal((await host.do("disconnect", request.container)).error, undefined, where);
      await host.do("vanish", request.container);
      // The same container is started again, while its old interface may still be there.
      const again = await host.do("attach", request, pid);
      assert.equal(again.error, undefined, where);
      assert.match(await container.sh("ping -c1 -W2 -q 10.90.0.1"), / 0% packet loss/, where);
      const veths = JSON.parse(await host.sh("ip -j link show type veth"));
      assert.equal(veths.length, 2, `${where}: the uplink and one more`);
      const { result: leases } = await host.do<unknown[]>("leases");
      assert.equal(leases?.length, 1, where);
      assert.match(await host.sh("nft list ruleset"), /dnat ip to/, where);
      assert.equal((await host.do("disconnect", request.container)).error, undefined, where);
      assert.equal(await host.sh(`${FORGET} "${t.directory}/root"`), "", where);
    }
    assert.fail(`more than 30 calls of ${call}`);
  });
}

/** The elements of the map of published ports. */
const PORTS =
  "nft list map inet $(nft list tables inet | cut -d' ' -f3) ports4 | grep -o '8080 :.*'; true";

for (const call of ["sendto", "rename"]) {
  test(
    `killed at any ${call} of its end, the next command takes the port back`,
    options,
    async (t) => {
      await using host = await Host.start(t);
      const container = await host.agent.namespace();
      for (let n = 1; n <= 30; n++) {
        const where = `${call} ${n}`;
        const { error } = await host.do("attach", request, container.pid);
        assert.equal(error, undefined, where);
        assert.match(await host.sh(PORTS), /10\.90\./, where);
        const line = ["disconnect", request.container, "bridge"];
        const isKilled = await doneKilled(t, { host, line, at: [call, n] });
        const again = await host.do("disconnect", request.container, "bridge");
        assert.equal(again.error, undefined, where);
        assert.equal(await host.sh(PORTS), "", where);
        assert.deepEqual((await host.do<unknown[]>("leases")).result, [], where);
        if (!isKilled) return;
        const other = { ...request, container: "id-other", name: "other" };
        assert.equal(
          (await host.do("attach", other, (await host.agent.namespace()).pid)).error,
          undefined,
          where,
        );
        assert.equal(
          (await host.do("disconnect", other.container, "bridge")).error,
          undefined,
          where,
        );
      }
      assert.fail(`more than 30 calls of ${call}`);
    },
  );
}
