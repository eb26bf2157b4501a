/**
 * Containers that are kept, in the foreground: what they write reaches the caller whole, and the log;
 * they do not need minictr to go on.
 */
import assert from "assert";
import { type Ended, patient, type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"] } as const;
const MANY = { requires: ["root", "command:busybox", "not-vm"] } as const;
const TERMINAL = { requires: ["root", "command:busybox", "command:python3"] } as const;

/** The words behind `minictr --root ROOT` of a container that is kept. */
function kept(t: Scratch, name: string, flags: string[], command: string[]): string[] {
  const always = ["--network", "none", "--name", name, "--rootfs", `${t.rootfs}:O`];
  return ["run", ...always, ...flags, ...command];
}

async function ok(t: Scratch, ...words: string[]): Promise<string> {
  const { out, err, code } = await t.minictr(words);
  assert.equal(code, 0, err);
  return out;
}

/** The same through a shell: `$MINICTR run …` with what is around it. */
async function shell(t: Scratch, script: string, words: string[]): Promise<Ended> {
  return await t.start(["sh", "-c", script, "sh", ...t.words(words)]).ended;
}

/** Waits for what a container's state comes to. */
async function until(t: Scratch, name: string, status: string): Promise<void> {
  const deadline = performance.now() + patient(10_000);
  for (;;) {
    const [{ State }] = JSON.parse(await ok(t, "inspect", name));
    if (State.Status === status) return;
    assert.ok(performance.now() < deadline, `"${name}" is ${State.Status}, not ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test(
  "a container in the foreground is kept without --rm, with its log and its status",
  NEEDS,
  async (t) => {
    const script = "echo out; echo err >&2; exit 7";
    const { code, out, err } = await t.minictr(kept(t, "one", [], ["sh", "-c", script]));
    assert.deepEqual([code, out, err], [7, "out\n", "err\n"]);
    assert.match(await ok(t, "ps", "-a"), /Exited \(7\)/);
    const log = await t.minictr(["logs", "one"]);
    assert.deepEqual([log.out, log.err], ["out\n", "err\n"]);
    await ok(t, "rm", "one");
    assert.deepEqual([...Deno.readDirSync(`${t.root}/data/containers`)], []);
    assert.deepEqual([...Deno.readDirSync(`${t.root}/run/containers`)], []);
  },
);

test(
  "a container that was killed by a signal ends minictr with 128 and its number",
  MANY,
  async (t) => {
    await using program = t.startMinictr(
      kept(t, "two", [], ["sh", "-c", "echo up; exec sleep 100"]),
    );
    await program.until("up");
    await ok(t, "kill", "two");
    assert.equal((await program.ended).code, 137);
    await ok(t, "rm", "two");
  },
);

test("signals reach a container that is kept", MANY, async (t) => {
  const script = "trap 'exit 9' USR1; echo up; while :; do sleep 0.05; done";
  await using program = t.startMinictr(kept(t, "three", [], ["sh", "-c", script]));
  await program.until("up");
  program.kill("SIGUSR1");
  assert.equal((await program.ended).code, 9);
  await ok(t, "rm", "three");
});

test("100 MB reach a slow reader byte for byte, and the container waits for it", {
  ...MANY,
  timeoutMs: 120_000,
}, async (t) => {
  const bytes = 100_000_000;
  const make = `yes 0123456789abcdef | head -c ${bytes}`;
  const words = kept(t, "four", [], ["sh", "-c", make]);
  // The reader takes a break between pieces, so that the pipes fill.
  const { out, err, code } = await shell(
    t,
    `"$@" | { for i in 1 2 3 4 5; do sleep 0.1; dd bs=64k count=100 2>/dev/null; done; cat; } | md5sum`,
    words,
  );
  const expected = await t.start(["sh", "-c", `${make} | md5sum`]).ended;
  assert.deepEqual([code, out], [0, expected.out], err);
  await ok(t, "rm", "four");
});

test(
  "a container whose output nobody reads any more ends as it would without minictr",
  MANY,
  async (t) => {
    const words = kept(t, "five", [], ["yes"]);
    const { out } = await shell(t, `{ "$@"; echo $? >${t.directory}/status; } | head -n 1`, words);
    assert.equal(out, "y\n");
    // A first process gets no SIGPIPE, but EPIPE.
    assert.equal(Deno.readTextFileSync(`${t.directory}/status`), "1\n");
    await ok(t, "rm", "five");
  },
);

test("one stream's reader going away leaves the other stream alone", MANY, async (t) => {
  const script = "trap '' PIPE; echo one; sleep 0.3; echo two; echo three >&2; exit 4";
  const words = kept(t, "six", [], ["sh", "-c", script]);
  const { err } = await shell(t, `{ "$@"; echo status $? >&2; } | true`, words);
  assert.match(err, /three\nstatus 4\n$/);
  await ok(t, "rm", "six");
});

test(
  "a container goes on when its minictr is killed, and its end is noted and cleaned up",
  MANY,
  async (t) => {
    const script = "echo up; until test -e /go; do sleep 0.05; done; echo down; exit 6";
    await using program = t.startMinictr(kept(t, "seven", [], ["sh", "-c", script]));
    await program.until("up");
    await until(t, "seven", "running");
    program.kill("SIGKILL");
    await program.ended;
    await until(t, "seven", "running");
    await ok(t, "exec", "seven", "touch", "/go");
    assert.equal(await ok(t, "wait", "seven"), "6\n");
    assert.equal(await ok(t, "logs", "seven"), "up\ndown\n");
    assert.deepEqual([...Deno.readDirSync(`${t.root}/run/containers`)], []);
    await ok(t, "rm", "seven");
  },
);

test("run -i hands on what it is given and its end", MANY, async (t) => {
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const input = Uint8Array.from({ length: 10_000_000 }, (_, at) => bytes[at % 60_000] ?? 0);
  const { code, stdout } = await t.minictr(kept(t, "eight", ["-i"], ["cat"]), { stdin: input });
  assert.equal(code, 0);
  assert.deepEqual(stdout, input);
  await ok(t, "rm", "eight");
});

test("a terminal that is kept is logged, and its status comes back", TERMINAL, async (t) => {
  await using terminal = t.onTerminal(t.words(kept(t, "nine", ["-it"], ["sh"])), {
    rows: 31,
    columns: 101,
  });
  await terminal.until("# ");
  await terminal.type("stty size\r");
  await terminal.until("31 101");
  await terminal.resize(41, 121);
  await terminal.type("sleep 0.3; stty size\r");
  await terminal.until("41 121");
  await terminal.type("sleep 100\r");
  await terminal.until("sleep 100");
  await new Promise((resolve) => setTimeout(resolve, 300));
  await terminal.type("\x03");
  await terminal.until(/\^C[^]*# $/);
  await terminal.type("exit 5\r");
  assert.equal((await terminal.ended).code, 5);
  assert.match(await ok(t, "logs", "nine"), /31 101[^]*41 121[^]*\^C/);
  await ok(t, "rm", "nine");
});

test(
  "a pipe and a terminal: output to a terminal is copied, input stays the caller's",
  TERMINAL,
  async (t) => {
    const words = t.words(kept(t, "ten", ["-i"], ["sh", "-c", "test -t 1 || echo none; cat"]));
    await using terminal = t.onTerminal(["sh", "-c", 'echo given | "$@"', "sh", ...words]);
    await terminal.until(/none\r\ngiven\r\n/);
    assert.equal((await terminal.ended).code, 0);
    await ok(t, "rm", "ten");
  },
);

test("the detach keys leave a container running, and only they", TERMINAL, async (t) => {
  await using terminal = t.onTerminal(t.words(kept(t, "eleven", ["-it"], ["cat"])));
  await terminal.type("\x10a\r"); // Ctrl-P and something else: both are passed on.
  await terminal.until("^Pa\r\n\x10a");
  await terminal.type("\x10");
  await terminal.type("\x11");
  assert.equal((await terminal.ended).code, 0);
  assert.match(terminal.shown, /left container "eleven" running/);
  await until(t, "eleven", "running");
  await ok(t, "rm", "-f", "eleven");
});

test("--detach-keys names other keys", TERMINAL, async (t) => {
  const words = t.words(kept(t, "twelve", ["-it", "--detach-keys", "ctrl-a,d"], ["cat"]));
  await using terminal = t.onTerminal(words);
  await terminal.type("up\r");
  await terminal.until("up\r\nup");
  await terminal.type("\x01d");
  assert.equal((await terminal.ended).code, 0);
  await ok(t, "rm", "-f", "twelve");
});

test("start -a -i is as run: streams, the end of the input, the exit status", MANY, async (t) => {
  const words = kept(t, "thirteen", ["-i"], ["sh", "-c", "cat; exit 5"]);
  assert.equal((await t.minictr(words, { stdin: ["first"] })).out, "first\n");
  const again = await t.minictr(["start", "-a", "-i", "thirteen"], { stdin: ["second"] });
  assert.deepEqual([again.code, again.out], [5, "second\n"], again.err);
  assert.equal(await ok(t, "logs", "thirteen"), "first\nsecond\n");
  await ok(t, "rm", "thirteen");
});

test("start -a -i gives a terminal again", TERMINAL, async (t) => {
  await ok(t, "create", ...kept(t, "fourteen", ["-it"], ["sh"]).slice(1));
  await using terminal = t.onTerminal(t.words(["start", "-ai", "fourteen"]));
  await terminal.until("# ");
  await terminal.type("echo $((6 * 7)); exit 3\r");
  await terminal.until("42");
  assert.equal((await terminal.ended).code, 3);
  await ok(t, "rm", "fourteen");
});

/** A filesystem of its own, in a mount namespace of its own. */
test("a full disk loses log lines, and neither the container nor its end", MANY, async (t) => {
  const [init = "", ...rest] = t.words([]);
  const script = `
    mount -t tmpfs -o size=3m none ${t.root}/data
    "$@" run -d --network none --name full --rootfs ${t.rootfs} sh -c '
      seq 1 2000000; echo done >/proc/1/fd/1; exit 4'
    "$@" wait full
    "$@" logs full | head -n 3
    "$@" rm full`;
  await ok(t, "ps");
  await ok(t, "run", "--rm", "--network", "none", "--rootfs", t.rootfs, "true");
  const words = ["unshare", "-m", "sh", "-c", script, "sh", init, ...rest];
  const { out, err, code } = await t.start(words, { timeoutMs: 60_000 }).ended;
  assert.equal(code, 0, err);
  assert.match(out, /^[0-9a-f]{64}\n4\n1\n2\n3\nfull\n$/, err);
});
