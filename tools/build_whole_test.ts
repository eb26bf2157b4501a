/**
 * What `deno task build` makes: the same bytes anywhere, telling nothing of where, and all there.
 */
import assert from "assert";
import { minified } from "./build/bundle.ts";
import { files, ROOT } from "./source.ts";
import { output } from "./build/target.ts";
import { requires } from "../tests/support/mod.ts";

const EPOCH = { SOURCE_DATE_EPOCH: "1700000000" };

/** Builds in the checkout `from` and returns what it made. */
async function build(from: string, to: string, ...words: string[]): Promise<string> {
  const args = ["run", "-A", "--no-lock", "--cached-only", `${from}tools/build.ts`, "--to", to];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, ...words],
    env: { ...EPOCH, DENORT_BIN: "/nonexistent", NO_COLOR: "1" },
    cwd: from,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function inScratch(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "minictr-build-test-" });
  try {
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("the bundler keeps each `using`: what is opened in a bundle is closed there", async () => {
  const source = `const log = [];
    const open = () => ({ [Symbol.dispose]: () => log.push("closed") });
    function once() { for (;;) { using lock = open(); if (lock) return log.push("used"); } }
    once();
    export default log.join(" ");`;
  const { default: log } = await import(
    `data:text/javascript,${encodeURIComponent(await minified(source))}`
  );
  assert.equal(log, "used closed");
});

Deno.test({
  name: "two builds in different places give the same bytes, and name neither place nor machine",
  ignore: requires("command:busybox") !== undefined,
  fn: () =>
    inScratch(async (directory) => {
      const copy = `${directory}/another/checkout/`;
      for (const path of files()) {
        await Deno.mkdir(`${copy}${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
        await Deno.copyFile(ROOT + path, copy + path);
      }
      await Promise.all([build(ROOT, `${directory}/a`), build(copy, `${directory}/b`)]);
      const sums = await Deno.readTextFile(`${directory}/a/sha256sums`);
      assert.equal(await Deno.readTextFile(`${directory}/b/sha256sums`), sums);
      assert.deepEqual(
        sums.trimEnd().split("\n").map((line) => line.split("  ")[1]),
        ["minictr", "minictr.js", "minictr.spdx.json", "rootfs.tar.gz"],
      );
      await output(["sha256sum", "--check", "--quiet", "sha256sums"], `${directory}/a`);
      await unpackedNamesNothing(directory);
      await billNamesAll(`${directory}/a`);
    }),
});

/** All but Deno itself, which others have built. */
async function unpackedNamesNothing(directory: string): Promise<void> {
  const file = `${directory}/a/minictr`;
  const script = new TextDecoder().decode((await Deno.readFile(file)).subarray(0, 8192));
  const [, offset = ""] = /offset=(\d+)/.exec(script) ?? [];
  await output(["sh", "-c", 'tail -c +"$1" "$0" | tar -xz', file, offset], directory);
  await output(["tar", "-xzf", "rootfs.tar.gz"], directory);
  const told = [ROOT.slice(0, -1), directory, "another/checkout", Deno.env.get("HOME") ?? "/root/"]
    .filter((text) => text.length > "/root".length);
  const texts = ["run.js", "whole.js", "start", "etc", "a/minictr.js", "a/minictr.spdx.json"];
  for (const text of told) {
    const grep = new Deno.Command("grep", { args: ["-rlF", text, ...texts], cwd: directory });
    const { stdout } = await grep.output();
    assert.equal(new TextDecoder().decode(stdout), "", `"${text}" is in what is given away`);
  }
}

async function billNamesAll(directory: string): Promise<void> {
  interface Bill {
    spdxVersion: string;
    creationInfo: { created: string };
    packages: { name: string; versionInfo: string; licenseDeclared: string }[];
  }
  const bill: Bill = JSON.parse(await Deno.readTextFile(`${directory}/minictr.spdx.json`));
  assert.equal(bill.spdxVersion, "SPDX-2.3");
  assert.equal(bill.creationInfo.created, "2023-11-14T22:13:20Z");
  const rows = bill.packages.map(({ name, licenseDeclared }) => `${name} ${licenseDeclared}`);
  for (const row of ["deno MIT", "v8 BSD-3-Clause", "busybox GPL-2.0-only", "fzstd MIT"]) {
    assert.ok(rows.includes(row), `${row} is not among ${rows.join(", ")}`);
  }
  const notice = (await Deno.readTextFile(`${ROOT}NOTICE.md`)).toLowerCase();
  for (const { name, versionInfo } of bill.packages) {
    assert.match(versionInfo, /^\d+\.\d+/, name);
    assert.ok(notice.includes(`**${name}**`) || name === "minictr", `NOTICE.md lacks ${name}`);
  }
}

Deno.test({
  name: "deno compile puts the program and its root filesystem behind the base it is given",
  ignore: requires("command:busybox") !== undefined,
  fn: () =>
    inScratch(async (directory) => {
      // Any ELF file serves as a base but for starting the program.
      await Deno.copyFile("/bin/busybox", `${directory}/base`);
      const args = ["run", "-A", "--no-lock", "--cached-only", `${ROOT}tools/build.ts`];
      const compile = () =>
        new Deno.Command(Deno.execPath(), {
          args: [...args, "--to", `${directory}/dist`, "compiled"],
          env: { ...EPOCH, DENORT_BIN: `${directory}/base`, NO_COLOR: "1" },
        }).output();
      const first = await compile();
      assert.ok(first.success, new TextDecoder().decode(first.stderr));
      assert.ok((await compile()).success, "a second build takes the place of the first");
      const made = new TextDecoder("latin1").decode(
        await Deno.readFile(`${directory}/dist/minictr`),
      );
      assert.equal(made.slice(1, 4), "ELF");
      assert.ok(made.includes("there is no command"), "it holds the program");
      assert.ok(made.includes("rootfs.tar.gz"), "it holds the root filesystem");
    }),
});
