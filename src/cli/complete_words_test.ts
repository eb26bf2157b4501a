import assert from "assert";
import { grammars } from "../../tools/man/grammars.ts";
import { grammarsOf } from "./complete.ts";
import { wantedAt } from "./complete_words.ts";
import { COMMANDS } from "./mod.ts";
import { RUN } from "./run_flags.ts";
import { STOP } from "./lifecycle_flags.ts";

const wanted = (line: string) => wantedAt(RUN, line.split(" "));

Deno.test("a flag's value is completed from its table, wherever it stands", () => {
  assert.deepEqual(wanted("--network ").kinds, ["networks"]);
  assert.deepEqual(wanted("-it --network ").kinds, ["networks"]);
  assert.deepEqual([wanted("--network=").prefix, wanted("--network=").kinds], ["--network=", [
    "networks",
  ]]);
  assert.deepEqual(wanted("--pull al").words.map(([word]) => word), ["always", "missing", "never"]);
  assert.deepEqual(wanted("-itv ").kinds, ["volumes", "files"]);
  assert.deepEqual(wanted("--env-file ").kinds, ["files"]);
  assert.deepEqual(wanted("--memory ").kinds, []);
});

Deno.test("switches and values are passed over, and options end at run's first operand", () => {
  assert.deepEqual(wanted("-it --name x ").kinds, ["root filesystems", "files"]);
  assert.deepEqual(wanted("-vx:/y ").kinds, ["root filesystems", "files"]);
  assert.deepEqual(wanted("alpine ").kinds, []);
  assert.deepEqual(wanted("alpine sh --me").words, []);
  assert.ok(wanted("--me").words.some(([word]) => word === "--memory"));
  assert.deepEqual(wantedAt(STOP, ["web", ""]).kinds, ["containers"]);
  assert.deepEqual(wantedAt(STOP, ["web", "-t", ""]).kinds, []);
  assert.ok(wantedAt(STOP, ["web", "-"]).words.some(([word]) => word === "--time"));
});

Deno.test("each command that has a grammar is completed by it", async () => {
  const shown = Object.entries(COMMANDS).filter(([, { summary }]) => summary !== "");
  const found = (await Promise.all(shown.map(([name]) => grammarsOf(name)))).flat();
  const names = (all: readonly { command: string }[]) => all.map(({ command }) => command).sort();
  assert.deepEqual(names(found), names(await grammars()));
});
