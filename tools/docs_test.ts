/**
 * The documents say nothing that the source does not: names of tests, parts of messages, refused
 * fields, files and commands.
 */
import assert from "assert";
import { COMMANDS } from "../src/cli/mod.ts";
import { files, ROOT } from "./source.ts";

const paths = [...files()];
const read = (path: string) => Deno.readTextFileSync(ROOT + path);
const documents = paths.filter((path) => /^(docs\/)?[\w.-]+\.md$/.test(path));

/** All of the source that a message can come from, with line breaks in a string closed up. */
const source = paths.filter((path) =>
  path === "main.ts" || /^(src|ffi|rootfs|tools\/build)\/.*\.(ts|sh)$/.test(path)
).filter((path) => !path.endsWith("_test.ts")).map(read).join("\n")
  .replaceAll(/["`] \+\n\s*["`]/g, "");
const tests = paths.filter((path) => path.endsWith("_test.ts")).map(read).join("\n");

/** The cells of a document's tables, row by row, without heads. */
function rows(page: string): string[][] {
  const lines = read(page).split("\n").filter((line) => line.startsWith("| "));
  return lines.filter((line, index) => !/^\| -/.test(line) && !/^\| -/.test(lines[index + 1] ?? ""))
    .map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));
}

function inCode(cell = ""): string | undefined {
  return /^`(.*)`$/.exec(cell)?.[1];
}

Deno.test("each attack in docs/security.md fails a test that is there", () => {
  const names = rows("docs/security.md").map(([, , test]) => inCode(test));
  assert.ok(names.length > 20);
  for (const name of names) {
    assert.ok(name !== undefined && tests.includes(`"${name}"`), `no test "${name}"`);
  }
});

Deno.test("each message in docs/troubleshooting.md is one of the source's", () => {
  const messages = rows("docs/troubleshooting.md").map(([message]) => inCode(message));
  assert.ok(messages.length > 30);
  for (const message of messages) {
    assert.ok(message !== undefined && source.includes(message), `nothing says "${message}"`);
  }
});

Deno.test("docs/conformance.md refuses what the planner refuses, and no more", () => {
  const refused = Array.from(
    read("src/plan/unsupported.ts").matchAll(
      /^\s*(?:"([\w.]+)":|asked\[`mounts\[\$\{index\}\]\.(\w+)`\])/gm,
    ),
    ([, field, ofMount]) => field ?? `mounts[].${ofMount}`,
  );
  assert.ok(refused.length > 5);
  const page = read("docs/conformance.md");
  const section = page.slice(page.indexOf("\n## Refused\n"), page.indexOf("\n## Refused because"));
  const listed = Array.from(section.matchAll(/^\| `([^`]+)`/gm), ([, field]) => field);
  assert.deepEqual(listed.sort(), refused.sort());
});

Deno.test("files that the documents name as tests or source are there", () => {
  for (const page of documents) {
    for (
      const [, path = ""] of read(page).matchAll(/`((?:src|tests|tools|ffi|rootfs)\/[\w./]+\.ts)`/g)
    ) {
      assert.ok(paths.includes(path), `${page} names ${path}`);
    }
  }
});

Deno.test("links within the documents lead somewhere", () => {
  for (const page of documents) {
    for (const [, target = ""] of read(page).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)) {
      const path = new URL(target, `file:///${page}`).pathname.slice(1);
      assert.ok(
        paths.includes(path) || paths.some((one) => one.startsWith(`${path}/`)),
        `${page}: ${target}`,
      );
    }
  }
});

Deno.test("docs/README.md lists every document", () => {
  const index = read("docs/README.md");
  const missing = documents.filter((path) => /^docs\/(?!README)/.test(path))
    .filter((path) => !index.includes(`](${path.slice("docs/".length)})`));
  assert.deepEqual(missing, []);
});

Deno.test("the documents call no command that is not there", () => {
  for (const page of documents) {
    const text = read(page);
    const code = [
      ...text.matchAll(/^ {4}(.*)$/gm),
      ...text.matchAll(/^\$ (.*)$/gm),
      ...text.matchAll(/`([^`\n]+)`/g),
    ].map(([, line = ""]) => line);
    for (const line of code) {
      for (const [, name = ""] of line.matchAll(/(?:^|; |\| |sudo )minictr ([a-z]+)\b/g)) {
        if (name === "itself") continue; // A message's word.
        assert.ok(Object.hasOwn(COMMANDS, name), `${page}: ${line}`);
      }
    }
  }
});
