import assert from "assert";
import { importsIn, lazyBuiltIns, tableOf } from "./build/bundle.ts";
import { makePortable } from "./build/portable.ts";

/** A stand-in for Deno: says how it was called. */
const FAKE_DENO = `#!/bin/sh
[ "$1" = --version ] && exit
mkdir -p "$DENO_DIR"
case "$*" in *--preload*) exit ;; esac
echo "$@"
umask
`;

Deno.test("a bundle has no import left that Deno would follow at once", () => {
  const code = 'const a=await import("node:zlib"),b=r("node:stream/web");import{c}from"node:os";';
  assert.deepEqual(importsIn(code), ["node:zlib", "node:os"]);
  assert.deepEqual(importsIn(lazyBuiltIns(code)), ["node:os"]);
  assert.match(lazyBuiltIns(code), /import\(\(name=>name\)\("node:zlib"\)\),b=globalThis;/);
});

Deno.test("the table of one command imports its module, and the whole program for all others", () => {
  const table = 'a: () => import("./run.ts"), b: () => import("./ps.ts"); export * from "./x.ts";';
  assert.equal(
    tableOf({ table, module: "run", directory: "/cli", otherwise: "./all.js" }),
    'a: () => import("file:///cli/run.ts"), b: () => import((name => name)("./all.js")); ' +
      'export * from "file:///cli/x.ts";',
  );
});

/** A portable executable with a stand-in for Deno, and a directory to unpack it into. */
async function portable(
  run: (file: string, programs: string) => Promise<void>,
  machine: string = Deno.build.arch,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "minictr-build-test-" });
  try {
    await Deno.writeTextFile(`${directory}/fake`, FAKE_DENO);
    await Deno.mkdir(`${directory}/js`);
    for (const name of ["run.js", "whole.js"]) {
      await Deno.writeTextFile(`${directory}/js/${name}`, "");
    }
    const parts = { deno: `${directory}/fake`, machine, programs: `${directory}/js` };
    await makePortable(parts, `${directory}/minictr`);
    await run(`${directory}/minictr`, `${directory}/programs`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Its standard output, and its standard error behind that. */
async function call(
  file: string,
  programs: string,
  args: string[] = [],
): Promise<{ code: number; text: string }> {
  const script = 'umask 0077; exec "$0" "$@"';
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script, file, ...args],
    env: { MINICTR_PROGRAMS: programs },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("the same parts make the same portable executable", async () => {
  const digests: string[] = [];
  for (let turn = 0; turn < 2; turn++) {
    await portable(async (file) => {
      const bytes = await Deno.readFile(file);
      digests.push(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex());
    });
  }
  assert.equal(digests[0], digests[1]);
});

Deno.test("a portable executable unpacks once, passes its words on and keeps the umask", async () => {
  await portable(async (file, programs) => {
    const { code, text } = await call(file, programs, ["run", "a  b", ""]);
    assert.equal(code, 0, text);
    assert.match(text, /^run -A .*--cached-only \S+\/run\.js run a {2}b $/m);
    assert.match(text, /^0077$/m);
    const [entry, ...others] = Array.from(Deno.readDirSync(programs), ({ name }) => name);
    assert.deepEqual(others, []);
    const directory = `${programs}/${entry}`;
    assert.equal((Deno.statSync(directory).mode ?? 0) & 0o777, 0o755);
    const before = Deno.statSync(`${directory}/run.js`).ino;
    assert.equal((await call(file, programs)).code, 0);
    assert.equal(Deno.statSync(`${directory}/run.js`).ino, before);
  });
});

Deno.test("ten first runs at once leave one whole directory", async () => {
  await portable(async (file, programs) => {
    const results = await Promise.all(Array.from({ length: 10 }, () => call(file, programs)));
    for (const { code, text } of results) assert.equal(code, 0, text);
    assert.equal(Array.from(Deno.readDirSync(programs)).length, 1);
  });
});

Deno.test("a damaged portable executable runs nothing and leaves nothing", async () => {
  await portable(async (file, programs) => {
    const bytes = await Deno.readFile(file);
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
    await Deno.writeFile(file, bytes);
    const { code, text } = await call(file, programs);
    assert.equal(code, 125);
    assert.match(text, /is damaged/);
    assert.deepEqual(Array.from(Deno.readDirSync(programs)), []);
  });
});

Deno.test("a portable executable does not unpack through a link", async () => {
  await portable(async (file, programs) => {
    await Deno.mkdir(`${programs}.elsewhere`);
    await Deno.symlink(`${programs}.elsewhere`, programs);
    const { code, text } = await call(file, programs);
    assert.equal(code, 125);
    assert.match(text, /cannot unpack into/);
    assert.deepEqual(Array.from(Deno.readDirSync(`${programs}.elsewhere`)), []);
  });
});

Deno.test("a portable executable for another machine says so, and unpacks nothing", async () => {
  await portable(async (file, programs) => {
    const { code, text } = await call(file, programs);
    assert.equal(code, 125);
    assert.match(text, /this file is for riscv64, and this machine is (x86_64|aarch64)/);
    assert.throws(() => Deno.statSync(programs), Deno.errors.NotFound);
  }, "riscv64");
});

Deno.test({
  name: "a portable executable starts nothing that another user has unpacked",
  ignore: Deno.uid() !== 0,
  async fn() {
    await portable(async (file, programs) => {
      const script = await Deno.readTextFile(file);
      const [, digest = ""] = /^digest=(\w+)/m.exec(script) ?? [];
      const planted = `${programs}/${digest}`;
      await Deno.mkdir(`${planted}/cache`, { recursive: true });
      await Deno.writeTextFile(`${planted}/deno`, "#!/bin/sh\necho planted\n", { mode: 0o755 });
      await Deno.writeTextFile(`${planted}/cache/ready`, "");
      const nobody = 65534;
      for (const theirs of [[planted], [programs], [programs, planted]]) {
        for (const path of [programs, planted]) {
          await Deno.chown(path, theirs.includes(path) ? nobody : 0, 0);
        }
        const { code, text } = await call(file, programs);
        assert.equal(code, 125, text);
        assert.match(text, /cannot unpack into/);
        assert.doesNotMatch(text, /planted/);
      }
    });
  },
});
