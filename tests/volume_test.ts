import assert from "assert";
import { type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"], timeoutMs: 120_000 } as const;
const MANY = { requires: ["root", "command:busybox", "not-vm"], timeoutMs: 120_000 } as const;

async function ok(t: Scratch, ...words: string[]): Promise<string> {
  const { out, err, code } = await t.minictr(words);
  assert.equal(code, 0, err);
  return out;
}

/** What a shell prints in a container that is taken away. */
async function sh(t: Scratch, flags: string[], script: string): Promise<string> {
  const { out, err, code } = await t.run(flags, ["sh", "-c", script]);
  assert.equal(code, 0, err);
  return out;
}

async function detached(t: Scratch, name: string, ...flags: string[]): Promise<void> {
  const rootfs = ["--network", "none", "--rootfs", `${t.rootfs}:O`];
  await ok(t, "run", "-d", "--name", name, ...flags, ...rootfs, "sleep", "100");
}

test("a volume keeps its files, and is not removed while a container has it", NEEDS, async (t) => {
  assert.equal(await ok(t, "volume", "create", "--label", "tier=back", "db"), "db\n");
  await sh(t, ["-v", "db:/data"], "echo one >/data/x");
  assert.equal(await sh(t, ["--mount", "type=volume,src=db,dst=/d,ro"], "cat /d/x"), "one\n");
  const refused = await t.run(["-v", "db:/d:ro"], ["sh", "-c", "echo two >/d/x"]);
  assert.match(refused.err, /Read-only file system/);
  await detached(t, "holder", "-v", "db:/data");
  const used = await t.minictr(["volume", "rm", "db"]);
  assert.equal(used.code, 1);
  assert.match(used.err, /volume "db" is in use by "holder"/);
  assert.equal(
    await ok(t, "ps", "-f", "volume=db", "--format", "{{.Names}} {{.Mounts}}"),
    "holder db\n",
  );
  assert.equal(await ok(t, "volume", "ls", "-q", "-f", "dangling=true"), "");
  assert.match(
    await ok(t, "volume", "ls", "-f", "label=tier=back"),
    /^DRIVER +VOLUME NAME\nlocal +db\n$/,
  );
  await ok(t, "rm", "-f", "holder");
  const place = (await ok(t, "volume", "inspect", "-f", "{{.Mountpoint}}", "db")).trim();
  assert.equal(Deno.readTextFileSync(`${place}/x`), "one\n");
  assert.equal(await ok(t, "volume", "rm", "db"), "db\n");
  assert.equal((await t.minictr(["volume", "rm", "db"])).code, 1);
  assert.deepEqual([...Deno.readDirSync(`${t.root}/data/volumes`)], []);
});

test(
  "an empty volume gets the image's files, links as links, with owners and modes",
  NEEDS,
  async (t) => {
    const rootfs = await t.ownRootfs();
    const secret = `${t.directory}/secret`;
    Deno.mkdirSync(secret);
    Deno.writeTextFileSync(`${secret}/key`, "host");
    Deno.mkdirSync(`${rootfs}/srv/deep`, { recursive: true });
    Deno.writeTextFileSync(`${rootfs}/srv/deep/file`, "image", { mode: 0o640 });
    Deno.chownSync(`${rootfs}/srv/deep/file`, 1000, 100);
    Deno.linkSync(`${rootfs}/srv/deep/file`, `${rootfs}/srv/again`);
    Deno.symlinkSync(`${secret}/key`, `${rootfs}/srv/out`);
    Deno.symlinkSync(secret, `${rootfs}/srv/outdir`);
    Deno.chownSync(`${rootfs}/srv`, 1000, 1000);
    Deno.chmodSync(`${rootfs}/srv`, 0o1770);
    const flags = ["--rootfs", `${rootfs}:O`];
    const list = "cd /srv; stat -c '%n %F %a %u:%g %h' . deep/file again out outdir; readlink out";
    assert.equal(
      await sh(t, [...flags, "-v", "filled:/srv"], list),
      ". directory 1770 1000:1000 3\ndeep/file regular file 640 1000:100 2\n" +
        "again regular file 640 1000:100 2\nout symbolic link 777 0:0 1\n" +
        `outdir symbolic link 777 0:0 1\n${secret}/key\n`,
    );
    assert.equal(await sh(t, [...flags, "-v", "filled:/etc"], "ls /etc | head -n 1"), "again\n");
    assert.equal(await sh(t, [...flags, "-v", "none:/srv:nocopy"], "ls /srv"), "");
    assert.equal(await sh(t, [...flags, "-v", "other:/nowhere"], "ls /nowhere"), "");
  },
);

test("an image cannot have the host's files copied into a volume", MANY, async (t) => {
  const rootfs = await t.ownRootfs();
  const secret = `${t.directory}/secret`;
  Deno.mkdirSync(secret);
  Deno.writeTextFileSync(`${secret}/key`, "host");
  Deno.symlinkSync(secret, `${rootfs}/evil`);
  Deno.symlinkSync(`../../../../../../..${secret}`, `${rootfs}/up`);
  for (const path of ["/evil", "/up"]) {
    // The mount itself fails or lands inside: what matters is what the volume got.
    await t.run(["--rootfs", `${rootfs}:O`, "-v", `vol:${path}`], ["true"]);
    assert.deepEqual([...Deno.readDirSync(`${t.root}/data/volumes/vol/_data`)], []);
  }
});

test("an anonymous volume goes with --rm and with rm -v, and else stays", MANY, async (t) => {
  const volumes = () => ok(t, "volume", "ls", "-q");
  await sh(t, ["-v", "/data"], "echo x >/data/x");
  assert.equal(await volumes(), "");
  await detached(t, "one", "-v", "/data");
  const name = (await volumes()).trim();
  assert.match(name, /^[0-9a-f]{64}$/);
  await ok(t, "rm", "-f", "one");
  assert.equal(await volumes(), `${name}\n`);
  assert.match(await ok(t, "volume", "prune", "-f"), new RegExp(`^${name}\nTotal reclaimed`));
  await detached(t, "two", "-v", "/data", "-v", "named:/n");
  await ok(t, "rm", "-fv", "two");
  assert.equal(await volumes(), "named\n");
  assert.equal(await ok(t, "volume", "prune", "-f"), "Total reclaimed space: 0B\n");
  assert.match(await ok(t, "volume", "prune", "-a", "-f"), /^named\n/);
});

test("--volumes-from mounts what another container has, read-only where asked", MANY, async (t) => {
  await detached(t, "base", "-v", "db:/data", "-v", `${t.directory}:/host`);
  await sh(t, ["--volumes-from", "base"], "echo x >/data/x; ls /host");
  const { err } = await t.run(["--volumes-from", "base:ro"], ["sh", "-c", "cat /data/x; >/data/y"]);
  assert.match(err, /Read-only file system/);
  assert.equal(await sh(t, ["--volumes-from", "base", "-v", "own:/data"], "ls /data"), "");
  await ok(t, "rm", "-f", "base");
});

test("commands that make the same volume at once all get the same", MANY, async (t) => {
  const all = await Promise.all(
    Array.from({ length: 6 }, (_, n) => sh(t, ["-v", "shared:/s"], `echo ${n} >/s/${n}`)),
  );
  assert.equal(all.length, 6);
  assert.equal(await sh(t, ["-v", "shared:/s"], "ls /s | wc -l"), "6\n");
});

test("a volume's options are those of docker's local driver", MANY, async (t) => {
  Deno.mkdirSync(`${t.directory}/www`);
  Deno.writeTextFileSync(`${t.directory}/www/index`, "hello");
  await ok(t, "volume", "create", "-o", "o=bind", "-o", `device=${t.directory}/www`, "www");
  assert.equal(await sh(t, ["-v", "www:/www:ro"], "cat /www/index"), "hello");
  const tmpfs = ["-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,uid=1000"];
  await ok(t, "volume", "create", ...tmpfs, "mem");
  assert.match(
    await sh(t, ["-v", "mem:/m"], "grep ' /m ' /proc/mounts; stat -c %u /m"),
    /tmpfs .*size=1024k.*uid=1000.*\n1000\n$/,
  );
  for (const options of [["-o", "x=y"], ["-o", "type=nfs"], ["-o", "o=bind", "-o", "device=www"]]) {
    assert.notEqual((await t.minictr(["volume", "create", ...options, "bad"])).code, 0);
  }
  assert.equal((await t.minictr(["volume", "create", "../x"])).code, 125);
});

test("root of a user namespace owns what a volume is filled with", {
  requires: ["root", "command:busybox", "userns", "not-vm"],
  timeoutMs: 60_000,
}, async (t) => {
  const rootfs = await t.ownRootfs();
  Deno.mkdirSync(`${rootfs}/srv`);
  Deno.writeTextFileSync(`${rootfs}/srv/file`, "");
  Deno.chownSync(`${rootfs}/srv/file`, 7, 8);
  const flags = ["--userns", "private", "--rootfs", `${rootfs}:O`, "-v", "mapped:/srv"];
  assert.equal(
    await sh(t, flags, "stat -c %u:%g /srv /srv/file; echo x >/srv/new && echo written"),
    "0:0\n7:8\nwritten\n",
  );
  const { uid, gid } = Deno.statSync(`${t.root}/data/volumes/mapped/_data/file`);
  assert.deepEqual([uid, gid], [100_007, 100_008]);
});
