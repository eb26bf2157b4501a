import assert from "assert";
import { ARCH, F_SETFL, Fd, O_CLOEXEC, O_NONBLOCK, syscall } from "../../ffi/mod.ts";
import { test } from "../../tests/support/mod.ts";
import { call, flags, room, slot, type Step, step } from "../plan/mod.ts";
import { resetSignals } from "../plan/process.ts";
import {
  assemble,
  awaitedBy,
  executableOf,
  launchSteps,
  PROGRAM_ADDRESS,
  resultOf,
  runHere,
} from "../stage/mod.ts";
import { attend, type Attended, statusOf } from "./attend.ts";

/** A pipe; the numbers of its reading and its writing end, which a child inherits. */
function pipe(): [reading: Fd, writing: Fd] {
  const ends = new Int32Array(2);
  syscall("pipe2", new Uint8Array(ends.buffer), 0);
  const [reading = -1, writing = -1] = ends;
  return [new Fd(reading), new Fd(writing)];
}

/** Starts a child of this process that carries out steps; returns its pidfd. */
function child(...steps: Step[]): Fd {
  // It is born with every signal blocked, and ignores what the caller of the tests does.
  const stage = assemble([resetSignals(), ...steps], { base: PROGRAM_ADDRESS, arch: ARCH });
  const launch = launchSteps({
    ...executableOf(stage),
    namespaces: flags({}),
    given: [],
    fallbackPath: "/no/such/directory/stage",
  });
  const host = assemble(launch.steps, { base: "here", arch: ARCH, exports: awaitedBy(stage) });
  assert.equal(runHere(host), undefined);
  return new Fd(resultOf(host, launch.pidfd));
}

const exit = (code: number) => step("exit", [call("exit_group", [code])]);
const wait = step("wait", [call("ppoll", [0, 0, 0, 0, 8])]);
const print = (fd: Fd, text: Uint8Array) =>
  step("print", [call("write", [fd.number, text, text.length])]);

/** Attends to a child, with these signals on their way to it. */
function attendTo(pidfd: Fd, signals: number[], more: Partial<Attended> = {}) {
  const [reading, writing] = pipe();
  using _reading = reading, _writing = writing;
  syscall("fcntl", reading.number, F_SETFL, O_NONBLOCK);
  if (signals.length > 0) {
    syscall("write", writing.number, Uint8Array.from(signals), signals.length);
  }
  return attend({ pidfd: pidfd.number, signals: reading.number, copies: [], ...more });
}

Deno.test("a status is the exit code, or 128 and the signal's number", () => {
  assert.equal(statusOf({ code: 0 }), 0);
  assert.equal(statusOf({ code: 255 }), 255);
  assert.equal(statusOf({ signal: 9 }), 137);
});

const root = { requires: ["root"] } as const;

test("attend() returns the child's exit code", root, () => {
  for (const code of [0, 1, 7, 127, 255]) {
    using pidfd = child(exit(code));
    assert.deepEqual(attendTo(pidfd, []), { code });
  }
});

test("attend() passes signals on, and returns the one that ended the child", root, () => {
  for (const signal of [1, 2, 9, 15]) {
    using pidfd = child(wait);
    const SIGCHLD_IS_IGNORED = 17;
    assert.deepEqual(attendTo(pidfd, [SIGCHLD_IS_IGNORED, signal]), { signal });
  }
});

test("attend() kills the child when its time is over, and not before", root, () => {
  using pidfd = child(wait);
  const before = performance.now();
  assert.deepEqual(attendTo(pidfd, [], { timeoutMs: 150 }), { signal: 9 });
  const tookMs = performance.now() - before;
  assert.ok(tookMs >= 150 && tookMs < 5000, `${tookMs} ms`);
});

test("attend() leaves a child alone that ends within its time", root, () => {
  using pidfd = child(exit(3));
  assert.deepEqual(attendTo(pidfd, [], { timeoutMs: 60_000 }), { code: 3 });
});

