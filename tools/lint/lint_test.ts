import assert from "assert";
import { DIRECTIONS, objection } from "./directions.ts";
import plugin from "./plugin.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

function rulesBroken(file: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, ROOT + file, source).map(({ id }) => id);
}

Deno.test("lower layers may not import upper ones", () => {
  assert.equal(objection("src/cli/run.ts", "../container/mod.ts"), undefined);
  assert.match(objection("src/container/run.ts", "../cli/mod.ts") ?? "", /may not import src\/cli/);
  assert.match(objection("src/netlink/link.ts", "../network/mod.ts") ?? "", /may not import/);
  assert.match(objection("ffi/libc.ts", "../src/spec/mod.ts") ?? "", /may not import src\/spec/);
  assert.match(objection("src/spec/types.ts", "../../ffi/mod.ts") ?? "", /may not import ffi/);
});

Deno.test("a folder is entered by mod.ts or a door named as such", () => {
  assert.match(objection("src/container/run.ts", "../cgroup/v2.ts") ?? "", /by its mod\.ts/);
  assert.equal(objection("src/stage/elf.ts", "../plan/step.ts"), undefined);
  assert.match(objection("src/stage/elf.ts", "../plan/mounts.ts") ?? "", /by its mod\.ts/);
  assert.equal(objection("src/stage/elf.ts", "../plan/mounts.ts", "type"), undefined);
  assert.match(objection("src/plan/mod.ts", "./seccomp/bpf.ts") ?? "", /by its mod\.ts/);
  assert.equal(objection("src/plan/mod.ts", "./seccomp/mod.ts"), undefined);
  assert.equal(objection("src/plan/seccomp/mod.ts", "./bpf.ts"), undefined);
});

Deno.test("mechanisms of the plan share the steps and nothing else", () => {
  assert.equal(objection("src/plan/mounts.ts", "./step.ts"), undefined);
  assert.match(objection("src/plan/mounts.ts", "./devices.ts") ?? "", /mechanisms/);
  assert.equal(objection("src/plan/mod.ts", "./devices.ts"), undefined);
});

Deno.test("node: modules and packages are for tests, tools and who is listed", () => {
  assert.match(objection("src/cli/run.ts", "node:path") ?? "", /at every start/);
  assert.equal(objection("src/cli/run_test.ts", "node:path"), undefined);
  assert.equal(objection("src/image/layer.ts", "fzstd"), undefined);
  assert.equal(objection("src/image/layer.ts", "node:zlib", "dynamic"), undefined);
  assert.match(objection("src/image/layer.ts", "node:zlib") ?? "", /at every start/);
  assert.match(objection("src/plan/mod.ts", "fzstd") ?? "", /not for src\/plan/);
  assert.match(objection("src/plan/mod.ts", "npm:left-pad") ?? "", /not listed/);
});

Deno.test("the directions have no circle", () => {
  const reach = (folder: string, seen: readonly string[]): void => {
    assert.ok(!seen.includes(folder), `circle: ${[...seen, folder].join(" → ")}`);
    for (const next of DIRECTIONS[folder] ?? []) reach(next, [...seen, folder]);
  };
  for (const folder of Object.keys(DIRECTIONS)) reach(folder, []);
});

Deno.test("imports of every form are judged", () => {
  const forms = [
    'import "node:fs";',
    'import type { Stats } from "node:fs";',
    'export * from "node:fs";',
    'export { rm } from "node:fs";',
    'await import("node:fs");',
  ];
  for (const form of forms) {
    assert.deepEqual(rulesBroken("src/cli/run.ts", form), ["minictr/directions"], form);
    assert.deepEqual(rulesBroken("tools/pack.ts", form), [], form);
  }
});

Deno.test("only main.ts exits or prints an error", () => {
  assert.deepEqual(rulesBroken("src/cli/run.ts", "Deno.exit(1);"), ["minictr/exits"]);
  assert.deepEqual(rulesBroken("src/cli/run.ts", 'console.error("x");'), ["minictr/exits"]);
  assert.deepEqual(rulesBroken("main.ts", 'Deno.exit(1); console.error("x");'), []);
});

Deno.test("what a module exports is imported by name, but in tests", () => {
  const source = 'import * as C from "../../ffi/constants.ts"; C.O_PATH;';
  assert.deepEqual(rulesBroken("src/plan/run.ts", source), ["minictr/namespaces"]);
  assert.deepEqual(rulesBroken("src/plan/run_test.ts", source), []);
});

Deno.test("non-null assertions are for ffi/ alone", () => {
  assert.deepEqual(rulesBroken("src/cli/run.ts", "a!.b;"), ["minictr/assertions"]);
  assert.deepEqual(rulesBroken("ffi/libc.ts", "a!.b;"), []);
});

Deno.test("functions end at 70 lines and files at 300", () => {
  const functionOf = (lines: number) => `function f() {${"\n".repeat(lines - 1)}}`;
  assert.deepEqual(rulesBroken("src/cli/run.ts", functionOf(70)), []);
  assert.deepEqual(rulesBroken("src/cli/run.ts", functionOf(71)), ["minictr/size"]);
  assert.deepEqual(rulesBroken("src/cli/run.ts", "//\n".repeat(300)), []);
  assert.deepEqual(rulesBroken("src/cli/run.ts", "//\n".repeat(301)), ["minictr/size"]);
});

Deno.test("exports have a docstring", () => {
  assert.deepEqual(rulesBroken("src/cli/run.ts", "export function f() {}"), ["minictr/docs"]);
  assert.deepEqual(rulesBroken("src/cli/run.ts", "// No.\nexport const a = 1;"), ["minictr/docs"]);
  assert.deepEqual(rulesBroken("src/cli/run.ts", "/** Says. */\nexport function f() {}"), []);
  assert.deepEqual(rulesBroken("ffi/constants.ts", "export const MS_BIND = 4096;"), []);
});
