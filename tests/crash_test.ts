/**
 * Deaths and failures at each step of a start: the steps are those that `run --explain` counts, and
 * MINICTR_FAULT lets one of them kill minictr, or fail.
 */
import assert from "assert";
import { describe, type Leftover, leftovers } from "./support/leftovers.ts";
import { type Ended, IN_VM, type Scratch, test } from "./support/mod.ts";

const requires = ["root", "command:busybox", "command:setsid"] as const;
const AT_ONCE = 4;
/** In the virtual machine not every step is tried: each costs a second there. */
const EVERY = IN_VM ? 12 : 1;
/** With a writable layer most steps are the same. */
const EVERY_WITH_LAYER = IN_VM ? 30 : 6;

interface Step {
  /** As MINICTR_FAULT counts, from 1. */
  number: number;
  label: string;
}

/** One start with a fault. */
interface Attempt {
  step: Step;
  id: string;
  /** All its processes are of this session until they are in the container's cgroup. */
  session: number;
  ended: Ended;
}

/** The flags of the container whose start is tried, in which nothing but the id is random. */
function flagsOf(rootfs: string, overlay: boolean): string[] {
  return ["--rootfs", overlay ? `${rootfs}:O` : rootfs, "--hostname", "box"];
}

async function stepsOf(t: Scratch, flags: string[]): Promise<Step[]> {
  const { code, out, err } = await t.run([...flags, "--explain", "--json"], ["mkdir", "/ran"]);
  assert.equal(code, 0, err);
  const steps: { label: string }[] = JSON.parse(out);
  const numbered = steps.map(({ label }, index) => ({ number: index + 1, label: plain(label) }));
  assert.ok(numbered.length > 40, `${numbered.length} steps`);
  const every = flags.some((flag) => flag.endsWith(":O")) ? EVERY_WITH_LAYER : EVERY;
  return numbered.filter(({ number, label }) =>
    number % every === 0 || label.includes("overlay") || number === numbered.length
  );
}

/** The number of the step that starts the stage. */
async function birthOf(t: Scratch, flags: string[]): Promise<number> {
  const { out } = await t.run([...flags, "--explain", "--json"], ["mkdir", "/ran"]);
  const steps: { label: string }[] = JSON.parse(out);
  const index = steps.findIndex(({ label }) => label === "start the stage in its namespaces");
  assert.ok(index > 0);
  return index + 1;
}

/** A text without the container's id, which is another one in each run. */
function plain(text: string): string {
  return text.replaceAll(/[0-9a-f]{64}/g, "ID");
}

async function attempt(
  t: Scratch,
  kind: "kill" | "fail",
  flags: string[],
  step: Step,
): Promise<Attempt> {
  const cidfile = `${t.directory}/${kind}-${step.number}.id`;
  const words = t.runWords([...flags, "--cidfile", cidfile], ["mkdir", `/ran-${step.number}`]);
  await using program = t.start(["setsid", ...words], {
    env: { MINICTR_FAULT: `${kind}:${step.number}` },
  });
  const ended = await program.ended;
  const [id = ""] = readIfThere(cidfile);
  assert.match(id, /^[0-9a-f]{64}$/, `step ${step.number} was not reached: ${ended.err}`);
  return { step, id, session: program.pid, ended };
}

function readIfThere(path: string): string[] {
  try {
    return [Deno.readTextFileSync(path)];
  } catch {
    return [];
  }
}

/** Tries each step, several at once. */
async function attempts(
  t: Scratch,
  kind: "kill" | "fail",
  flags: string[],
  then: (attempt: Attempt) => Promise<void> | void,
): Promise<void> {
  const waiting = await stepsOf(t, flags);
  const next = async (): Promise<void> => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      await then(await attempt(t, kind, flags, step));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

/** What is left of an attempt: processes, mounts, cgroups, and what the root directory holds. */
async function leftOf(t: Scratch, { id, session }: Attempt, graceMs: number): Promise<Leftover[]> {
  const deadline = performance.now() + graceMs;
  while (true) {
    const found = [...await leftovers(id, 0), ...processesOf(session), ...filesOf(t, id)];
    if (found.length === 0 || performance.now() >= deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Processes of a session that have not ended; proc_pid_stat(5). */
function processesOf(session: number): Leftover[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }): Leftover[] => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const [state, , , of] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const found = Number(of) === session && state !== "Z" && state !== "X";
      return found ? [{ kind: "process", what: stat, pid: Number(name) }] : [];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}

/** What lies below `--root` and carries a container's id. */
function filesOf(t: Scratch, id: string, directory = t.root): Leftover[] {
  return entriesOf(directory).flatMap(({ name, isDirectory }): Leftover[] => {
    const path = `${directory}/${name}`;
    if (name.includes(id)) return [{ kind: "file", what: path }];
    return isDirectory ? filesOf(t, id, path) : [];
  });
}

function entriesOf(directory: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)];
  } catch {
    return []; // It was another start's, and is gone meanwhile.
  }
}

