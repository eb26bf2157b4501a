import assert from "assert";
import { type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox", "not-vm"], timeoutMs: 90_000 } as const;

async function ok(t: Scratch, ...words: string[]): Promise<string> {
  const { out, err, code } = await t.minictr(words);
  assert.equal(code, 0, err);
  return out;
}

/** A container that was made, and never started. */
async function created(t: Scratch, name: string, ...flags: string[]): Promise<string> {
  const rootfs = ["--network", "none", "--rootfs", `${t.rootfs}:O`];
  return (await ok(t, "create", "--name", name, ...flags, ...rootfs, "sleep", "100")).trim();
}

test("ps picks, orders and prints containers as docker does", NEEDS, async (t) => {
  const one = await created(t, "one", "--label", "tier=front", "-v", "/tmp:/data:ro");
  const two = await created(t, "two", "--label", "tier=back", "--label", "x");
  const ps = (...words: string[]) => ok(t, "ps", ...words);
  assert.equal(await ps("-q"), "");
  assert.equal(await ps("-aq", "--no-trunc"), `${two}\n${one}\n`);
  assert.equal(await ps("-lq"), `${two.slice(0, 12)}\n`);
  assert.equal(await ps("-n", "5", "--format", "{{.Names}}"), "two\none\n");
  assert.match(
    await ps("-a"),
    /^CONTAINER ID {3}IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n[0-9a-f]{12} {3}\S+ +"sleep 100" +\S.*Created +two\n/,
  );
  const names = async (...filters: string[]) =>
    await ps("-a", "--format", "{{.Names}}", ...filters.flatMap((filter) => ["-f", filter]));
  assert.equal(await names("label=tier"), "two\none\n");
  assert.equal(await names("label=tier=front"), "one\n");
  assert.equal(await names("label=tier", "label=x"), "two\n");
  assert.equal(await names("name=^o", "name=tw.$"), "two\none\n");
  assert.equal(await names("status=created", `id=${one.slice(0, 8)}`), "one\n");
  assert.equal(await names("status=exited"), "");
  assert.equal(await names("before=two"), "one\n");
  assert.equal(await names("since=one"), "two\n");
  assert.equal(await names("volume=/data"), "one\n");
  assert.equal(
    await ps("-a", "--format", 'table {{.Names}}\\t{{.Label "tier"}}\\t{{.Mounts}}'),
    "NAMES     tier      MOUNTS\ntwo       back\none       front     /tmp\n",
  );
  const row = JSON.parse(await ps("-l", "--format", "json"));
  assert.deepEqual([row.Labels, row.State, row.Image], ["tier=back,x=", "created", row.Image]);
  const wrong = await t.minictr(["ps", "-f", "nmae=x"]);
  assert.deepEqual([wrong.code, wrong.err.includes('did you mean "name"')], [125, true]);
  await ok(t, "rm", "one", "two");
});

test("inspect prints what a template picks, and fails for what is not there", NEEDS, async (t) => {
  const id = await created(t, "web", "--label", "tier=front", "-e", "A=1", "-v", "/tmp:/data:ro");
  const inspect = (...words: string[]) => ok(t, "inspect", ...words);
  assert.equal(await inspect("-f", "{{.Id}} {{.State.Status}}", "web"), `${id} created\n`);
  assert.equal(await inspect("web", "--format", '{{index .Config.Labels "tier"}}'), "front\n");
  assert.equal(
    await inspect("-f", "{{range .Mounts}}{{.Type}} {{.Source}} {{.RW}}{{end}}", "web"),
    "bind /tmp false\n",
  );
  assert.equal(await inspect("-f", '{{json .Config.Env | printf "%.3s"}}', "web"), '["P\n');
  const [whole] = JSON.parse(await inspect("web"));
  assert.deepEqual([whole.Path, whole.Args, whole.Config.Env.includes("A=1")], [
    "sleep",
    ["100"],
    true,
  ]);
  const missing = await t.minictr(["inspect", "-f", "{{.Name}}", "none", "web"]);
  assert.deepEqual([missing.code, missing.out], [1, "web\n"]);
  assert.match(missing.err, /there is no container, network or volume "none"/);
  const wrong = await t.minictr(["inspect", "-f", "{{.State.Statsu}}", "web"]);
  assert.equal(wrong.code, 125);
  assert.match(wrong.err, /at column 3: "\.State" has no field "Statsu": there are Status/);
  await ok(t, "rm", "web");
});

test("network ls and inspect take a format", NEEDS, async (t) => {
  assert.equal(await ok(t, "network", "ls", "--format", "{{.Name}}"), "");
  assert.match(await ok(t, "network", "ls"), /^NAME +DRIVER +SCOPE +SUBNETS\n$/);
  assert.equal((await t.minictr(["network", "inspect", "none"])).code, 125);
});
