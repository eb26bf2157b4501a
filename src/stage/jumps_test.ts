import assert from "assert";
import { type Call, call, room, slot, type Step, step } from "../plan/step.ts";
import { failureIn, resultOf, roomOf, runHere } from "./mod.ts";
import { assembled, ran } from "./scratch_program_test.ts";

const ENOENT = 2, EBADF = 9;

/** Calls that set a bit of `visited` where they are reached. */
function note(visited: ReturnType<typeof room>, bit: number, id?: string): Call[] {
  const before = slot("before"), after = slot("after");
  return [
    call("load64", [visited], { to: before, ...id === undefined ? {} : { id } }),
    call("add", [before, 2 ** bit], { to: after }),
    call("store64", [visited, after]),
  ];
}

function noted(steps: (visited: ReturnType<typeof room>) => Step[]): number {
  const visited = room("visited", 8);
  const program = ran(...steps(visited));
  return Number(new DataView(roomOf(program, visited).slice().buffer).getBigUint64(0, true));
}

Deno.test("a slot that several calls may fill has the value of the one that was reached", () => {
  for (const [value, wanted] of [[0, 11], [1, 22]] as const) {
    const shared = slot("shared"), result = slot("result");
    const program = ran(step("", [
      call("add", [value, 0], { on: [{ value: 0, goto: ".first" }] }),
      call("add", [20, 2], { to: shared }),
      call("add", [0, 0], { on: [{ value: 0, goto: ".use" }] }),
      call("add", [10, 1], { to: shared, id: ".first" }),
      call("add", [shared, 0], { to: result, id: ".use" }),
    ]));
    assert.equal(resultOf(program, result), wanted);
    assert.equal(resultOf(program, shared), wanted);
  }
});

Deno.test("a value that is waited for leads on, another does not", () => {
  const jump = (value: number) =>
    noted((visited) => [
      step("", [
        call("add", [value, 0], { on: [{ value: 5, goto: "far" }] }),
        ...note(visited, 0),
      ]),
      step("", note(visited, 1)),
      step("", note(visited, 2, "far")),
    ]);
  assert.equal(jump(5), 0b100);
  assert.equal(jump(4), 0b111);
});

const open = (path: string, on: Call["on"]) => call("openat", [-100, path, 0, 0], on ? { on } : {});

Deno.test("each of several errors leads to its own place, `any` takes the others", () => {
  const places: Call["on"] = [
    { errno: "ENOENT", goto: ".missing" },
    { errno: "ENOTDIR", goto: ".notDirectory" },
    { errno: "ELOOP", goto: ".loop" },
    { errno: "any", goto: ".any" },
  ];
  const jump = (path: string) =>
    noted((visited) => [
      step("", [
        open(path, places),
        ...note(visited, 0),
        ...note(visited, 1, ".missing"),
        ...note(visited, 2, ".notDirectory"),
        ...note(visited, 3, ".loop"),
        ...note(visited, 4, ".any"),
      ]),
    ]);
  assert.equal(jump("/no/such"), 0b11110);
  assert.equal(jump("/etc/passwd/x"), 0b11100);
  assert.equal(jump("/proc/self/fd/../../self/exe/x"), 0b11100);
  assert.equal(jump("x".repeat(300)), 0b10000, "ENAMETOOLONG is none of them");
});

Deno.test("an error that is not among those expected is the failure, even after tests for others", () => {
  const program = assembled([
    step("", [call("add", [0, 0])]),
    step("", [
      call("add", [1, 1]),
      open("/no/such", [{ errno: "EEXIST", goto: "next" }, { errno: "EBUSY", goto: "next" }]),
    ]),
  ]);
  assert.deepEqual(runHere(program), { step: 1, call: 1, errno: ENOENT });
});

Deno.test("`next` is the next step, and at the last one the end", () => {
  const order = noted((visited) => [
    step("", [open("/no/such", [{ errno: "ENOENT", goto: "next" }]), ...note(visited, 0)]),
    step("", [...note(visited, 1), call("add", [0, 0], { on: [{ value: 0, goto: "next" }] })]),
  ]);
  assert.equal(order, 0b10);
});

Deno.test("labels with a dot belong to their step", () => {
  const order = noted((visited) =>
    [0, 3].map((bit) =>
      step("", [
        call("add", [0, 0], { on: [{ value: 0, goto: ".on" }] }),
        ...note(visited, bit),
        ...note(visited, bit + 1, ".on"),
      ])
    )
  );
  assert.equal(order, 0b10010);
});

Deno.test("a label that no step has is an error, and so is one of another step", () => {
  const to = (goto: string) => call("add", [0, 0], { on: [{ value: 0, goto }] });
  assert.throws(() => assembled([step("", [to("nowhere")])]), /no step has the label "nowhere"/);
  const steps = [step("", [to(".here")]), step("", [call("add", [0, 0], { id: ".here" })])];
  assert.throws(() => assembled(steps), /no step has the label/);
});

Deno.test("a value that could never be waited for is refused", () => {
  const on: Call["on"] = [{ value: 0, goto: "next" }, { value: 1, goto: "next" }];
  assert.throws(() => assembled([step("", [call("add", [0, 0], { on })])]), /first condition/);
});

Deno.test("loops go on until a value is reached", () => {
  const count = room("count", 8), now = slot("now"), later = slot("later");
  const program = ran(step("", [
    call("load64", [count], { to: now, id: ".again" }),
    call("add", [now, 1], { to: later }),
    call("store64", [count, later], { on: [{ value: 1000, goto: "next" }] }),
    call("add", [0, 0], { on: [{ value: 0, goto: ".again" }] }),
  ]));
  assert.equal(resultOf(program, later), 1000);
});

Deno.test("a failure names step, call and error, and nothing after it is done", () => {
  const made = `/no-directory-of-a-test-${Deno.pid}`;
  const program = assembled([
    step("", [call("getpid", [])]),
    step("", [call("getpid", []), call("getpid", []), call("close", [-1]), open(made, undefined)]),
    step("", [call("mkdirat", [-100, made, 0o700])]),
  ]);
  assert.deepEqual(runHere(program), { step: 1, call: 2, errno: EBADF });
  assert.deepEqual(failureIn(program, program.bytes), { step: 1, call: 2, errno: EBADF });
  assert.throws(() => Deno.statSync(made), Deno.errors.NotFound);
});

Deno.test("a program that failed can be run again", () => {
  const fd = slot("descriptor"), number = room("number", 8);
  const program = assembled([
    step("", [call("load32", [number], { to: fd }), call("fcntl", [fd, 1])]),
  ]);
  const write = (value: number) =>
    new DataView(roomOf(program, number).buffer)
      .setInt32(roomOf(program, number).byteOffset, value, true);
  write(9999);
  assert.equal(runHere(program)?.errno, EBADF);
  write(1);
  assert.equal(runHere(program), undefined);
});
