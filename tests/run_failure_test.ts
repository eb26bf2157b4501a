import assert from "assert";
import { type Scratch, test } from "./support/mod.ts";

const requires = ["root", "command:busybox", "not-vm"] as const;

/** Writes an executable into a root of the test's own and runs it. */
async function runScript(t: Scratch, text: string) {
  const rootfs = await t.ownRootfs();
  Deno.writeTextFileSync(`${rootfs}/script`, text, { mode: 0o755 });
  return await t.run(["--rootfs", rootfs], ["/script"]);
}

test("a flag that does not exist ends with 125 and is named", { requires }, async (t) => {
  const { code, out, err } = await t.run(["--no-such-flag"], ["true"]);
  assert.deepEqual([code, out], [125, ""]);
  assert.match(err, /^minictr: .*--no-such-flag/);
});

test("a root that does not exist ends with 125 and is named", { requires }, async (t) => {
  const { code, err } = await t.run(["--rootfs", "/no/such/root"], ["true"]);
  assert.equal(code, 125);
  assert.match(err, /^minictr: .*"\/no\/such\/root"/);
});

test("a command that is not in PATH ends with 127", { requires }, async (t) => {
  const { code, err } = await t.run([], ["no-such-command"]);
  assert.equal(code, 127);
  assert.match(err, /^minictr: .*"no-such-command".*executable file not found/s);
});

test("a path that does not exist ends with 127", { requires }, async (t) => {
  const { code, err } = await t.run([], ["/bin/no-such-command"]);
  assert.equal(code, 127);
  assert.match(err, /^minictr: .*"\/bin\/no-such-command".*no such file or directory/s);
});

test("a file that is not executable ends with 126", { requires }, async (t) => {
  const { code, err } = await t.run([], ["/etc/passwd"]);
  assert.equal(code, 126);
  assert.match(err, /^minictr: .*"\/etc\/passwd".*permission denied/s);
});

test("a directory as the command ends with 126", { requires }, async (t) => {
  const { code, err } = await t.run([], ["/etc"]);
  assert.equal(code, 126);
  assert.match(err, /^minictr: .*"\/etc".*(permission denied|is a directory)/s);
});

test("a missing interpreter is named", { requires }, async (t) => {
  const { code, err } = await runScript(t, "#!/bin/no-such-shell\n");
  assert.equal(code, 127);
  assert.match(err, /"\/script".*no such file or directory.*"\/bin\/no-such-shell"/s);
});

test("a carriage return after the interpreter is named", { requires }, async (t) => {
  const { code, err } = await runScript(t, "#!/bin/sh\r\necho hello\r\n");
  assert.equal(code, 127);
  assert.match(err, /"\/script".*(CRLF|carriage return)/s);
});

test("a file in a foreign format ends with 126", { requires }, async (t) => {
  const { code, err } = await runScript(t, "\x7fELF but no more");
  assert.equal(code, 126);
  assert.match(err, /"\/script".*exec format error/is);
});

test("a working directory that is no directory ends with 126 or 127 and is named", {
  requires,
}, async (t) => {
  const { code, err } = await t.run(["-w", "/etc/passwd"], ["true"]);
  assert.ok(code === 126 || code === 127, `${code}`);
  assert.match(err, /"\/etc\/passwd".*not a directory/is);
});

test("a user that the root does not know is named", { requires }, async (t) => {
  const { code, err } = await t.run(["-u", "nobody-knows"], ["true"]);
  assert.ok(code >= 125 && code <= 127, `${code}`);
  assert.match(err, /"nobody-knows"/);
});
