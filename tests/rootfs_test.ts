/**
 * Root filesystems as `minictr rootfs` builds them: they are there whole, and programs start in them.
 */
import assert from "assert";
import { packTree } from "../rootfs/pack.ts";
import { rootsBelow } from "../src/container/mod.ts";
import { storedRootfs, treeOf } from "../src/image/mod.ts";
import { PROJECT, type Scratch, test } from "./support/mod.ts";

/** Runs `minictr rootfs ARGS` and returns what it printed; rejects with its error. */
const BUILD_MS = 600_000;

async function rootfs(t: Scratch, ...args: string[]): Promise<string> {
  const { code, out, err } = await t.minictr(["rootfs", ...args], { timeoutMs: BUILD_MS });
  if (code !== 0) throw new Error(err);
  return out.trimEnd();
}

function tree(t: Scratch, name: string): string {
  return treeOf(rootsBelow(t.root).data, name);
}

/** What a shell in the root filesystem prints; bubblewrap starts it, which knows nothing of minictr. */
async function inside(t: Scratch, name: string, script: string): Promise<string> {
  const args = ["--unshare-all", "--bind", tree(t, name), "/", "--proc", "/proc", "--dev", "/dev"];
  await using program = t.start(["bwrap", ...args, "/bin/sh", "-c", script], {
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  const { code, out, err } = await program.ended;
  assert.equal(code, 0, err);
  return out;
}

const NEEDS = ["root", "command:bwrap"] as const;

test("a busybox root starts sh, ls and id, and knows its users", {
  requires: [...NEEDS, "command:busybox"],
}, async (t) => {
  assert.match(await rootfs(t, "build", "-q", "busybox"), /^busybox$/);
  const out = await inside(
    t,
    "busybox",
    "id; id -un nobody; ls -ld /tmp /root; cat /etc/os-release",
  );
  assert.match(out, /^uid=0\(root\) gid=0\(root\)/);
  assert.match(out, /^nobody$/m);
  assert.match(out, /^drwxrwxrwt .* \/tmp$/m);
  assert.match(out, /^drwx------ .* \/root$/m);
  assert.match(out, /^ID=busybox$/m);
});

test("every applet of a busybox root leads to busybox inside of it", {
  requires: [...NEEDS, "command:busybox"],
}, async (t) => {
  await rootfs(t, "build", "-q", "busybox");
  const broken =
    'for f in /bin/* /sbin/* /usr/bin/* /usr/sbin/*; do [ -x "$f" ] || echo "$f"; done';
  assert.equal(await inside(t, "busybox", broken), "");
  const count = await inside(t, "busybox", "busybox --list | wc -l");
  assert.ok(Number(count) > 100);
});

test("a root of the host's programs starts them, with the libraries that it has copied", {
  requires: NEEDS,
}, async (t) => {
  await rootfs(t, "build", "-q", "host");
  const out = await inside(
    t,
    "host",
    "id; ls -l / | wc -l; ps; sleep 0; env; mount; id -un nobody",
  );
  assert.match(out, /^uid=0\(root\) gid=0\(root\)/);
  assert.match(out, /^nobody$/m);
  const missing = "for f in /usr/bin/* /usr/sbin/*; do " +
    '"$f" --version </dev/null 2>&1 | grep -i "error while loading"; done; true';
  assert.equal(await inside(t, "host", missing), "");
});

test("a root of the host's programs has the host's links in / and nothing setuid", {
  requires: NEEDS,
}, async (t) => {
  await rootfs(t, "build", "-q", "host", "--program", "/usr/bin/passwd");
  for (const name of ["bin", "sbin", "lib"]) {
    const host = Deno.lstatSync(`/${name}`);
    const copy = Deno.lstatSync(`${tree(t, "host")}/${name}`);
    assert.equal(copy.isSymlink, host.isSymlink, name);
  }
  const find = new Deno.Command("find", {
    args: [tree(t, "host"), "-perm", "/6000", "-type", "f"],
  });
  assert.equal(new TextDecoder().decode(find.outputSync().stdout), "");
});

test("a packed root is unpacked as it was, and packs to the same bytes again", {
  requires: [...NEEDS, "command:busybox"],
}, async (t) => {
  await rootfs(t, "build", "-q", "busybox");
  const archive = `${t.directory}/busybox.tar.gz`;
  const { sha256 } = await packTree(tree(t, "busybox"), archive);
  await rootfs(t, "build", "-q", "tar", "--name", "again", "--sha256", sha256, archive);
  assert.match(await inside(t, "again", "id -un"), /^root$/m);
  const again = await packTree(tree(t, "again"), `${t.directory}/again.tar.gz`);
  assert.equal(again.sha256, sha256);
});

test("an archive with another sha256 than wanted leaves nothing in the store", {
  requires: ["root", "command:tar"],
}, async (t) => {
  const archive = `${t.directory}/a.tar`;
  new Deno.Command("tar", { args: ["-C", PROJECT, "-cf", archive, "deno.json"] }).outputSync();
  const wrong = "0".repeat(64);
  await assert.rejects(
    rootfs(t, "build", "-q", "tar", "--sha256", wrong, archive),
    /has the sha256/,
  );
  assert.equal(storedRootfs(rootsBelow(t.root).data, "tar"), undefined);
  assert.equal(await rootfs(t, "ls", "-q"), "");
});

test("an archive from a server is unpacked when its sha256 is right, and not fetched without one", {
  requires: ["root", "command:tar"],
}, async (t) => {
  const archive = `${t.directory}/a.tar.gz`;
  new Deno.Command("tar", { args: ["-C", PROJECT, "-czf", archive, "deno.json"] }).outputSync();
  const bytes = Deno.readFileSync(archive);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  let requests = 0;
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    requests++;
    return request.url.endsWith("/a.tar.gz")
      ? new Response(bytes)
      : new Response("", { status: 404 });
  });
  const address = `http://127.0.0.1:${server.addr.port}`;
  await assert.rejects(rootfs(t, "build", "tar", `${address}/a.tar.gz`), /--sha256/);
  assert.equal(requests, 0);
  const args = ["build", "-q", "tar", "--sha256", digest];
  await assert.rejects(rootfs(t, ...args, `${address}/b.tar.gz`), /404/);
  await rootfs(t, ...args, `${address}/a.tar.gz`);
  assert.ok(Deno.statSync(`${tree(t, "tar")}/deno.json`).isFile);
});

