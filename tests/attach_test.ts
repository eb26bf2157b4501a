/** Containers that are attached to while they run: output, input, terminals, and leaving them alone. */
import assert from "assert";
import { patient, type Program, type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"] } as const;
const MANY = { requires: ["root", "command:busybox", "not-vm"] } as const;
const TERMINAL = { requires: ["root", "command:busybox", "command:python3"] } as const;

async function ok(t: Scratch, ...words: string[]): Promise<string> {
  const { out, err, code } = await t.minictr(words);
  assert.equal(code, 0, err);
  return out;
}

/** Starts a container in the background. */
async function detached(t: Scratch, name: string, flags: string[], script: string): Promise<void> {
  const always = ["-d", "--network", "none", "--name", name, "--rootfs", `${t.rootfs}:O`];
  await ok(t, "run", ...always, ...flags, "sh", "-c", script);
}

/** Attaches with a pipe for input, and waits until it shows what is written. */
async function attached(t: Scratch, name: string, flags: string[] = []): Promise<Program> {
  const program = t.startMinictr(["attach", ...flags, name], { stdin: "pipe" });
  await program.until(/tick/);
  return program;
}

const TICKING = "while sleep 0.1; do echo tick; done";

test("attach shows what is written from then on, and returns the exit status", NEEDS, async (t) => {
  const script = `echo before; (${TICKING}) & until test -e /go; do sleep 0.05; done; exit 9`;
  await detached(t, "one", [], script);
  await using program = await attached(t, "one");
  await ok(t, "exec", "one", "touch", "/go");
  const { code, out } = await program.ended;
  assert.equal(code, 9);
  assert.match(out, /^(tick\n)+$/);
  await ok(t, "rm", "one");
});

test(
  "what is typed at attach reaches a container of -d -i, and its end leaves it running",
  MANY,
  async (t) => {
    await detached(
      t,
      "two",
      ["-i"],
      `(${TICKING}) & while read line; do echo got $line; done; exit 3`,
    );
    {
      await using program = await attached(t, "two");
      await program.write("first\n");
      await program.until("got first");
      await program.closeStdin();
      program.kill("SIGKILL");
    }
    await using again = await attached(t, "two");
    await again.write("second\n");
    await again.until("got second");
    again.kill("SIGKILL");
    await ok(t, "rm", "-f", "two");
  },
);

test("two can be attached at once, and one that does not read harms nobody", MANY, async (t) => {
  await detached(t, "three", ["-i"], "while read line; do yes $line | head -n 200000; done");
  const words = t.words(["attach", "three"]);
  // Its output is a pipe that nobody reads.
  const script = 'exec 3<&0; "$@" </dev/null | cat <&3 >/dev/null';
  const deaf = t.start(["sh", "-c", script, "sh", ...words], { stdin: "pipe" });
  await using reading = t.startMinictr(["attach", "three"], { stdin: "pipe" });
  await reading.write("some more text\n");
  await reading.until(/(some more text\n){200}/);
  const deadline = performance.now() + patient(20_000);
  while ((reading.out.match(/text\n/g)?.length ?? 0) < 200_000) {
    assert.ok(performance.now() < deadline, `${reading.out.length} bytes`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  reading.kill("SIGKILL");
  await ok(t, "rm", "-f", "three");
  await deaf.closeStdin();
  await deaf.ended;
});

test("signals go to the container, and with --sig-proxy=false they do not", MANY, async (t) => {
  await detached(t, "four", [], `trap 'exit 6' INT; ${TICKING}`);
  {
    await using only = await attached(t, "four", ["--sig-proxy=false"]);
    only.kill("SIGINT");
    assert.equal((await only.ended).code, 130);
  }
  await using program = await attached(t, "four");
  program.kill("SIGINT");
  assert.equal((await program.ended).code, 6);
  await ok(t, "rm", "four");
});

test(
  "a terminal in the background is typed at, resized and left by its keys",
  TERMINAL,
  async (t) => {
    await detached(t, "five", ["-it"], "exec sh");
    {
      await using terminal = t.onTerminal(t.words(["attach", "five"]), { rows: 33, columns: 99 });
      await terminal.type("stty size\r");
      await terminal.until("33 99");
      await terminal.resize(44, 111);
      await terminal.type("sleep 0.3; stty size\r");
      await terminal.until("44 111");
      await terminal.type("sleep 100\r");
      await terminal.until("sleep 100");
      await new Promise((resolve) => setTimeout(resolve, 300));
      await terminal.type("\x03");
      await terminal.until(/\^C[^]*# /);
      await terminal.type("\x10\x11");
      assert.equal((await terminal.ended).code, 0);
      assert.match(terminal.shown, /left container "five" running/);
    }
    await using again = t.onTerminal(t.words(["attach", "--detach-keys", "ctrl-a", "five"]));
    await again.type("echo $((6 * 7))\r");
    await again.until("42");
    await again.type("exit 8\r");
    assert.equal((await again.ended).code, 8);
    await ok(t, "rm", "five");
  },
);

test("attach follows a log across its rotation", MANY, async (t) => {
  const script = "read line; seq 1 300000; read line";
  await detached(
    t,
    "six",
    ["-i", "--log-opt", "max-size=100k", "--log-opt", "max-file=50"],
    script,
  );
  await using program = t.startMinictr(["attach", "six"], { stdin: "pipe" });
  await program.write("go\n");
  await program.until(/\n300000\n/);
  await program.write("end\n");
  const { out, code } = await program.ended;
  assert.equal(code, 0);
  assert.equal(out, Array.from({ length: 300_000 }, (_, at) => `${at + 1}\n`).join(""));
  await ok(t, "rm", "six");
});

test("attach to a container that cannot be attached to says why", MANY, async (t) => {
  await detached(t, "seven", [], "sleep 100");
  await ok(t, "pause", "seven");
  const paused = await t.minictr(["attach", "seven"]);
  assert.deepEqual([paused.code, paused.out], [125, ""]);
  assert.match(paused.err, /"seven": it is paused; unpause it first\n$/);
  await ok(t, "stop", "-t", "0", "seven");
  const stopped = await t.minictr(["attach", "seven"]);
  assert.match(stopped.err, /"seven": it does not run; start it first\n$/);
  await ok(t, "rm", "seven");
  assert.match((await t.minictr(["attach", "seven"])).err, /there is no container "seven"/);
});

/** Attaches and leaves so often, four at once. */
function attachOften(times: number): (t: Scratch) => Promise<void> {
  return async (t) => {
    await detached(t, "eight", ["-i"], TICKING);
    const [{ State }] = JSON.parse(await ok(t, "inspect", "eight"));
    const descriptors = () => [...Deno.readDirSync(`/proc/${State.Supervisor}/fd`)].length;
    const before = descriptors();
    for (let round = 0; round < times / 4; round++) {
      const four = await Promise.all([1, 2, 3, 4].map(() => attached(t, "eight")));
      for (const program of four) {
        program.kill("SIGKILL");
        await program.ended;
      }
    }
    assert.equal(descriptors(), before);
    await ok(t, "rm", "-f", "eight");
  };
}

test("twenty attach and leave, and the supervisor holds nothing of them", {
  ...MANY,
  timeoutMs: 120_000,
}, attachOften(20));

test("two hundred attach and leave, and the supervisor holds nothing of them", {
  requires: ["root", "command:busybox", "not-vm", "slow"],
  timeoutMs: 600_000,
}, attachOften(200));

test(
  "with --log-driver none nothing is kept, and attach shows what is written",
  MANY,
  async (t) => {
    await detached(t, "nine", ["--log-driver", "none"], `${TICKING}`);
    {
      await using program = await attached(t, "nine");
      program.kill("SIGKILL");
    }
    const { code, err } = await t.minictr(["logs", "nine"]);
    assert.equal(code, 125);
    assert.match(
      err,
      /nothing is kept of what "nine" writes: it was started with --log-driver none/,
    );
    const [{ Id }] = JSON.parse(await ok(t, "inspect", "nine"));
    assert.throws(() => Deno.statSync(`${t.root}/data/containers/${Id}/log`), Deno.errors.NotFound);
    await ok(t, "rm", "-f", "nine");
  },
);

test("a signal that ends attach leaves the terminal as it was", TERMINAL, async (t) => {
  await detached(t, "screen", ["-t"], TICKING);
  const script = `
    exec 3<&0 # Without it a job in the background reads /dev/null.
    before=$(stty -g); "$@" <&3 & attach=$!
    until test "$before" != "$(stty -g)"; do sleep 0.1; done
    kill -TERM $attach; wait $attach; echo "status $?"
    test "$before" = "$(stty -g)" && echo restored`;
  await using terminal = t.onTerminal(["sh", "-c", script, "sh", ...t.words(["attach", "screen"])]);
  const { out } = await terminal.ended;
  assert.match(out, /status 143\r\nrestored\r\n$/);
  assert.match(await ok(t, "ps"), /screen/);
  await ok(t, "rm", "-f", "screen");
});
