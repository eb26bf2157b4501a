import assert from "assert";
import { detached, fails, ok } from "./support/background.ts";
import { type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox", "not-vm"], timeoutMs: 90_000 } as const;
const ALL = ["--since", "1h", "--until", "0s"];

/** The actions that are told of, one a line. */
async function actions(t: Scratch, ...flags: string[]): Promise<string[]> {
  const out = await ok(t, "events", ...ALL, ...flags, "--format", "{{.Action}}");
  return out.split("\n").slice(0, -1);
}

test("events tell of a container's life in docker's words and order", NEEDS, async (t) => {
  const id = await detached(t, ["--name", "one", "--label", "tier=web"], ["sleep", "1000"]);
  await ok(t, "pause", "one");
  await ok(t, "unpause", "one");
  await ok(t, "rename", "one", "uno");
  await ok(t, "stop", "-t", "0", "uno");
  await ok(t, "restart", "uno");
  await ok(t, "rm", "-f", "uno");
  const life = ["create", "start", "pause", "unpause", "rename", "die", "stop", "start"];
  const told = await actions(t);
  assert.deepEqual(told.filter((action) => action !== "stop" && action !== "die"), [
    ...life.filter((action) => action !== "stop" && action !== "die"),
    "restart",
    "destroy",
  ]);
  // Who stops it and who sees its end are two processes.
  assert.deepEqual(told.filter((action) => action === "stop").length, 2);
  assert.deepEqual(told.filter((action) => action === "die").length, 2);
  assert.deepEqual(await actions(t, "--filter", "event=start", "--filter", "event=destroy"), [
    "start",
    "start",
    "destroy",
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

test(
  "events go on until they are interrupted, over a rotation of the journal",
  NEEDS,
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

test("no command fails because its event cannot be written", NEEDS, async (t) => {
  Deno.mkdirSync(`${t.root}/run/events`, { recursive: true });
  await detached(t, ["--name", "one"], ["true"]);
  await ok(t, "rm", "-f", "one");
  assert.match(await fails(t, 125, "events", "--filter", "colour=red"), /no filter "colour"/);
});
