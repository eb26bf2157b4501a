/** `--network none` and `host` beside the other flags of the network. */
import assert from "assert";
import { test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"] } as const;

for (const mode of ["none", "host"]) {
  test(`--dns and --add-host write their files with --network ${mode}`, NEEDS, async (t) => {
    const words = [
      "--dns",
      "192.0.2.53",
      "--dns-search",
      "example.org",
      "--add-host",
      "db:192.0.2.7",
    ];
    const { out, err, code } = await t.minictr(
      [
        "run",
        "--rm",
        "--network",
        mode,
        ...words,
        "--rootfs",
        t.rootfs,
        "cat",
        "/etc/resolv.conf",
        "/etc/hosts",
      ],
    );
    assert.equal(code, 0, err);
    assert.match(out, /^nameserver 192\.0\.2\.53\nsearch example\.org\n/);
    assert.match(out, /^192\.0\.2\.7\tdb$/m);
  });

  test(
    `an address with --network ${mode} is refused, and leaves no container`,
    NEEDS,
    async (t) => {
      for (const verb of ["run", "create"]) {
        const flags = ["--network", mode, "--ip", "10.0.0.2"];
        const { code, out, err } = await t.minictr([verb, ...flags, "--rootfs", t.rootfs, "true"]);
        assert.deepEqual([code, out], [125, ""]);
        assert.match(
          err,
          new RegExp(`^minictr: --ip needs a network, [^\n]*--network ${mode}[^\n]*\n$`),
        );
      }
      assert.equal((await t.minictr(["ps", "-aq"])).out, "");
    },
  );
}
