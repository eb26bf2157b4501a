import assert from "assert";
import { type Need, test } from "../../tests/support/mod.ts";
import { ARCH, type Architecture } from "../../ffi/mod.ts";
import { resetSignals } from "../plan/process.ts";
import { call, place, room, slot, type Step, step, strings, struct } from "../plan/step.ts";
import { elfHead } from "./elf.ts";
import { assemble, PROGRAM_ADDRESS } from "./mod.ts";

/** How each architecture's executables are run here. */
const RUNNERS: { arch: Architecture; words: string[]; requires: Need[] }[] = [
  { arch: "x86_64", words: [], requires: ["arch:x86_64"] },
  ARCH === "aarch64" ? { arch: "aarch64", words: [], requires: [] } : {
    arch: "aarch64",
    words: ["qemu-aarch64-static"],
    requires: ["command:qemu-aarch64-static"],
  },
];

/** Writes steps as an executable; returns its path. */
function executable(directory: string, arch: Architecture, steps: Step[]): string {
  const { bytes } = assemble(steps, { base: PROGRAM_ADDRESS, arch });
  const { head, programOffset } = elfHead(arch, bytes.length);
  const file = new Uint8Array(programOffset + bytes.length);
  file.set(head);
  file.set(bytes, programOffset);
  const path = `${directory}/stage-${arch}`;
  Deno.writeFileSync(path, file, { mode: 0o755 });
  return path;
}

const exit = (code: number) => step("exit", [call("exit_group", [code])]);
const print = (text: string) => call("write", [1, text, text.length]);

/** A test of what a program does as an executable of its own, on each architecture. */
function eachWay(
  name: string,
  steps: () => Step[],
  judge: (ended: { code: number; out: string; signal: string | null }) => void,
): void {
  for (const { arch, words, requires } of RUNNERS) {
    test(`${name}, on ${arch}`, { requires }, async (t) => {
      const path = executable(t.directory, arch, steps());
      await using program = t.start([...words, path]);
      judge(await program.ended);
    });
  }
}

eachWay("an executable writes and exits with its status", () => [
  step("write", [print("hello\n")]),
  exit(7),
], ({ code, out }) => assert.deepEqual([code, out], [7, "hello\n"]));

eachWay("an executable forks in a loop and waits for each child's status", () => {
  const count = room("count", 8), status = room("status", 8), sum = room("sum", 8);
  const now = slot("now"), later = slot("later"), word = slot("status"), byte = slot("exit code");
  const before = slot("sum"), after = slot("new sum");
  return [
    step("fork", [
      call("load64", [count], { to: now, id: "again" }),
      call("clone", [17, 0, 0, 0, 0], { on: [{ value: 0, goto: "child" }] }),
      call("wait4", [-1, status, 0, 0]),
      call("load32", [place(status, 1)], { to: word }),
      call("and", [word, 0xff], { to: byte }),
      call("load64", [sum], { to: before }),
      call("add", [before, byte], { to: after }),
      call("store64", [sum, after]),
      call("add", [now, 1], { to: later }),
      call("store64", [count, later], { on: [{ value: 10, goto: "next" }] }),
      call("add", [0, 0], { on: [{ value: 0, goto: "again" }] }),
    ]),
    step("tell", [call("exit_group", [after])]),
    step("child", [call("exit_group", [now], { id: "child" })]),
  ];
}, ({ code }) => assert.equal(code, 45)); // 0 + 1 + … + 9

eachWay("an executable gives signals their default action in a loop", () => [
  step("ignore", [
    call("rt_sigaction", [15, Uint8Array.of(1, ...new Uint8Array(31)), 0, 8]),
    call("rt_sigprocmask", [2, new Uint8Array(8).fill(0xff), 0, 8]),
  ]),
  resetSignals(),
  step("ask for the mask and the action", kill15()),
  exit(0),
], ({ code }) => assert.equal(code, 128 + 15));

function kill15() {
  const pid = slot("pid");
  return [call("getpid", [], { to: pid }), call("kill", [pid, 15])];
}

