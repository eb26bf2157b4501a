/** What a kernel without a module says; modules are the whole machine's. */
import assert from "assert";
import { test } from "../support/mod.ts";
import { Host } from "../support/network.ts";

test("a kernel without its module for bridges is told of, with what loads it", {
  requires: ["root", "command:nft", "command:ip", "command:python3", "command:busybox", "vm"],
  timeoutMs: 120_000,
}, async (t) => {
  await using host = await Host.start(t);
  const modules = (line: string) => host.sh(`${line} 2>&1`);
  await modules("modprobe -r nft_meta_bridge nf_conntrack_bridge br_netfilter bridge; true");
  assert.equal(await modules("grep -c ^bridge /proc/modules; true"), "0\n");
  await modules("echo /bin/false > /proc/sys/kernel/modprobe");
  try {
    const { code, err } = await host.minictr("run", "--rm", "--rootfs", t.rootfs, "true");
    assert.equal(code, 125, err);
    assert.match(err, /^minictr: .*the kernel has no bridges: .*`modprobe bridge`\n$/);
    assert.equal(await host.sh("ip -br link show | grep -vE '^(lo|uplink)'; nft list tables"), "");
  } finally {
    await modules("echo /sbin/modprobe > /proc/sys/kernel/modprobe; modprobe bridge");
  }
});
