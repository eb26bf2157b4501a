/** A new release of the portable executable beside older ones: what of them stays on the disk. */
import assert from "assert";
import { type Ended, type Scratch, test } from "./support/mod.ts";
import { portableCopy, portableFile } from "./support/portable.ts";

const BUILD_MS = 180_000;
const NEEDS = {
  requires: ["root", "not-vm", "command:busybox", "time"],
  timeoutMs: BUILD_MS,
} as const;
/** A first run that may still be going on is left alone; so the test makes all older than that. */
const HOUR_MS = 3_600_000;
const ENDED_MS = 30_000;

/** What a release unpacks as, but for its size. */
const STALE = "a".repeat(64), PREVIOUS = "b".repeat(64);

/** Runs an executable that unpacks below the test's directory. */
async function call(t: Scratch, file: string, ...args: string[]): Promise<Ended> {
  await using program = t.start([file, "--root", t.root, ...args], {
    env: { MINICTR_PROGRAMS: `${t.directory}/programs` },
    timeoutMs: BUILD_MS,
  });
  const ended = await program.ended;
  assert.equal(ended.code, 0, ended.err);
  return ended;
}

/** Another release, that no other test runs: the same program in an archive that is compressed otherwise. */
async function release(t: Scratch, name: string, level: 1 | 2): Promise<string> {
  const from = await portableFile(), to = `${t.directory}/${name}`;
  const script = `offset=$(sed -n 's/^digest=.* offset=\\([0-9]*\\) .*/\\1/p;5q' "$1")
    tail -c +$offset "$1" | gzip -dc | gzip -${level} -n >"$2.gz"
    sum=$(sha256sum <"$2.gz")
    head -c $((offset - 1)) "$1" | sed "s/^digest=[0-9a-f]*/digest=\${sum%% *}/" >"$2"
    cat "$2.gz" >>"$2"
    rm "$2.gz"
    chmod 755 "$2"`;
  const { code, err } = await t.start(["sh", "-euc", script, "sh", from, to]).ended;
  assert.equal(code, 0, err);
  return to;
}

function unpacked(t: Scratch): string[] {
  return Array.from(Deno.readDirSync(`${t.directory}/programs`), ({ name }) => name).sort();
}

function setAge(t: Scratch, name: string, hours: number): void {
  const then = new Date(Date.now() - hours * HOUR_MS);
  Deno.utimeSync(`${t.directory}/programs/${name}`, then, then);
}

test(
  "of older releases the last one stays, and those that running containers end with",
  NEEDS,
  async (t) => {
    const older = await release(t, "older", 1), newer = await release(t, "newer", 2);
    const flags = ["--name", "box", "--rm", "--network", "none"];
    await call(t, older, "run", "-d", ...flags, "sleep", "1000");
    const [inUse = ""] = unpacked(t);
    for (const name of [STALE, PREVIOUS]) {
      Deno.mkdirSync(`${t.directory}/programs/${name}`);
      Deno.writeTextFileSync(`${t.directory}/programs/${name}/stay.js`, "");
    }
    Deno.mkdirSync(`${t.directory}/programs/not-ours`);
    setAge(t, STALE, 5);
    setAge(t, inUse, 4);
    setAge(t, PREVIOUS, 3);

    await call(t, newer, "version");
    const [now = ""] = unpacked(t).filter((name) => ![inUse, PREVIOUS, "not-ours"].includes(name));
    assert.match(now, /^[0-9a-f]{64}$/);
    assert.deepEqual(unpacked(t), [inUse, PREVIOUS, "not-ours", now].sort(), "the stale one goes");

    await call(t, newer, "rm", "-f", "box");
    // The older release may still be telling of the end.
    for (const end = Date.now() + ENDED_MS; unpacked(t).includes(inUse) && Date.now() < end;) {
      await Deno.remove(`${t.directory}/programs/${now}`, { recursive: true });
      await call(t, newer, "version");
    }
    assert.deepEqual(unpacked(t), [PREVIOUS, "not-ours", now].sort(), "the container has ended");
  },
);

test(
  "a unit for systemd starts the file that was called, which the next release replaces",
  NEEDS,
  async (t) => {
    const file = await portableCopy(`${t.directory}/minictr`);
    const { out } = await call(t, file, "generate", "systemd");
    assert.match(out, new RegExp(`^ExecStart="?${file}"? .*start --all-restartable$`, "m"));
  },
);
