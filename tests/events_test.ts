import assert from "assert";
import { detached, fails, ok, until } from "./support/background.ts";
import { type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"], timeoutMs: 90_000 } as const;
/** Of many commands, each of which takes seconds in the virtual machine. */
const MANY = { requires: ["root", "command:busybox", "not-vm"], timeoutMs: 90_000 } as const;
const ALL = ["--since", "1h", "--until", "0s"];

/** The actions that are told of, one a line. */
async function actions(t: Scratch, ...flags: string[]): Promise<string[]> {
  const out = await ok(t, "events", ...ALL, ...flags, "--format", "{{.Action}}");
  return out.split("\n").slice(0, -1);
}

test("events tell of a container's life in docker's words and order", MANY, async (t) => {
  const id = await detached(t, ["--name", "one", "--label", "tier=web"], ["sleep", "1000"]);
  await ok(t, "pause", "one");
  await ok(t, "unpause", "one");
  await ok(t, "rename", "one", "uno");
  await ok(t, "stop", "-t", "0", "uno");
  await ok(t, "restart", "-t", "0", "uno");
  await ok(t, "restart", "-s", "KILL", "uno");
  await ok(t, "rm", "-f", "uno");
  assert.deepEqual(await actions(t), [
    ...["create", "start", "pause", "unpause", "rename"],
    ...["kill", "kill", "die", "stop", "start", "restart"],
    ...["kill", "die", "stop", "start", "restart"],
    ...["kill", "die", "destroy"],
  ]);
  const signals = "{{.Actor.Attributes.signal}}";
  const killed = ["--filter", "event=kill", "--format", signals];
  assert.equal(await ok(t, "events", ...ALL, ...killed), "15\n9\n9\n9\n");
  assert.deepEqual(await actions(t, "--filter", "event=start", "--filter", "event=destroy"), [
    ...["start", "start", "start", "destroy"],
  ]);
  assert.deepEqual(await actions(t, "--filter", "label=tier=db"), []);
  const [first = ""] = (await ok(t, "events", ...ALL)).split("\n");
  assert.match(
    first,
    new RegExp(`^\\S+Z container create ${id} \\(image=.*, name=one, tier=web\\)$`),
  );
  const [line = ""] = (await ok(t, "events", ...ALL, "--format", "json")).split("\n");
  const { Action, Actor, timeNano } = JSON.parse(line);
  assert.deepEqual([Action, Actor.Attributes.name, Actor.ID], ["create", "one", id]);
  assert.ok(timeNano > 1e18);
});

test("a container in the foreground that leaves nothing has its events", MANY, async (t) => {
  const words = ["run", "--rm", "--network", "none", "--label", "a=b", "--name", "one"];
  await fails(t, 3, ...words, "--rootfs", t.rootfs, "sh", "-c", "exit 3");
  assert.deepEqual(await actions(t), ["create", "start", "die", "destroy"]);
  const format = "{{.Actor.Attributes.exitCode}} {{.Actor.Attributes.image}}";
  const died = ["--filter", "event=die", "--filter", "label=a=b", "--filter", "container=one"];
  assert.equal(await ok(t, "events", ...ALL, ...died, "--format", format), `3 ${t.rootfs}\n`);
  const times = await ok(t, "events", ...ALL, "--format", "{{.TimeNano}}");
  const ordered = times.split("\n").slice(0, -1);
  assert.deepEqual(ordered, ordered.toSorted());
  await fails(t, 127, ...words, "--rootfs", t.rootfs, "/nothing");
  assert.deepEqual((await actions(t)).slice(4), ["create", "destroy"]);
});

test("a run whose minictr was killed ends in the journal, too", MANY, async (t) => {
  {
    const words = ["run", "--rm", "--network", "none", "--rootfs", t.rootfs, "sleep", "1000"];
    await using killed = t.startMinictr(words);
    await until(() => actions(t), (told) => told.includes("start"));
    killed.kill("SIGKILL");
    await killed.ended;
  }
  await t.run(["--name", "next"], ["true"]); // Whoever comes next cleans up.
  const mine = await ok(t, "events", ...ALL, "--format", "{{.Action}} {{.Actor.Attributes.name}}");
  assert.deepEqual(
    mine.split("\n").filter((line) => line !== "" && !line.endsWith(" next")).map((line) =>
      line.split(" ")[0]
    ),
    ["create", "start", "die", "destroy"],
  );
});

test("exec is told of when it begins and with its exit code", MANY, async (t) => {
  await detached(t, ["--name", "one", "--label", "a=b"], ["sleep", "1000"]);
  await fails(t, 4, "exec", "one", "sh", "-c", "exit 4");
  const format = [
    "--filter",
    "label=a=b",
    "--format",
    "{{.Action}}/{{.Actor.Attributes.exitCode}}",
  ];
  const told = await ok(t, "events", ...ALL, ...format);
  const mine = told.split("\n").filter((line) => line.startsWith("exec"));
  assert.deepEqual(
    mine.map((line) => line.replace("<no value>", "")),
    ["exec_create: sh -c exit 4/", "exec_start: sh -c exit 4/", "exec_die/4"],
  );
  assert.deepEqual(await actions(t, "--filter", "event=exec_create"), [
    "exec_create: sh -c exit 4",
  ]);
  await ok(t, "rm", "-f", "one");
});

/** What is told of further processes, once the end of so many is. */
async function executions(t: Scratch, ended: number): Promise<string[]> {
  const format = "{{.Action}} {{.Actor.Attributes.exitCode}} {{.Actor.Attributes.execID}}";
  const told = async () => {
    const out = await ok(t, "events", ...ALL, "--format", format);
    return out.split("\n").filter((line) => line.startsWith("exec_"));
  };
  return await until(told, (lines) => deaths(lines).length === ended);
}

function deaths(told: string[]): string[] {
  return told.filter((line) => line.startsWith("exec_die "));
}

test("the end of a process in the background is told of with its exit code", NEEDS, async (t) => {
  await detached(t, ["--name", "one"], ["sleep", "1000"]);
  await ok(t, "exec", "-d", "one", "sh", "-c", "exit 7");
  const told = await executions(t, 1);
  const [, id = ""] = /^exec_die 7 ([0-9a-f]{64})$/.exec(told.at(-1) ?? "") ?? [];
  assert.deepEqual(told, [
    `exec_create: sh -c exit 7 <no value> ${id}`,
    `exec_start: sh -c exit 7 <no value> ${id}`,
    `exec_die 7 ${id}`,
  ]);
  await ok(t, "rm", "-f", "one");
});

test("processes in the background that are killed have an end each", MANY, async (t) => {
  await detached(t, ["--name", "one"], ["sleep", "1000"]);
  await ok(t, "exec", "-d", "one", "sh", "-c", "kill -TERM $$");
  assert.match(deaths(await executions(t, 1))[0] ?? "", /^exec_die 143 /);
  await fails(t, 127, "exec", "-d", "one", "/nothing");
  for (const _ of [1, 2]) await ok(t, "exec", "-d", "one", "sleep", "1000");
  await ok(t, "rm", "-f", "one");
  const told = await executions(t, 3);
  assert.equal(told.length, 3 * 3);
  assert.equal(deaths(told).filter((line) => line.startsWith("exec_die 137 ")).length, 2);
});

test("volumes are told of from their making to their end", MANY, async (t) => {
  await ok(t, "volume", "create", "own");
  const mounts = ["-v", "own:/own:ro", "-v", "made:/made"];
  await ok(t, "run", "--rm", "--network", "none", ...mounts, "--rootfs", `${t.rootfs}:O`, "true");
  await detached(t, ["--name", "one", ...mounts], ["sleep", "1000"]);
  await ok(t, "rm", "-f", "one");
  await ok(t, "volume", "rm", "own", "made");
  const format = ["--filter", "type=volume", "--format", "{{.Action}} {{.Actor.ID}}"];
  const told = (await ok(t, "events", ...ALL, ...format)).split("\n").slice(0, -1);
  const used = ["mount own", "mount made", "unmount own", "unmount made"];
  const wanted = ["create own", "create made", ...used, ...used, "destroy own", "destroy made"];
  assert.deepEqual(told, wanted);
  const [line = ""] =
    (await ok(t, "events", ...ALL, "--filter", "volume=own", "--filter", "event=mount"))
      .split("\n");
  assert.match(line, / volume mount own \(container=[0-9a-f]{64}, destination=\/own, /);
  assert.match(line, /driver=local, propagation=\w*, read\/write=false\)$/);
});

test(
  "events go on until they are interrupted, over a rotation of the journal",
  MANY,
  async (t) => {
    await using following = t.startMinictr(["events", "--format", "{{.Action}} {{.Actor.ID}}"]);
    // It follows as soon as it has made the directory that it watches; then a first event comes through.
    const first = await detached(t, ["--name", "one"], ["true"]);
    await following.until(`die ${first}`);
    Deno.writeTextFileSync(`${t.root}/run/events`, "x".repeat(1_000_001) + "\n", { append: true });
    const second = await detached(t, ["--name", "two"], ["true"]);
    await following.until(`die ${second}`);
    assert.ok(Deno.statSync(`${t.root}/run/events.1`).size > 1_000_000);
    await ok(t, "rm", "-f", "one", "two");
    await following.until(`destroy ${second}`);
    following.kill("SIGINT");
  },
);

test("no command fails because its event cannot be written", MANY, async (t) => {
  Deno.mkdirSync(`${t.root}/run/events`, { recursive: true });
  await detached(t, ["--name", "one"], ["true"]);
  await ok(t, "rm", "-f", "one");
  assert.match(await fails(t, 125, "events", "--filter", "colour=red"), /no filter "colour"/);
});
