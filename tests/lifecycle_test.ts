import assert from "assert";
import { type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"], timeoutMs: 60_000 } as const;
/** Of many commands, each of which takes seconds in the virtual machine. */
const MANY = { requires: ["root", "command:busybox", "not-vm"], timeoutMs: 60_000 } as const;

/** Starts a container in the background; returns its id. */
async function detached(t: Scratch, flags: string[], command: string[]): Promise<string> {
  const { out, err, code } = await t.minictr([
    "run",
    "-d",
    "--network",
    "none",
    ...flags,
    "--rootfs",
    `${t.rootfs}:O`,
    ...command,
  ]);
  assert.equal(code, 0, err);
  assert.match(out, /^[0-9a-f]{64}\n$/);
  return out.trim();
}

async function ok(t: Scratch, ...words: string[]): Promise<string> {
  const { out, err, code } = await t.minictr(words);
  assert.equal(code, 0, err);
  return out;
}

test("run -d prints the id and leaves the container running", NEEDS, async (t) => {
  const id = await detached(t, ["--name", "one"], ["sleep", "100"]);
  const [shown] = (await ok(t, "ps", "--format", "json")).trim().split("\n");
  assert.deepEqual(
    [JSON.parse(shown ?? "").ID, JSON.parse(shown ?? "").Names],
    [id.slice(0, 12), "one"],
  );
  await ok(t, "rm", "-f", "one");
  assert.equal(await ok(t, "ps", "-aq"), "");
});

test("logs gives back each stream as it was written", NEEDS, async (t) => {
  await detached(t, ["--name", "two"], ["sh", "-c", "echo out; echo err >&2; printf tail"]);
  assert.equal(await ok(t, "wait", "two"), "0\n");
  const { out, err } = await t.minictr(["logs", "two"]);
  assert.deepEqual([out, err], ["out\ntail", "err\n"]);
  assert.match(await ok(t, "logs", "-t", "--tail", "1", "two"), /^\d{4}-\d\d-\d\dT.*Z tail$/);
  await ok(t, "rm", "two");
});

test("logs -f follows until the container has ended", MANY, async (t) => {
  await detached(t, ["--name", "three"], [
    "sh",
    "-c",
    "for i in 1 2 3; do echo $i; sleep 0.3; done",
  ]);
  assert.equal(await ok(t, "logs", "-f", "three"), "1\n2\n3\n");
  await ok(t, "rm", "-f", "three");
});

test("wait prints the exit status, and inspect has it", NEEDS, async (t) => {
  await detached(t, ["--name", "four"], ["sh", "-c", "exit 43"]);
  assert.equal(await ok(t, "wait", "four"), "43\n");
  const [{ State }] = JSON.parse(await ok(t, "inspect", "four"));
  assert.deepEqual([State.Status, State.ExitCode], ["exited", 43]);
  await ok(t, "rm", "four");
});

test("stop ends a container that ignores its signal with 137", MANY, async (t) => {
  await detached(t, ["--name", "five"], ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]);
  await ok(t, "stop", "-t", "1", "five");
  assert.equal(await ok(t, "wait", "five"), "137\n");
  await ok(t, "rm", "five");
});

test("a container that was stopped starts again with its files", NEEDS, async (t) => {
  await detached(t, ["--name", "six"], ["sh", "-c", "echo x >>/times; wc -l </times"]);
  await ok(t, "wait", "six");
  await ok(t, "start", "six");
  await ok(t, "wait", "six");
  assert.equal(await ok(t, "logs", "six"), "1\n2\n");
  await ok(t, "rm", "six");
});

test("a name that is taken is refused before anything is made", MANY, async (t) => {
  await detached(t, ["--name", "seven"], ["sleep", "100"]);
  const { code, err } = await t.minictr([
    "run",
    "-d",
    "--network",
    "none",
    "--name",
    "seven",
    "--rootfs",
    t.rootfs,
    "true",
  ]);
  assert.equal(code, 125);
  assert.match(err, /"seven" is already in use/);
  await ok(t, "rm", "-f", "seven");
});

test("pause freezes, unpause thaws, and stop thaws by itself", NEEDS, async (t) => {
  await detached(t, ["--name", "eight"], ["sleep", "100"]);
  await ok(t, "pause", "eight");
  assert.match(await ok(t, "ps"), /\(Paused\)/);
  await ok(t, "unpause", "eight");
  assert.doesNotMatch(await ok(t, "ps"), /\(Paused\)/);
  await ok(t, "pause", "eight");
  await ok(t, "stop", "-t", "1", "eight");
  await ok(t, "rm", "eight");
});

test("run -d --rm leaves nothing when the container has ended", MANY, async (t) => {
  await detached(t, ["--rm", "--name", "nine"], ["sleep", "0.2"]);
  for (let tries = 0; (await ok(t, "ps", "-aq")) !== "" && tries < 50; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(await ok(t, "ps", "-aq"), "");
  assert.deepEqual([...Deno.readDirSync(`${t.root}/data/containers`)], []);
  assert.deepEqual([...Deno.readDirSync(`${t.root}/run/containers`)], []);
});

test("a killed supervisor takes its container with it, which is then dead", MANY, async (t) => {
  await detached(t, ["--name", "ten"], ["sleep", "100"]);
  const [{ State }] = JSON.parse(await ok(t, "inspect", "ten"));
  Deno.kill(State.Supervisor, "SIGKILL");
  for (let tries = 0; tries < 50; tries++) {
    if (/Dead/.test(await ok(t, "ps", "-a"))) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.match(await ok(t, "ps", "-a"), /Dead/);
  await ok(t, "rm", "ten");
});

test("the supervisor is one process without a runtime", MANY, async (t) => {
  await detached(t, ["--name", "eleven"], ["sleep", "100"]);
  const [{ State }] = JSON.parse(await ok(t, "inspect", "eleven"));
  const rollup = Deno.readTextFileSync(`/proc/${State.Supervisor}/smaps_rollup`);
  const privateKib = ["Dirty", "Clean"].reduce(
    (sum, kind) => sum + Number(new RegExp(`^Private_${kind}:\\s+(\\d+)`, "m").exec(rollup)?.[1]),
    0,
  );
  assert.ok(privateKib <= 32, `${privateKib} KiB`);
  assert.match(Deno.readLinkSync(`/proc/${State.Supervisor}/exe`), /memfd:supervisor/);
  await ok(t, "rm", "-f", "eleven");
});
