import assert from "assert";
import { call, room, slot, step } from "../plan/step.ts";
import { failureIn, resultOf, resultsIn, roomOf, runHere, timesIn } from "./mod.ts";
import { assembled, ran } from "./scratch_program_test.ts";

const wait = (ms: number) =>
  new Uint8Array(new BigUint64Array([0n, BigInt(ms) * 1_000_000n]).buffer);

Deno.test("timesIn() tells the calls of a traced program in order, with how long each took", () => {
  const program = assembled([
    step("", [call("getpid", []), call("ppoll", [0, 0, wait(30), 0, 8])]),
    step("", [call("fcntl", [-1, 1], { on: [{ errno: "any", goto: ".on" }] }), {
      ...call("ppoll", [0, 0, wait(5), 0, 8]),
      id: ".on",
    }]),
    step("", [call("getpid", [])]),
  ], { trace: true });
  assert.equal(runHere(program), undefined);
  const times = timesIn(program, program.bytes);
  assert.deepEqual(
    times.map(({ step, call, result }) => [step, call, result]),
    [[0, 0, BigInt(Deno.pid)], [0, 1, 0n], [1, 0, -9n], [1, 1, 0n], [2, 0, BigInt(Deno.pid)]],
  );
  const [, first, , second, last] = times.map(({ microseconds }) => microseconds);
  assert.ok(first !== undefined && first >= 30_000, `${first} µs`);
  assert.ok(second !== undefined && second >= 5_000, `${second} µs`);
  assert.equal(last, 0);
});

Deno.test("timesIn() leaves out what was not reached", () => {
  const program = assembled([
    step("", [call("getpid", []), call("close", [-1]), call("getpid", [])]),
  ], { trace: true });
  assert.equal(runHere(program)?.call, 1);
  assert.deepEqual(timesIn(program, program.bytes).map(({ call }) => call), [0, 1]);
});

Deno.test("a program without trace has no times, and no calls for them", () => {
  const program = ran(step("", [call("getpid", [])]));
  assert.deepEqual(timesIn(program, program.bytes), []);
  assert.equal(program.origins.filter(({ step }) => step === 0).length, 1);
});

Deno.test("resultsIn() has the result of each call where origins name it", () => {
  const program = assembled([
    step("", [
      call("add", [1, 2]),
      call("close", [-1], { on: [{ errno: "any", goto: "next" }] }),
    ]),
    step("", [call("subtract", [1, 2]), call("close", [-1]), call("add", [5, 5])]),
  ]);
  assert.deepEqual(runHere(program), { step: 1, call: 1, errno: 9 });
  const results = resultsIn(program, program.bytes);
  const of = (step: number, call: number) =>
    results[program.origins.findIndex((o) => o.step === step && o.call === call && o.main)];
  assert.deepEqual([of(0, 0), of(0, 1), of(1, 0), of(1, 1), of(1, 2)], [3n, -9n, -1n, -9n, 0n]);
});

Deno.test("what a program does not have is not found in it", () => {
  const program = ran(step("", [call("getpid", [])]));
  assert.throws(
    () => resultOf(program, slot("other")),
    /no call of the program results in "other"/,
  );
  assert.throws(() => roomOf(program, room("other", 8)), /has no room "other"/);
  const forged = program.bytes.slice();
  new DataView(forged.buffer).setBigUint64(8, program.base + 7n, true);
  assert.throws(() => failureIn(program, forged), /a report names instruction/);
});
