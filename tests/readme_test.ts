/**
 * The README: each command line in it is run, and prints what it says.
 */
import assert from "assert";
import settings from "../deno.json" with { type: "json" };
import { isAs, scripts, sessions } from "../tools/console.ts";
import { quoted } from "../tools/demo/stage.ts";
import { minictrCommand, PROJECT, type Scratch, test } from "./support/mod.ts";

const NEEDS = [
  "root",
  "not-vm",
  "command:busybox",
  "command:unshare",
  "command:bash",
  "controller:memory",
] as const;
const README = Deno.readTextFileSync(`${PROJECT}/README.md`);
const MARK = "=== command ";

/** Runs command lines one after another in one shell, without the host's network. */
async function run(t: Scratch, lines: readonly string[]): Promise<{ code: number; out: string }[]> {
  const bin = `${t.directory}/bin`;
  await Deno.mkdir(bin, { recursive: true });
  const words = [...minictrCommand(), "--root", t.root].map(quoted).join(" ");
  await Deno.writeTextFile(`${bin}/minictr`, `#!/bin/sh\nexec ${words} "$@"\n`);
  await Deno.chmod(`${bin}/minictr`, 0o755);
  const script = lines.map((line) => `${line}\necho "${MARK}$?"`).join("\n");
  await using program = t.start([
    "unshare",
    "--net",
    "bash",
    "-c",
    `exec 2>&1 </dev/null\n${script}`,
  ], {
    env: { PATH: `${bin}:${Deno.env.get("PATH")}` },
    cwd: t.directory,
    timeoutMs: 170_000,
  });
  const parts = (await program.ended).out.split(MARK);
  return parts.slice(0, -1).map((part, index) => ({
    out: index === 0 ? part : part.slice(part.indexOf("\n") + 1),
    code: parseInt(parts[index + 1] ?? ""),
  }));
}

for (const [number, session] of sessions(README).entries()) {
  test(`session ${number + 1} of the README prints what it says`, {
    requires: NEEDS,
    timeoutMs: 180_000,
  }, async (t) => {
    await t.minictr(["rootfs", "build", "-q", "--name", "builtin", "busybox"]);
    const results = await run(t, session.map(({ command }) => command));
    assert.equal(results.length, session.length);
    for (const [index, { command, output }] of session.entries()) {
      const { out = "" } = results[index] ?? {};
      assert.ok(isAs(out, output), `$ ${command}\n${out}\nis not as in the README:\n${output}`);
    }
  });
}

test("the other command lines of the README succeed", {
  requires: NEEDS,
  timeoutMs: 180_000,
}, async (t) => {
  await t.minictr(["rootfs", "build", "-q", "--name", "builtin", "busybox"]);
  const lines = scripts(README);
  assert.ok(lines.length > 5);
  for (const [index, { code, out }] of (await run(t, lines)).entries()) {
    assert.equal(code, 0, `${lines[index]}\n${out}`);
  }
});

test("the README names only tasks and files that are there", {}, () => {
  for (const [, task = ""] of README.matchAll(/(?:deno@[\d.]+|`deno) task (\S+?)[\s`,.]/g)) {
    assert.ok(Object.hasOwn(settings.tasks, task), `no task "${task}"`);
  }
  for (const [, path = ""] of README.matchAll(/\]\(([^):]+)\)/g)) {
    assert.ok(Deno.statSync(`${PROJECT}/${path}`).isFile, path);
  }
});
