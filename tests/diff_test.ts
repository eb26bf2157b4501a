import assert from "assert";
import { Container, type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox", "command:tar"], timeoutMs: 90_000 } as const;

const MANY = { ...NEEDS, requires: [...NEEDS.requires, "not-vm"] } as const;

async function ok(t: Scratch, ...words: string[]): Promise<string> {
  const { out, err, code } = await t.minictr(words);
  assert.equal(code, 0, err);
  return out;
}

test(
  "diff tells what was added, changed and deleted, and nothing of the engine's",
  NEEDS,
  async (t) => {
    const rootfs = await t.ownRootfs(); // Other tests make mount points in the shared one.
    await using web = await Container.start(t, ["-v", "vol:/data", "--rootfs", `${rootfs}:O`]);
    assert.equal(await ok(t, "diff", web.name), "");
    await web.output([], [
      "sh",
      "-c",
      "echo x >>/etc/group; rm /etc/passwd; mkdir /srv; echo a >/srv/a; echo v >/data/v; " +
      "rm -r /home/alice /tmp; mkdir /home/alice; touch /home/alice/new",
    ]);
    assert.equal(
      await ok(t, "diff", web.name),
      "C /etc\nC /etc/group\nD /etc/passwd\nC /home\nC /home/alice\nA /home/alice/new\n" +
        "A /srv\nA /srv/a\nD /tmp\n",
    );
  },
);

test(
  "export writes all files but those of mounts, for a container that runs or not",
  MANY,
  async (t) => {
    const rootfs = await t.ownRootfs();
    Deno.chownSync(`${rootfs}/etc/group`, 7, 8);
    const flags = ["--network", "none", "-v", "vol:/data", "--rootfs", `${rootfs}:O`];
    await ok(
      t,
      "create",
      "--name",
      "made",
      ...flags,
      "sh",
      "-c",
      "echo x >/written; echo v >/data/v; exec sleep 100",
    );
    await ok(t, "start", "made");
    while ((await t.minictr(["exec", "made", "cat", "/data/v"])).out !== "v\n");
    const list = async (archive: string) => {
      const { out } = await t.start(["tar", "--numeric-owner", "-tvf", archive]).ended;
      return out.split("\n").map((line) => line.replace(/^(\S+ \S+) .* /, "$1 ")).filter((line) =>
        line !== ""
      );
    };
    for (const state of ["running", "stopped"]) {
      const archive = `${t.directory}/${state}.tar`;
      if (state === "stopped") await ok(t, "stop", "-t", "0", "made");
      await ok(t, "export", "-o", archive, "made");
      const lines = await list(archive);
      assert.ok(lines.includes("-rw-r--r-- 0/0 written"), `${state}: ${lines.join("\n")}`);
      assert.ok(lines.includes("-rw-r--r-- 7/8 etc/group"), state);
      assert.ok(lines.some((line) => / data\/$/.test(line)), state);
      assert.deepEqual(lines.filter((line) => / (data|proc|sys)\/./.test(line)), [], state);
      const { out } = await t.start(["tar", "-xOf", archive, "written"]).ended;
      assert.equal(out, "x\n");
    }
    await ok(t, "rm", "made");
    assert.equal(
      await ok(t, "rootfs", "build", "tar", "-q", "--name", "again", `${t.directory}/stopped.tar`),
      "again\n",
    );
    assert.equal(
      await ok(t, "run", "--rm", "--network", "none", "again", "cat", "/written"),
      "x\n",
    );
  },
);