test("attend() copies all output to its last byte, more than a pipe holds", root, (t) => {
  const text = crypto.getRandomValues(new Uint8Array(50_000));
  const [reading, writing] = pipe();
  using _reading = reading;
  using pidfd = child(...Array.from({ length: 8 }, () => print(writing, text)), exit(0));
  writing.close();
  const path = `${t.directory}/copy`;
  const to = new Fd(syscall("openat", -100, path, 0o101 | O_CLOEXEC, 0o600));
  using _to = to;
  const copies = [{ from: reading.number, to: to.number, output: true }];
  assert.deepEqual(attendTo(pidfd, [], { copies }), { code: 0 });
  const copy = Deno.readFileSync(path);
  assert.equal(copy.length, 8 * text.length);
  for (let at = 0; at < copy.length; at += text.length) {
    assert.deepEqual(copy.subarray(at, at + text.length), text);
  }
});

test("attend() delivers what a slow reader has not taken when the child ends", root, async (t) => {
  const [reading, writing] = pipe();
  const [slow, to] = pipe();
  using _reading = reading, _slow = slow;
  const bytes = new Uint8Array(60_000).fill(65);
  using pidfd = child(print(writing, bytes), print(writing, bytes), exit(0));
  writing.close();
  // Another process: this one waits in attend().
  const path = `${t.directory}/taken`;
  const script = `sleep 0.5; head -c ${2 * bytes.length} </proc/self/fd/${slow.number} >${path}`;
  const reader = new Deno.Command("sh", { args: ["-c", script], stdin: "null" }).spawn();
  const close = to.release();
  const copies = [{ from: reading.number, to: close, output: true, close }];
  assert.deepEqual(attendTo(pidfd, [], { copies }), { code: 0 });
  assert.ok((await reader.status).success);
  assert.equal(Deno.statSync(path).size, 2 * bytes.length);
});

test("attend() hands input on, and its end", root, () => {
  const [input, typing] = pipe();
  const [stdin, feeding] = pipe();
  using _input = input, _stdin = stdin, _typing = typing, _feeding = feeding;
  const got = room("input", 64), count = slot("bytes");
  // Reads until the end of the input; exits with the number of bytes of its first line.
  using pidfd = child(
    step("let go of the writing ends", [
      call("close", [feeding.number]),
      call("close", [typing.number]),
    ]),
    step("read", [call("read", [stdin.number, got, 64], { to: count })]),
    step("read on", [
      call("read", [stdin.number, got, 64], { id: "more", on: [{ value: 0, goto: "next" }] }),
      call("add", [0, 0], { on: [{ value: 0, goto: "more" }] }),
    ]),
    step("exit", [call("exit_group", [count])]),
  );
  syscall("write", typing.number, "hello", 5);
  typing.close();
  const close = feeding.release();
  const copies = [{ from: input.number, to: close, output: false, close }];
  assert.deepEqual(attendTo(pidfd, [], { copies, timeoutMs: 10_000 }), { code: 5 });
});

test("attend() does not wait for output that nobody writes after the child's end", root, () => {
  const [reading, writing] = pipe();
  using _reading = reading, _writing = writing; // This process holds the pipe open.
  const [, to] = pipe();
  using _to = to;
  using pidfd = child(print(writing, new Uint8Array(10)), exit(0));
  const before = performance.now();
  const copies = [{ from: reading.number, to: to.number, output: true }];
  assert.deepEqual(attendTo(pidfd, [], { copies }), { code: 0 });
  assert.ok(performance.now() - before < 3000);
});

test("attend() ends when nobody reads the output any more", root, () => {
  const [reading, writing] = pipe();
  const [nobody, to] = pipe();
  nobody.close();
  using _reading = reading, _to = to;
  using pidfd = child(print(writing, new Uint8Array(10)), exit(4));
  writing.close();
  const close = reading.release();
  const copies = [{ from: close, to: to.number, output: true, close }];
  assert.deepEqual(attendTo(pidfd, [], { copies }), { code: 4 });
});
