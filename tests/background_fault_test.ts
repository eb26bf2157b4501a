/**
 * Containers in the background when something goes wrong: what is injected, and what is found then.
 * docs/lifecycle.md has a table of them.
 */
import assert from "assert";
import { detached, fails, inspected, ok, until } from "./support/background.ts";
import { describe, type Leftover, leftovers } from "./support/leftovers.ts";
import { type Scratch, test } from "./support/mod.ts";

const requires = ["root", "command:busybox", "not-vm"] as const;
const NEEDS = { requires, timeoutMs: 120_000 } as const;
const LONG = { requires, timeoutMs: 240_000 } as const;
/** Beyond the steps of any start. */
const MOST_STEPS = 200;

/** Processes that hold something open below the test's root: supervisors, sleepers, commands. */
function holders(root: string): Leftover[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }): Leftover[] => {
    const pid = Number(name);
    if (!(pid > 0) || pid === Deno.pid) return [];
    try {
      const open = [...Deno.readDirSync(`/proc/${pid}/fd`)].map((fd) =>
        Deno.readLinkSync(`/proc/${pid}/fd/${fd.name}`)
      );
      const found = open.find((path) => path.startsWith(`${root}/`));
      return found === undefined ? [] : [{ kind: "process", what: `${pid} holds ${found}`, pid }];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}

/** What is left on disk of containers. */
function filesBelow(t: Scratch): Leftover[] {
  return [`${t.root}/data/containers`, `${t.root}/run/containers`].flatMap((directory) => {
    try {
      return Array.from(Deno.readDirSync(directory), ({ name }): Leftover => {
        return { kind: "file", what: `${directory}/${name}` };
      });
    } catch {
      return [];
    }
  });
}

/** Fails if anything of these containers, or of any below the test's root, is left. */
async function assertNothingLeft(t: Scratch, ids: readonly string[]): Promise<void> {
  const left = await until(
    async () => [
      ...holders(t.root),
      ...filesBelow(t),
      ...(await Promise.all(ids.map((id) => leftovers(id, 0)))).flat(),
    ],
    (found) => found.length === 0,
    5000,
  ).catch((error) => error);
  if (!Array.isArray(left)) {
    assert.fail(`left behind:\n${describe([...holders(t.root), ...filesBelow(t)])}\n${left}`);
  }
}

/** The ids of all containers that are known. */
async function ids(t: Scratch): Promise<string[]> {
  return (await ok(t, "ps", "-aq", "--no-trunc")).split("\n").filter((id) => id !== "");
}

test(
  "minictr killed at any step of run -d leaves a container that rm -f takes away whole",
  LONG,
  async (t) => {
    const words = ["run", "-d", "--network", "none", "--rootfs", `${t.rootfs}:O`, "sleep", "1000"];
    let killed = 0;
    for (let step = 1; step < MOST_STEPS; step += 7) {
      const env = { MINICTR_FAULT: `kill:${step}` };
      const { code } = await t.minictr(words, { env });
      if (code === 0) break; // The start has no such step.
      assert.equal(code, 137);
      killed++;
    }
    assert.ok(killed > 8, `${killed} steps`);
    const known = await ids(t);
    for (const id of known) {
      const { State } = await inspected(t, id);
      // None is taken to run that does not; the last one may have got to its command.
      assert.ok(!State.Running || Deno.statSync(`/proc/${State.Pid}`).isDirectory);
    }
    await ok(t, "rm", "-f", ...known);
    await assertNothingLeft(t, known);
  },
);

test(
  "minictr killed at any step of start leaves a container that starts again",
  LONG,
  async (t) => {
    await ok(
      t,
      "create",
      "--name",
      "one",
      "--network",
      "none",
      "--rootfs",
      `${t.rootfs}:O`,
      "sleep",
      "9",
    );
    const [id = ""] = await ids(t);
    let killed = 0;
    for (let step = 3; step < MOST_STEPS; step += 7) {
      const { code } = await t.minictr(["start", "one"], {
        env: { MINICTR_FAULT: `kill:${step}` },
      });
      if (code === 0) break;
      assert.equal(code, 137);
      killed++;
    }
    assert.ok(killed > 8, `${killed} steps`);
    await ok(t, "start", "one");
    assert.equal((await inspected(t, "one")).State.Status, "running");
    await ok(t, "rm", "-f", "one");
    await assertNothingLeft(t, [id]);
  },
);

test(
  "a supervisor that is killed takes all of its container with it, and start begins anew",
  NEEDS,
  async (t) => {
    const id = await detached(t, ["--name", "one"], ["sh", "-c", "sleep 1000 & sleep 1000"]);
    Deno.kill((await inspected(t, "one")).State.Supervisor, "SIGKILL");
    await until(() => inspected(t, "one"), ({ State }) => State.Status === "dead");
    await ok(t, "start", "one");
    assert.equal((await inspected(t, "one")).State.Status, "running");
    await ok(t, "rm", "-f", "one");
    await assertNothingLeft(t, [id]);
  },
);

test(
  "a first process that is killed ends with 137, and nothing of it is left but its record",
  NEEDS,
  async (t) => {
    const id = await detached(t, ["--name", "one"], ["sh", "-c", "sleep 1000 & sleep 1000"]);
    Deno.kill((await inspected(t, "one")).State.Pid, "SIGKILL");
    assert.equal(await ok(t, "wait", "one"), "137\n");
    await until(() => [...holders(t.root)], (found) => found.length === 0);
    assert.deepEqual(await leftovers(id), []);
    assert.match(await ok(t, "why", "one"), /was killed after .* with SIGKILL, which neither/);
    await ok(t, "rm", "one");
  },
);

test("a process that has got the number of a dead container's is left alone", NEEDS, async (t) => {
  const id = await detached(t, ["--name", "one"], ["sleep", "1000"]);
  const { State } = await inspected(t, "one");
  const path = `${t.root}/run/containers/${id}/state.json`;
  const state = JSON.parse(Deno.readTextFileSync(path));
  Deno.kill(State.Supervisor, "SIGKILL");
  // This process has it now, with another start time.
  Deno.writeTextFileSync(path, JSON.stringify({ ...state, pid: Deno.pid }));
  assert.equal((await inspected(t, "one")).State.Status, "dead");
  assert.match(await fails(t, 1, "kill", "one"), /does not run/);
  await ok(t, "stop", "one");
  await ok(t, "rm", "-f", "one");
  await assertNothingLeft(t, [id]);
});

test("a root that is read-only is told of in one line, and nothing is made", NEEDS, async (t) => {
  Deno.mkdirSync(t.root, { recursive: true });
  const words = t.runWords(["-d"], ["sleep", "1000"]).filter((word) => word !== "--rm");
  const script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"';
  const { code, out, err } = await t.start(["unshare", "-m", "sh", "-c", script, t.root, ...words])
    .ended;
  assert.deepEqual([code, out], [125, ""]);
  assert.match(err, /^minictr: [^\n]*[Rr]ead-only[^\n]*\n$/);
  await assertNothingLeft(t, []);
});

test("a full disk at the start is told of in one line, and rm leaves nothing", NEEDS, async (t) => {
  Deno.mkdirSync(t.root, { recursive: true });
  const words = t.runWords(["-d", "--name", "one"], ["sleep", "1000"])
    .filter((word) => word !== "--rm");
  const minictr = words.slice(0, words.lastIndexOf("run")).join(" ");
  let started = false;
  for (let kilobytes = 0; !started; kilobytes += 8) {
    assert.ok(kilobytes <= 256, "it never starts");
    // As much is free as said; what is left then is found before the filesystem goes.
    const script = `mount -t tmpfs -o size=1m none "$0"
      head -c 1m /dev/zero >"$0/full" 2>/dev/null; truncate -s -${kilobytes}k "$0/full"
      "$@"; code=$?
      ${minictr} rm -f one >/dev/null 2>&1; find "$0" -path '*containers/*'; exit $code`;
    const { code, out, err } = await t.start([
      "unshare",
      "-m",
      "sh",
      "-c",
      script,
      t.root,
      ...words,
    ])
      .ended;
    started = code === 0;
    if (!started) assert.match(err, /^minictr: [^\n]*[Nn]o space left[^\n]*\n$/, `${kilobytes} kB`);
    assert.equal(out.split("\n").slice(started ? 1 : 0).join("\n"), "", `${kilobytes} kB`);
    await until(() => holders(t.root), (left) => left.length === 0); // A supervisor cleans up last.
  }
});

test(
  "commands that stop, start and remove one container at once leave it whole or gone",
  LONG,
  async (t) => {
    const all: string[] = [];
    for (let round = 0; round < 6; round++) {
      all.push(await detached(t, ["--name", "one"], ["sleep", "1000"]));
      const ended = await Promise.all([
        ["stop", "-t", "0", "one"],
        ["start", "one"],
        ["restart", "-t", "0", "one"],
        ["kill", "one"],
        ...round % 2 === 0 ? [["rm", "-f", "one"]] : [],
        ["start", "one"],
      ].map((words) => t.minictr(words)));
      for (const { code, err } of ended) {
        assert.ok(code === 0 || /^minictr: [^\n]+\n$/.test(err), err);
        assert.doesNotMatch(err, /EEXIST|ENOENT|os error|undefined/);
      }
      const left = await ids(t);
      for (const id of left) {
        const { State } = await inspected(t, id);
        assert.match(State.Status, /^(running|exited)$/);
      }
      if (left.length > 0) await ok(t, "rm", "-f", "one");
    }
    await assertNothingLeft(t, all);
  },
);

test("rm -f of a container that is just being started leaves nothing", LONG, async (t) => {
  for (let round = 0; round < 8; round++) {
    const words = ["run", "-d", "--name", "one", "--network", "none", "--rootfs", `${t.rootfs}:O`];
    const starting = t.minictr([...words, "sleep", "1000"]);
    await new Promise((resolve) => setTimeout(resolve, 20 * round));
    const removed = await t.minictr(["rm", "-f", "one"]);
    const { code, err } = await starting;
    assert.ok(code === 0 || /^minictr: [^\n]+\n$/.test(err), err);
    if (removed.code !== 0) {
      assert.match(removed.err, /there is no container "one"/);
      await ok(t, "rm", "-f", "one"); // It came too soon.
    }
    await assertNothingLeft(t, []);
  }
});

test(
  "a frozen container is stopped within its time, and its processes are gone",
  NEEDS,
  async (t) => {
    const id = await detached(t, ["--name", "one"], [
      "sh",
      "-c",
      "trap 'exit 3' TERM; echo ready; sleep 1000 & wait",
    ]);
    await until(() => ok(t, "logs", "one"), (out) => out === "ready\n");
    await ok(t, "pause", "one");
    await ok(t, "stop", "-t", "20", "one");
    assert.equal((await inspected(t, "one")).State.ExitCode, 3);
    await ok(t, "rm", "one");
    await assertNothingLeft(t, [id]);
  },
);
