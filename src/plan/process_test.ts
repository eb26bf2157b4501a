import assert from "assert";
import { candidates, execute, rlimitSteps } from "./process.ts";
import { SpecError } from "../spec/error.ts";

Deno.test("a command with a slash is where it says, and nowhere else", () => {
  assert.deepEqual(candidates("/bin/sh", ["PATH=/usr/bin"]), ["/bin/sh"]);
  assert.deepEqual(candidates("./sh", []), ["./sh"]);
  assert.deepEqual(candidates("bin/sh", []), ["bin/sh"]);
});

Deno.test("a command without a slash is looked for in each directory of the container's PATH", () => {
  assert.deepEqual(candidates("sh", ["A=b", "PATH=/usr/bin:/bin"]), ["/usr/bin/sh", "/bin/sh"]);
});

Deno.test("an empty entry of PATH is the working directory; execvp(3)", () => {
  assert.deepEqual(candidates("sh", ["PATH=:/bin:"]), ["./sh", "/bin/sh", "./sh"]);
  assert.deepEqual(candidates("sh", ["PATH="]), ["./sh"]);
});

Deno.test("of two PATHs the last one counts, and a variable that only begins alike does not", () => {
  assert.deepEqual(candidates("sh", ["PATH=/a", "PATH=/b", "PATHS=/c"]), ["/b/sh"]);
});

Deno.test("without a PATH the usual directories are searched", () => {
  assert.deepEqual(candidates("sh", []).slice(0, 2), ["/usr/local/sbin/sh", "/usr/local/bin/sh"]);
  assert.equal(candidates("sh", []).at(-1), "/bin/sh");
});

Deno.test("the search goes on after a place without the command, and its last failure is told", () => {
  const { calls, label } = execute({
    args: ["sh", "-c", "true"],
    env: ["PATH=/a:/b"],
    user: { uid: 0, gid: 0 },
    cwd: "/",
  });
  assert.equal(label, "start sh");
  const [first, second, ...more] = calls;
  assert.deepEqual(first?.on?.map(({ errno, goto }) => [errno, goto]), [
    ["ENOENT", ".1"],
    ["ENOTDIR", ".1"],
    ["EACCES", ".1"],
  ]);
  assert.equal(second?.on, undefined);
  assert.deepEqual(more, []);
});

Deno.test("a limit that the kernel does not have is refused by its field", () => {
  assert.throws(
    () =>
      rlimitSteps([{ type: "RLIMIT_NOFILE", soft: 1, hard: 1 }, { type: "X", soft: 1, hard: 1 }]),
    (error) => error instanceof SpecError && error.message.includes("process.rlimits[1].type"),
  );
});
