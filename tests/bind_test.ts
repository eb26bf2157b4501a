/**
 * `-v SOURCE:TARGET`, where the source is a file, a directory, or not there.
 */
import assert from "assert";
import { test } from "./support/mod.ts";

const requires = ["root", "command:busybox", "not-vm"] as const;

test("-v binds a file of the host on a file, which need not be there", { requires }, async (t) => {
  const source = `${t.directory}/file`;
  await Deno.writeTextFile(source, "of the host\n");
  const own = ["--rootfs", await t.ownRootfs()];
  for (const target of ["/etc/passwd", "/new/file"]) {
    const { code, out, err } = await t.run([...own, "-v", `${source}:${target}`], ["cat", target]);
    assert.equal(`${code} ${out}`, "0 of the host\n", err);
  }
  const { code } = await t.run([...own, "-v", `${source}:/file:ro`], ["sh", "-c", "echo x >/file"]);
  assert.equal(code, 1);
  assert.equal(await Deno.readTextFile(source), "of the host\n");
});

test("-v makes a directory where its source is not there, and --mount does not", {
  requires,
}, async (t) => {
  const source = `${t.directory}/new/directory`;
  const { code, err } = await t.run(["-v", `${source}:/data`], ["touch", "/data/x"]);
  assert.equal(code, 0, err);
  assert.ok((await Deno.stat(`${source}/x`)).isFile);
  const missing = `type=bind,src=${t.directory}/missing,dst=/data`;
  const refused = await t.run(["--mount", missing], ["true"]);
  assert.equal(refused.code, 125);
  assert.match(refused.err, /missing/);
  await assert.rejects(Deno.stat(`${t.directory}/missing`), Deno.errors.NotFound);
});
