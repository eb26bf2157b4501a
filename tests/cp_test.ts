import assert from "assert";
import { Container, type Scratch, test } from "./support/mod.ts";

const MANY = { requires: ["root", "command:busybox", "not-vm"], timeoutMs: 120_000 } as const;

async function ok(t: Scratch, ...words: string[]): Promise<string> {
  const { out, err, code } = await t.minictr(words);
  assert.equal(code, 0, err);
  return out;
}

/** Files of the host's to be copied, and a directory to copy to. */
function files(t: Scratch): string {
  const place = `${t.directory}/files`;
  Deno.mkdirSync(`${place}/tree/deep`, { recursive: true });
  Deno.writeTextFileSync(`${place}/tree/deep/file`, "deep", { mode: 0o640 });
  Deno.chownSync(`${place}/tree/deep/file`, 1000, 100);
  Deno.linkSync(`${place}/tree/deep/file`, `${place}/tree/again`);
  Deno.symlinkSync("deep/file", `${place}/tree/link`);
  Deno.writeTextFileSync(`${place}/one`, "one\n");
  Deno.mkdirSync(`${place}/out`);
  return place;
}

test("cp copies both ways with a container that runs, by docker's rules", MANY, async (t) => {
  const place = files(t);
  await using web = await Container.start(t, ["-v", "vol:/vol", "--rootfs", `${t.rootfs}:O`]);
  const cp = (...words: string[]) => ok(t, "cp", ...words);
  await cp(`${place}/one`, `${web.name}:/tmp`);
  await cp(`${place}/one`, `${web.name}:/tmp/two`);
  await cp(`${place}/tree`, `${web.name}:/vol`);
  await cp(`${place}/tree/.`, `${web.name}:/vol/flat`);
  assert.equal(
    await web.output([], [
      "sh",
      "-c",
      "cat /tmp/one /tmp/two; cd /vol; stat -c '%n %a %u:%g %h' tree/deep/file flat/again; readlink flat/link",
    ]),
    "one\none\ntree/deep/file 640 0:0 2\nflat/again 640 0:0 2\ndeep/file\n",
  );
  await cp("-a", `${place}/tree/deep/file`, `${web.name}:/tmp/owned`);
  assert.equal(await web.output([], ["stat", "-c", "%u:%g", "/tmp/owned"]), "1000:100\n");
  await web.output([], ["sh", "-c", "chmod 4755 /tmp/owned; ln -s /etc/passwd /tmp/link"]);
  await cp(`${web.name}:/tmp/owned`, `${place}/out`);
  const copied = Deno.statSync(`${place}/out/owned`);
  assert.deepEqual([copied.mode! & 0o7777, copied.uid], [0o755, Deno.uid()]);
  await cp("-a", `${web.name}:/tmp/owned`, `${place}/out/kept`);
  const kept = Deno.statSync(`${place}/out/kept`);
  assert.deepEqual([kept.mode! & 0o7777, kept.uid], [0o4755, 1000]);
  await cp(`${web.name}:/tmp/link`, `${place}/out`);
  assert.equal(Deno.readLinkSync(`${place}/out/link`), "/etc/passwd");
  await cp("-L", `${web.name}:/tmp/link`, `${place}/out/followed`);
  assert.match(
    Deno.readTextFileSync(`${place}/out/followed`),
    /^root:x:0:0:root:\/root:\/bin\/sh\nalice/,
  );
  await cp(`${web.name}:/vol/tree`, `${place}/out/new`);
  assert.equal(Deno.readTextFileSync(`${place}/out/new/deep/file`), "deep");
});

