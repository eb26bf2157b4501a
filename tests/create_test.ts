import assert from "assert";
import { test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"], timeoutMs: 60_000 } as const;

test("create starts nothing, and start runs what was created", NEEDS, async (t) => {
  const cidfile = `${t.directory}/id`;
  const flags = ["--name", "made", "--cidfile", cidfile, "--network", "none"];
  const words = ["--rootfs", `${t.rootfs}:O`, "sh", "-c", "echo ran; exit 5"];
  const { out, code, err } = await t.minictr(["create", ...flags, ...words]);
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(out, `${Deno.readTextFileSync(cidfile)}\n`);
  assert.match((await t.minictr(["ps", "-a"])).out, /Created .*made/);
  assert.equal((await t.minictr(["logs", "made"])).out, "");
  assert.equal((await t.minictr(["start", "made"])).code, 0);
  assert.equal((await t.minictr(["wait", "made"])).out, "5\n");
  assert.equal((await t.minictr(["logs", "made"])).out, "ran\n");
  assert.equal((await t.minictr(["rm", "made"])).code, 0);
});

test("create refuses the flags of a run that starts at once", NEEDS, async (t) => {
  const { code, err } = await t.minictr(["create", "-d", "--rootfs", t.rootfs, "true"]);
  assert.equal(code, 125);
  assert.match(err, /"--detach" is for "minictr run"/);
});
