import assert from "assert";
import { Container, type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"], timeoutMs: 90_000 } as const;

async function ok(t: Scratch, ...words: string[]): Promise<string> {
  const { out, err, code } = await t.minictr(words);
  assert.equal(code, 0, err);
  return out;
}

test("top shows the processes of the container and no others, as ps does", {
  ...NEEDS,
  requires: [...NEEDS.requires, "command:ps"],
}, async (t) => {
  await using web = await Container.start(t, ["-u", "1234"], "sleep 100 & exec cat");
  const rows = (await ok(t, "top", web.name)).trimEnd().split("\n");
  assert.match(rows[0] ?? "", /^UID +PID +PPID +C +STIME +TTY +TIME +CMD$/);
  assert.deepEqual(rows.slice(1).map((row) => row.split(/ {2,}/).at(-1)), ["cat", "sleep 100"]);
  const fields = "pid,ppid,pgid,sid,uid,gid,state,tty,ni,nlwp,comm,args";
  const shown = (await ok(t, "top", web.name, "-o", fields)).trimEnd().split("\n").slice(1);
  const pids = shown.map((row) => row.split(/ +/)[0] ?? "");
  const { out } = await t.start(["ps", "-o", fields, "-p", pids.join(",")]).ended;
  const words = (line: string) => line.trim().split(/ +/);
  assert.deepEqual(shown.map(words), out.trimEnd().split("\n").slice(1).map(words));
  const aux = await ok(t, "top", web.name, "aux");
  assert.match(aux, /^USER +PID +%CPU +%MEM +VSZ +RSS +TTY +STAT +START +TIME +COMMAND\n1234 /);
  const wrong = await t.minictr(["top", web.name, "--forest"]);
  assert.deepEqual([wrong.code, wrong.err.includes("-o with user")], [125, true]);
});

test("what a container has named its processes does not move the cursor", NEEDS, async (t) => {
  await using web = await Container.start(t, [], "cat; : '\x1b[2J'");
  const shown = await ok(t, "top", web.name);
  assert.equal(shown.includes("\x1b"), false);
  assert.match(shown, /\\u001b\[2J/);
});

test("stats tells memory, processors, processes and limits", {
  ...NEEDS,
  requires: [...NEEDS.requires, "controller:memory", "controller:pids"],
}, async (t) => {
  const flags = ["--memory", "64m", "--tmpfs", "/t"];
  const script = "head -c 20000000 /dev/zero >/t/x; sleep 100 & (while :; do :; done) & exec cat";
  await using web = await Container.start(t, flags, script);
  const wait = async () => {
    const row = JSON.parse(await ok(t, "stats", "--no-stream", "--format", "json", web.name));
    return { row, used: Number.parseFloat(row.MemUsage), percent: Number.parseFloat(row.CPUPerc) };
  };
  const settled = ({ row, used, percent }: Awaited<ReturnType<typeof wait>>) =>
    used > 19 && percent > 10 && row.PIDs === "3";
  let now = await wait();
  for (let tries = 0; tries < 40 && !settled(now); tries++) now = await wait();
  assert.match(now.row.MemUsage, /^(19|2\d)[\d.]*MiB \/ 64MiB$/);
  assert.ok(now.percent > 10 && now.percent <= 110, now.row.CPUPerc);
  assert.match(now.row.MemPerc, /^(29|3\d|4\d)\.\d\d%$/);
  assert.equal(now.row.PIDs, "3");
  assert.equal(now.row.NetIO, "0B / 0B");
  const table = await ok(t, "stats", "--no-stream");
  assert.match(
    table,
    /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS\n[0-9a-f]{12} /,
  );
  assert.match(table, new RegExp(` ${web.name} `));
});

test("stats goes on until it is ended, and -a shows those that do not run", NEEDS, async (t) => {
  const flags = ["--network", "none", "--rootfs", `${t.rootfs}:O`];
  await ok(t, "create", "--name", "idle", ...flags, "true");
  assert.equal(await ok(t, "stats", "--no-stream", "--format", "{{.Name}}"), "");
  assert.equal(
    await ok(t, "stats", "-a", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.PIDs}}"),
    "idle 0B / 0B 0\n",
  );
  await using stats = t.startMinictr(["stats", "-a", "--format", "{{.Name}}"]);
  await stats.until(/idle\nidle\n/);
  stats.kill("SIGINT");
  assert.equal((await stats.ended).signal, "SIGINT");
  await ok(t, "rm", "idle");
});