test("cp says what is not there, or is something else", MANY, async (t) => {
  const place = files(t);
  await using web = await Container.start(t, ["-v", "vol:/vol", "--rootfs", `${t.rootfs}:O`]);
  await ok(t, "cp", `${place}/one`, `${web.name}:/tmp`);
  for (
    const [words, problem] of [
      [[`${web.name}:/none`, place], /"\/none" does not exist/],
      [[`${web.name}:/proc/1/status`, place], /filesystem of the kernel's own/],
      [[`${place}/one`, `${web.name}:/none/`], /directory "\/none\/" does not exist/],
      [[`${place}/one`, `${web.name}:/none/x`], /directory "\/none" does not exist/],
      [[`${place}/tree`, `${web.name}:/tmp/one`], /over "\/tmp\/one"/],
      [[`${place}/one`, `${web.name}:/proc/x`], /kernel's own|ENOENT|EPERM|EACCES/],
      [[`${place}/tree/deep`, `${web.name}:/vol/..`], undefined],
    ] as const
  ) {
    const { code, err } = await t.minictr(["cp", ...words]);
    if (problem) {
      assert.equal(code, 1, err);
      assert.match(err, problem);
    } else assert.equal(code, 0, err);
  }
});

test("cp reads and writes a container that does not run, its volumes too", MANY, async (t) => {
  const place = files(t);
  const flags = ["--network", "none", "-v", "vol:/data", "--rootfs", `${t.rootfs}:O`];
  await ok(t, "create", "--name", "made", ...flags, "cat", "/data/one", "/srv/new/again");
  await ok(t, "cp", `${place}/one`, "made:/data");
  await ok(t, "cp", `${place}/tree`, "made:/srv/new").catch(() => {});
  await ok(t, "cp", `${place}/out`, "made:/srv");
  await ok(t, "cp", `${place}/tree`, "made:/srv/new");
  assert.equal(Deno.readTextFileSync(`${t.root}/data/volumes/vol/_data/one`), "one\n");
  await ok(t, "start", "made");
  await ok(t, "wait", "made");
  assert.equal(await ok(t, "logs", "made"), "one\ndeep");
  await ok(t, "cp", "made:/etc/passwd", `${place}/out/passwd`);
  assert.match(Deno.readTextFileSync(`${place}/out/passwd`), /^root:/);
  const mounts = Deno.readTextFileSync("/proc/self/mountinfo");
  assert.equal(mounts.includes(t.name), false, "nothing stays mounted");
  await ok(t, "rm", "made");
});

test("cp - is a tar archive, in and out", {
  requires: ["root", "command:busybox", "command:tar"],
  timeoutMs: 120_000,
}, async (t) => {
  const place = files(t);
  await using web = await Container.start(t, ["--rootfs", `${t.rootfs}:O`]);
  const packed = await t.start(["tar", "-C", place, "-czf", "-", "tree"]).ended;
  const { code, err } = await t.minictr(["cp", "-", `${web.name}:/tmp`], { stdin: packed.stdout });
  assert.equal(code, 0, err);
  assert.equal(
    await web.output([], ["stat", "-c", "%u:%g %a", "/tmp/tree/deep/file"]),
    "1000:100 640\n",
  );
  const out = await t.minictr(["cp", `${web.name}:/tmp/tree`, "-"]);
  const listed = await t.start(["tar", "-tf", "-"], { stdin: out.stdout }).ended;
  assert.deepEqual(listed.out.trim().split("\n").sort(), [
    "tree/",
    "tree/again",
    "tree/deep/",
    "tree/deep/file",
    "tree/link",
  ]);
  const evil = await t.start([
    "tar",
    "-P",
    "-C",
    place,
    "--transform",
    "s,^,../../,",
    "-cf",
    "-",
    "one",
  ]).ended;
  const refused = await t.minictr(["cp", "-", `${web.name}:/tmp`], { stdin: evil.stdout });
  assert.notEqual(refused.code, 0);
  assert.match(refused.err, /leads out of the root/);
});

test("no link in a container leads cp to the host's files", MANY, async (t) => {
  const place = files(t);
  const secret = `${t.directory}/secret`;
  Deno.mkdirSync(secret);
  Deno.writeTextFileSync(`${secret}/key`, "host");
  await using web = await Container.start(t, ["--rootfs", `${t.rootfs}:O`]);
  await web.output([], [
    "sh",
    "-c",
    `ln -s ${secret} /abs; ln -s ../../../..${secret} /rel; ln -s ${secret}/key /key; mkdir -p /in; ln -s /in /ok; ln -s /proc/1/root /magic; ln -s ${secret} /in/d`,
  ]);
  for (const path of ["/abs/key", "/rel/key", "/magic/etc", "/abs/.", "/rel/"]) {
    const { code } = await t.minictr(["cp", `${web.name}:${path}`, `${place}/out`]);
    assert.equal(code, 1, path);
  }
  assert.equal((await t.minictr(["cp", "-L", `${web.name}:/key`, `${place}/out/k`])).code, 1);
  for (const path of ["/abs", "/rel", "/abs/", "/key", "/magic/tmp/", "/in/d/"]) {
    await t.minictr(["cp", `${place}/one`, `${web.name}:${path}`]);
    await t.minictr(["cp", `${place}/tree/.`, `${web.name}:${path}`]);
  }
  Deno.mkdirSync(`${place}/d`);
  Deno.writeTextFileSync(`${place}/d/key`, "changed");
  await t.minictr(["cp", `${place}/d`, `${web.name}:/in`]);
  assert.deepEqual(Array.from(Deno.readDirSync(secret), ({ name }) => name), ["key"]);
  assert.equal(Deno.readTextFileSync(`${secret}/key`), "host");
  assert.deepEqual([...Deno.readDirSync(`${place}/out`)], []);
  await ok(t, "cp", `${place}/one`, `${web.name}:/ok`);
  assert.equal(await web.output([], ["cat", "/in/one"]), "one\n");
});

test("a container that swaps directories for links all the time keeps cp inside", {
  ...MANY,
}, async (t) => {
  const place = files(t);
  const secret = `${t.directory}/secret`;
  Deno.mkdirSync(`${secret}/deep`, { recursive: true });
  Deno.writeTextFileSync(`${secret}/deep/file`, "host secret", { mode: 0o600 });
  const swap = `mkdir -p /race/a/deep; echo inside >/race/a/deep/file; ln -s ${secret} /race/b; ` +
    "(while :; do mv -T /race/a /race/c; mv -T /race/b /race/a; mv -T /race/a /race/b; " +
    "mv -T /race/c /race/a; done) 2>/dev/null & exec cat";
  await using web = await Container.start(t, ["--rootfs", `${t.rootfs}:O`], swap);
  for (let turn = 0; turn < 12; turn++) {
    const out = `${place}/out/${turn}`;
    await t.minictr(["cp", `${web.name}:/race`, out]);
    await t.minictr(["cp", `${web.name}:/race/a/deep/file`, `${out}-file`]);
    await t.minictr(["cp", `${place}/tree/.`, `${web.name}:/race/a`]);
    await t.minictr(["cp", `${place}/one`, `${web.name}:/race/a/deep/file`]);
  }
  const grep = await t.start(["grep", "-r", "host secret", `${place}/out`]).ended;
  assert.equal(grep.out, "");
  assert.deepEqual(Array.from(Deno.readDirSync(secret), ({ name }) => name), ["deep"]);
  assert.equal(Deno.readTextFileSync(`${secret}/deep/file`), "host secret");
});

test("what is copied into a user namespace belongs to its root", {
  requires: ["root", "command:busybox", "userns", "not-vm"],
  timeoutMs: 60_000,
}, async (t) => {
  const place = files(t);
  const flags = ["--userns", "private", "--network", "none", "--rootfs", `${t.rootfs}:O`];
  const script = "stat -c '%n %u:%g' /etc /etc/one /home/file; echo x >>/etc/one && echo written";
  await ok(t, "create", "--name", "mapped", ...flags, "sh", "-c", script);
  await ok(t, "cp", `${place}/one`, "mapped:/etc");
  await ok(t, "cp", "-a", `${place}/tree/deep/file`, "mapped:/home");
  await ok(t, "start", "mapped");
  await ok(t, "wait", "mapped");
  assert.equal(
    await ok(t, "logs", "mapped"),
    "/etc 0:0\n/etc/one 0:0\n/home/file 1000:100\nwritten\n",
  );
  await ok(t, "cp", "-a", "mapped:/home/file", `${place}/out`);
  assert.equal(Deno.statSync(`${place}/out/file`).uid, 1000);
  await ok(t, "rm", "mapped");
});
