import assert from "assert";
import { isAs, scripts, sessions } from "./console.ts";

const PAGE =
  "text\n```console\n$ echo a; echo b\na\nb\n$ true\n```\n\n```sh\n# why\ntrue # so\n\nls\n```\n";

Deno.test("a session is commands, each with the lines behind it", () => {
  assert.deepEqual(sessions(PAGE), [[
    { command: "echo a; echo b", output: "a\nb\n" },
    { command: "true", output: "" },
  ]]);
  assert.deepEqual(scripts(PAGE), ["true # so", "ls"]);
});

Deno.test("an ellipsis stands for anything, and all else for itself", () => {
  assert.ok(isAs("a.b (5)\n", "a.…(5)\n"));
  assert.ok(!isAs("aXb\n", "a.b\n"));
  assert.ok(!isAs("a\nb\n", "a\n"));
});
