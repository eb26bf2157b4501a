import assert from "assert";
import { type Grammar, parseCommandLine } from "../src/cli/grammar.ts";
import { helpText } from "../src/cli/help.ts";
import { COMMANDS } from "../src/cli/mod.ts";
import { COMMANDS_PAGE } from "./man.ts";
import { grammars } from "./man/grammars.ts";
import { commandsPage } from "./man/markdown.ts";
import { mainPage, manPage, text } from "./man/roff.ts";

const all = await grammars();

Deno.test("every command for people has a grammar that src/cli exports", () => {
  const described = new Set(all.map(({ command }) => command.split(" ")[0]));
  const commands = Object.entries(COMMANDS).filter(([, { summary }]) => summary !== "");
  assert.deepEqual(commands.map(([name]) => name).filter((name) => !described.has(name)), []);
});

for (const grammar of all) {
  const { command, summary, examples } = grammar;
  Deno.test(`${command}: one sentence, and examples that its grammar takes`, () => {
    assert.match(summary, /^[A-Z].*[^.]$/);
    assert.ok(examples.length > 0, `"${command}" has no example`);
    for (const [line] of examples) {
      const words = wordsOf(line);
      assert.equal(words.shift(), "minictr", line);
      if (words.slice(0, 1).join() === "--version") continue;
      const called = all.findLast((one) => `${words.join(" ")} `.startsWith(`${one.command} `));
      assert.ok(called, `"${line}" calls no command`);
      parseCommandLine(called, words.slice(called.command.split(" ").length));
    }
  });

  Deno.test(`${command}: --help prints what its grammar says`, async () => {
    const [name = "", ...rest] = command.split(" ");
    assert.equal(await printed(name, [...rest, "--help"]), helpText(grammar));
  });
}

Deno.test("docs/commands.md is what `deno task man` makes", () => {
  assert.equal(Deno.readTextFileSync(COMMANDS_PAGE), commandsPage(all));
});

Deno.test("a text in a page is taken as it is, whatever it begins with", () => {
  assert.equal(text(".so -x"), "\\&.so \\-x");
  assert.equal(text("a\\b"), "a\\eb");
});

Deno.test({
  name: "groff finds nothing to warn of in the pages",
  ignore: !(await has("groff")),
  async fn() {
    for (const page of [mainPage(all), ...all.map(manPage)]) {
      const child = new Deno.Command("groff", {
        args: ["-ww", "-man", "-Tutf8", "-Kutf8"],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(page));
      await writer.close();
      const { success, stdout, stderr } = await child.output();
      assert.equal(new TextDecoder().decode(stderr), "", page.split("\n")[0]);
      assert.ok(success && stdout.length > 500);
    }
  },
});

/** The words of a command line in front of a pipe; `sudo` and redirections left out. */
function wordsOf(line: string): string[] {
  const words = line.split(" | ")[0]?.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.filter((word) => word !== "sudo" && !word.startsWith(">"))
    .map((word) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"));
}

/** What a command prints, called within this process. */
async function printed(name: string, args: string[]): Promise<string> {
  const lines: string[] = [];
  const log = console.log;
  const write = Deno.stdout.writeSync;
  console.log = (...words) => void lines.push(words.join(" "));
  Deno.stdout.writeSync = (bytes) => {
    lines.push(new TextDecoder().decode(bytes).trimEnd());
    return bytes.length;
  };
  try {
    assert.equal(await COMMANDS[name]?.run(args, "/nonexistent"), 0);
  } finally {
    console.log = log;
    Deno.stdout.writeSync = write;
  }
  return lines.join("\n");
}

async function has(command: string): Promise<boolean> {
  return await new Deno.Command(command, { args: ["--version"], stdout: "null" }).output()
    .then(({ success }) => success, () => false);
}

/** What a mistake in a table would look like. */
Deno.test("a grammar without an example, or with one it does not take, would be found", () => {
  const wrong: Grammar = {
    command: "x",
    operands: "",
    summary: "X",
    groups: [],
    examples: [["minictr x --no-such-flag", ""]],
  };
  const [, ...words] = wordsOf(wrong.examples[0]?.[0] ?? "");
  assert.throws(() => parseCommandLine(wrong, words.slice(1)), /unknown flag/);
});
