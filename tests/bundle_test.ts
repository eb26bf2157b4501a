import assert from "assert";
import { test } from "./support/mod.ts";

const requires = ["root", "command:busybox"] as const;

test("a bundle's container has the name, the files and the time that flags give it", {
  requires,
}, async (t) => {
  const bundle = await t.bundle(["sleep", "1000"]);
  const [cidfile, pidfile] = [`${t.directory}/id`, `${t.directory}/pid`];
  const flags = ["--name", t.name, "--cidfile", cidfile, "--pidfile", pidfile, "--timeout", "1"];
  const { code } = await t.minictr(["run", "--bundle", bundle, ...flags]);
  assert.equal(code, 137);
  assert.match(Deno.readTextFileSync(cidfile), /^[0-9a-f]{64}$/);
  assert.match(Deno.readTextFileSync(pidfile), /^[0-9]+$/);
});

for (
  const [flag, value] of [
    ["--memory", "10m"],
    ["--env", "A=b"],
    ["--network", "bridge"],
    ["--cap-drop", "ALL"],
    ["--security-opt", "seccomp=unconfined"],
    ["--detach"],
    ["--init"],
  ]
) {
  test(`${flag} is refused for a bundle, and not passed over`, {
    requires: [...requires, "not-vm"],
  }, async (t) => {
    const bundle = await t.bundle(["touch", "/tmp/ran"]);
    const words = [flag, value].filter((word) => word !== undefined);
    const { code, out, err } = await t.minictr(["run", "--bundle", bundle, ...words]);
    assert.deepEqual([code, out], [125, ""]);
    assert.match(
      err,
      new RegExp(`^minictr: "${flag}" is not for "--bundle": its config.json .*\\n$`),
    );
  });
}