function assertNothing(left: Leftover[], { step }: Attempt): void {
  assert.equal(describe(left), "", `left of step ${step.number}, "${step.label}"`);
}

/** Directories that the commands of faulty starts made: there should be none. */
function ranIn(rootfs: string): string[] {
  return Array.from(Deno.readDirSync(rootfs), ({ name }) => name).filter((n) =>
    n.startsWith("ran-")
  );
}

/** What the command itself is to blame for ends as a shell tells it. */
const OF_COMMAND = /^(see that .* exists|enter \/|start mkdir$)/;

for (const overlay of [false, true]) {
  const needs = overlay ? [...requires, "overlay-on-tmp"] as const : requires;
  const where = overlay ? "with a writable layer" : "in a directory";

  test(`minictr killed at any step of a start ${where} leaves nothing after the next command`, {
    requires: needs,
    timeoutMs: 240_000,
  }, async (t) => {
    const rootfs = await t.ownRootfs();
    const flags = flagsOf(rootfs, overlay);
    const bornAt = await birthOf(t, flags);
    const killed: Attempt[] = [];
    await attempts(t, "kill", flags, (attempt) => {
      const { ended, step } = attempt;
      assert.equal(ended.code, 137, `step ${step.number}, "${step.label}": ${ended.err}`);
      assert.equal(ended.err, "");
      killed.push(attempt);
    });
    // Once the stage is born it goes on until the kernel ends it, a moment after minictr: the command
    // may have begun. Before, nothing can have.
    const unborn = killed.filter(({ step }) => step.number <= bornAt);
    assert.deepEqual(
      ranIn(rootfs).filter((name) => unborn.some(({ step }) => name === `ran-${step.number}`)),
      [],
    );
    const { code, err } = await t.run(flags, ["true"]);
    assert.deepEqual([code, err], [0, ""]);
    for (const attempt of killed) assertNothing(await leftOf(t, attempt, 1000), attempt);
  });

  test(`a start ${where} that fails at any step names it in one line and leaves nothing`, {
    requires: needs,
    timeoutMs: 240_000,
  }, async (t) => {
    const rootfs = await t.ownRootfs();
    await attempts(t, "fail", flagsOf(rootfs, overlay), async (attempt) => {
      const { ended: { code, out, err }, step } = attempt;
      assertNothing(await leftOf(t, attempt, 0), attempt);
      const about = `step ${step.number}, "${step.label}": ${err}`;
      assert.ok(OF_COMMAND.test(step.label) ? code === 126 || code === 127 : code === 125, about);
      assert.equal(out, "");
      assert.equal(plain(err).split(": ")[1], `cannot ${step.label.split(": ")[0]}`);
      assert.match(err, /^minictr: [^\n]+\n$/);
    });
    assert.deepEqual(ranIn(rootfs), []);
  });
}

test("a container ends when its minictr is killed, and the next command takes the rest away", {
  requires,
}, async (t) => {
  const cidfile = `${t.directory}/id`;
  const words = t.runWords(["--cidfile", cidfile], ["sh", "-c", "echo up; exec sleep 1000"]);
  await using program = t.start(["setsid", ...words]);
  await program.until("up");
  program.kill("SIGKILL");
  const ended = await program.ended;
  assert.equal(ended.code, 137);
  const id = Deno.readTextFileSync(cidfile);
  const attempt = { step: { number: 0, label: "run" }, id, session: program.pid, ended };
  const { code, err } = await t.run([], ["true"]);
  assert.deepEqual([code, err], [0, ""]);
  assertNothing(await leftOf(t, attempt, 1000), attempt);
});

test("a container that is killed ends minictr with 137, which takes all away", {
  requires,
}, async (t) => {
  const cidfile = `${t.directory}/id`, pidfile = `${t.directory}/pid`;
  const flags = ["--cidfile", cidfile, "--pidfile", pidfile];
  await using program = t.start([
    "setsid",
    ...t.runWords(flags, ["sh", "-c", "echo up; exec sleep 1000"]),
  ]);
  await program.until("up");
  Deno.kill(Number(Deno.readTextFileSync(pidfile)), "SIGKILL");
  const ended = await program.ended;
  assert.deepEqual([ended.code, ended.err], [137, ""]);
  const id = Deno.readTextFileSync(cidfile);
  const attempt = { step: { number: 0, label: "run" }, id, session: program.pid, ended };
  assertNothing(await leftOf(t, attempt, 0), attempt);
});
