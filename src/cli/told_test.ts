import assert from "assert";
import { told } from "./told.ts";

const lines = (error: unknown) => told(error, 125).lines;

Deno.test("told() gives Deno's errors the words of errno(3)", () => {
  const { errors } = Deno;
  assert.deepEqual(
    lines(new errors.NotFound("No such file or directory (os error 2): readdir '/x y'")),
    [
      'cannot list "/x y": no such file or directory (ENOENT)',
    ],
  );
  assert.deepEqual(
    lines(new Error("No such file or directory (os error 2): rename '/a' -> '/b'")),
    [
      'cannot rename "/a": no such file or directory (ENOENT)',
    ],
  );
  assert.deepEqual(lines(new Error("--x: Is a directory (os error 21): readfile '/etc'")), [
    '--x: cannot read "/etc": is a directory (EISDIR)',
  ]);
  assert.deepEqual(
    lines(new Error("cannot read \"/etc\": Is a directory (os error 21): readfile '/etc'")),
    [
      'cannot read "/etc": is a directory (EISDIR)',
    ],
  );
});

Deno.test("told() says what to do about a full disk, and nothing of disks where mounts are too many", () => {
  const [full = ""] = lines(new Error("No space left on device (os error 28): mkdir '/x'"));
  assert.match(full, /^cannot make "\/x": no space left on device \(ENOSPC\): `df -h`/);
  const mounts = "cannot mount proc: mount: no space left on device (ENOSPC)";
  assert.deepEqual(lines(new Error(mounts)), [mounts]);
});

Deno.test("told() is silent where the reader has gone", () => {
  const error = new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
  assert.deepEqual(told(error, 125), { lines: [], exitCode: 141 });
});

Deno.test("told() leaves out the heading of several errors where it is empty", () => {
  const both = [new Error("one"), new Error("other")];
  assert.deepEqual(lines(new AggregateError(both)), ["one", "other"]);
  assert.deepEqual(lines(new AggregateError(both, "two failed")), ["two failed", "one", "other"]);
});