test("a busybox that is dynamically linked, a script, or absent is refused with the reason", {
  requires: ["root"],
}, async (t) => {
  const script = `${t.directory}/script`;
  Deno.writeTextFileSync(script, "#!/bin/sh\n");
  const refused: [string, RegExp][] = [
    [Deno.execPath(), /dynamically linked/],
    [script, /not an ELF file/],
    [`${t.directory}/absent`, /not there/],
  ];
  for (const [path, reason] of refused) {
    await assert.rejects(rootfs(t, "build", "-q", "busybox", "--busybox", path), reason);
  }
  assert.equal(await rootfs(t, "ls", "-q"), "");
});

test("a root that is mounted somewhere is not removed", {
  requires: [...NEEDS, "command:busybox"],
}, async (t) => {
  await rootfs(t, "build", "-q", "busybox");
  {
    const args = ["--unshare-all", "--die-with-parent", "--bind", tree(t, "busybox"), "/"];
    await using program = t.start(["bwrap", ...args, "/bin/sh", "-c", "echo up; exec sleep 60"]);
    await program.until("up");
    await assert.rejects(rootfs(t, "rm", "busybox"), /mounted for process/);
    program.kill("SIGKILL");
    await program.ended;
  }
  assert.equal(await rootfs(t, "rm", "busybox"), "busybox");
  assert.equal(await rootfs(t, "ls", "-q"), "");
});

test("rootfs ls shows what was built, for people and for programs", {
  requires: ["root", "command:busybox"],
}, async (t) => {
  await rootfs(t, "build", "-q", "busybox", "--name", "mine");
  assert.match(await rootfs(t, "ls"), /^NAME .*\nmine +busybox +[\d.]+MB +\d+ /);
  const [meta] = JSON.parse(await rootfs(t, "ls", "--json"));
  assert.equal(meta.name, "mine");
  assert.equal(meta.architecture, Deno.build.arch);
});

test("debootstrap makes a Debian that starts, and nothing of this machine is in it", {
  requires: [...NEEDS, "slow", "not-vm", "command:debootstrap"],
  timeoutMs: BUILD_MS,
}, async (t) => {
  await rootfs(t, "build", "-q", "debootstrap");
  assert.match(await inside(t, "debootstrap", "dpkg -l | grep -c ^ii; id"), /^uid=0\(root\)/m);
  assert.equal(Deno.readTextFileSync(`${tree(t, "debootstrap")}/etc/hostname`), "localhost\n");
  const lists = [...Deno.readDirSync(`${tree(t, "debootstrap")}/var/lib/apt/lists`)];
  assert.deepEqual(lists.filter(({ isFile, name }) => isFile && name !== "lock"), []);
});