eachWay("an executable goes on elsewhere after errors, and reports others", () => {
  const message = struct("report", [["bytes", 4, { kind: "self", what: "tableLength" }]]);
  return [
    step("expected", [
      call("openat", [-100, "/no/such", 0, 0], {
        on: [{ errno: "EACCES", goto: "wrong" }, { errno: "ENOENT", goto: "next" }],
      }),
    ]),
    step("tell", [call("write", [1, message, 4]), call("exit_group", [3])]),
    step("wrong", [call("exit_group", [4], { id: "wrong" })]),
  ];
}, ({ code, out }) => assert.deepEqual([code, out.length > 0], [3, true]));

const OPERATIONS: [text: string, code: number, ...Parameters<typeof call>][] = [
  ["add", 7, "add", [3, 4]],
  ["and", 4, "and", [0x16, 0xc]],
  ["less", 1, "less", [3, 2n ** 64n - 1n]],
  ["not less", 0, "less", [4, 4]],
  ["subtract", 5, "subtract", [7, 2]],
  ["copy", 3, "copy", [room("to", 8), "abc", 3]],
];
for (const [text, code, name, args] of OPERATIONS) {
  const result = slot("result");
  eachWay(
    `an executable computes: ${text}`,
    () => [step("", [call(name, args, { to: result }), call("exit_group", [result])])],
    (ended) => assert.equal(ended.code, code),
  );
}

eachWay("an executable stores and loads", () => {
  const memory = room("memory", 16), word = slot("word"), low = slot("low");
  return [step("", [
    call("store64", [memory, 0x1_0000_0105n]),
    call("store32", [place(memory, 4), 0]),
    call("load64", [memory], { to: word, on: [{ value: 0x105, goto: ".right" }] }),
    call("exit_group", [1]),
    call("load32", [memory], { to: low, id: ".right" }),
    call("exit_group", [low]),
  ])];
}, ({ code }) => assert.equal(code, 5));

test("an environment of 1 MB reaches the program that a stage executes", {
  requires: ["arch:x86_64", "file:/usr/bin/env"],
}, async (t) => {
  const values = Array.from({ length: 1024 }, (_, index) => `V${index}=`.padEnd(1023, `${index}`));
  const path = executable(t.directory, "x86_64", [
    step("", [call("execve", ["/usr/bin/env", strings(["env"]), strings(values)])]),
  ]);
  await using program = t.start([path]);
  const { code, out } = await program.ended;
  assert.deepEqual([code, out.trimEnd().split("\n")], [0, values]);
});

for (const arch of ["x86_64", "aarch64"] as const) {
  test(`readelf finds nothing both writable and executable, and no fault, in a stage for ${arch}`, {
    requires: ["command:readelf"],
  }, async (t) => {
    const path = executable(t.directory, arch, [step("", [print("x".repeat(70_000))]), exit(0)]);
    await using program = t.start(["readelf", "--wide", "--file-header", "--segments", path]);
    const { code, out, err } = await program.ended;
    assert.deepEqual([code, err], [0, ""]); // It warns on standard error.
    assert.match(out, /Type: +EXEC/);
    assert.match(out, arch === "x86_64" ? /Machine: .*X86-64/ : /Machine: +AArch64/);
    const segments = out.split("\n").flatMap((line) => {
      const [, type, flags] = /^ +(LOAD|GNU_STACK) .* ([R ][W ][E ]) 0x/.exec(line) ?? [];
      return type ? [`${type} ${flags}`] : [];
    });
    assert.deepEqual(segments, ["LOAD R E", "LOAD RW ", "GNU_STACK RW "]);
  });
}

test("no page of a stage that runs is both writable and executable, nor its stack executable", {
  requires: ["arch:x86_64"],
}, async (t) => {
  const path = executable(t.directory, "x86_64", [
    step("", [print("ready\n"), call("ppoll", [0, 0, 0, 0, 8])]),
  ]);
  await using program = t.start([path]);
  await program.until("ready");
  const maps = Deno.readTextFileSync(`/proc/${program.pid}/maps`).trimEnd().split("\n");
  const rights = maps.map((line) => line.split(/ +/)[1] ?? "");
  assert.deepEqual(rights.filter((right) => /w.*x/.test(right)), []);
  assert.match(maps.find((line) => line.endsWith("[stack]")) ?? "", / rw-p /);
});
