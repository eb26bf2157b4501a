/**
 * What a first-time user meets: commands that cannot do their work say so in one line.
 */
import assert from "assert";
import { test } from "./support/mod.ts";

const NEEDS = { requires: ["root"] } as const;

test("what failed for one name is told in one line", NEEDS, async (t) => {
  const { code, out, err } = await t.minictr(["rm", "nobody"]);
  assert.deepEqual([code, out], [1, ""]);
  assert.equal(err, 'minictr: there is no container "nobody"\n');
});

test("an output that is full is told, and one that nobody reads is not", NEEDS, async (t) => {
  const into = async (redirection: string) => {
    const script = `"$@" ${redirection}; echo "\${PIPESTATUS[0]}" >&2`;
    await using shell = t.start(["bash", "-c", script, "bash", ...t.words(["ps"])]);
    return (await shell.ended).err;
  };
  assert.equal(
    await into(">/dev/full"),
    "minictr: cannot write: no space left on device (ENOSPC)\n125\n",
  );
  // Its reader has gone long before it has started.
  assert.equal(await into("| true"), "141\n");
});

test("a bundle without config.json is refused by its name", NEEDS, async (t) => {
  const { code, err } = await t.minictr(["run", "--bundle", t.directory]);
  assert.equal(code, 125);
  assert.match(err, /^minictr: --bundle: ".*" has no config\.json; `minictr spec` prints one\n$/);
});

test("export to a file without a name leaves nothing", NEEDS, async (t) => {
  const cwd = t.directory;
  const before = [...Deno.readDirSync(cwd)].length;
  const { code, err } = await t.minictr(["export", "-o", "", "nobody"], { cwd });
  assert.deepEqual([code, err], [125, 'minictr: --output: "" is not the name of a file\n']);
  assert.equal([...Deno.readDirSync(cwd)].length, before);
});

test("whoever is not root is told to be, and nothing is unpacked before", {
  requires: ["root", "command:setpriv"],
}, async (t) => {
  const readAnything = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...readAnything];
  for (const words of [["volume", "create", "data"], ["run", "--rm", "true"]]) {
    await using program = t.start([...nobody, ...t.words(words)], { env: { HOME: "/root" } });
    const { code, err } = await program.ended;
    assert.equal(code, 125);
    assert.match(err, /^minictr: .*needs root[^\n]*sudo minictr[^\n]*\n$/);
  }
});

test("without /proc a run ends and says so", {
  requires: ["root", "command:unshare", "command:busybox"],
}, async (t) => {
  const script = 'mount -t tmpfs none /proc && exec "$@"';
  const run = t.words(["run", "--rm", "--network", "none", "true"]);
  const program = t.start(["unshare", "-m", "sh", "-c", script, "sh", ...run]);
  const { code, err } = await program.ended;
  assert.equal(code, 125);
  assert.match(err, /^minictr: [^\n]*mount -t proc proc \/proc\n$/);
});

test("a subnet that nothing can be routed to is no network's", {
  requires: ["root", "command:unshare"],
}, async (t) => {
  for (const subnet of ["127.0.0.0/8", "127.1.0.0/16", "224.0.0.0/4", "0.0.0.0/0", "ff02::/64"]) {
    const create = t.words(["network", "create", "--subnet", subnet, "one"]);
    const { code, err } = await t.start(["unshare", "-n", ...create]).ended;
    assert.equal(code, 125);
    assert.match(err, /^minictr: cannot use subnet \S+: \S+ is for [^\n]+\n$/);
  }
  assert.doesNotMatch((await t.minictr(["network", "ls"])).out, /one/);
});

test("a filter that volumes do not have is refused where there are none, too", NEEDS, async (t) => {
  const { code, err } = await t.minictr(["volume", "ls", "--filter", "size=1"]);
  assert.equal(code, 125);
  assert.match(err, /^minictr: there is no filter "size=1": there are name, /);
});

test("ps names the flag whose number is none", NEEDS, async (t) => {
  const { code, err } = await t.minictr(["ps", "-n", "few"]);
  assert.equal(code, 125);
  assert.match(err, /^minictr: --last: "few" is not a whole number/);
});
