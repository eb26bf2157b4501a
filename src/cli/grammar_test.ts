import assert from "assert";
import fc from "fast-check";
import { nearest, parseCommandLine } from "./grammar.ts";
import { RUN } from "./run_flags.ts";
import { UsageError } from "./usage_error.ts";

const run = (...argv: string[]) => parseCommandLine(RUN, argv);

Deno.test("options end at the first operand", () => {
  const { flags, operands } = run("-it", "sh", "-c", "ls -l", "--rm");
  assert.deepEqual([flags.interactive, flags.tty, flags.rm], [true, true, false]);
  assert.deepEqual(operands, ["sh", "-c", "ls -l", "--rm"]);
});

Deno.test("options end at --, and a dash alone is an operand", () => {
  assert.deepEqual(run("-i", "--", "--rm").operands, ["--rm"]);
  assert.deepEqual(run("-i", "-", "x").operands, ["-", "x"]);
});

const SAME: [argv: string[], list: readonly string[]][] = [
  [["-p", "80:80"], ["80:80"]],
  [["-p80:80"], ["80:80"]],
  [["-p=80:80"], ["80:80"]],
  [["-itp", "80:80"], ["80:80"]],
  [["-itp80:80"], ["80:80"]],
  [["--publish", "80:80"], ["80:80"]],
  [["--publish=80:80"], ["80:80"]],
  [["--publish="], [""]],
  [["--publish", "-1"], ["-1"]],
  [["--publish", "--rm"], ["--rm"]],
  [["-p", "--", "-p", "b"], ["--", "b"]],
];

for (const [argv, list] of SAME) {
  Deno.test(`${argv.join(" ")} publishes ${list.join(" and ")}`, () => {
    assert.deepEqual(run(...argv, "sh").flags.publish, list);
    assert.deepEqual(run(...argv, "sh").operands, ["sh"]);
  });
}

Deno.test("the last value of a flag that is given once counts", () => {
  assert.equal(run("-m", "1", "--memory=-2").flags.memory, "-2");
});

Deno.test("switches take a truth value behind = only", () => {
  assert.equal(run("--rm=false", "sh").flags.rm, false);
  assert.equal(run("--rm=1", "sh").flags.rm, true);
  assert.equal(run("-i=F", "sh").flags.interactive, false);
  assert.deepEqual(run("--rm", "false").operands, ["false"]);
});

Deno.test("an alias is the flag that it stands for", () => {
  const { flags, given, groups } = run("--net", "a", "--network=b");
  assert.deepEqual(flags.network, ["a", "b"]);
  assert.deepEqual([...given], ["network"]);
  assert.deepEqual([...groups], ["network"]);
});

Deno.test("--help ends the reading, as long as it is an option", () => {
  assert.equal(run("-i", "--help", "--nonsense").help, true);
  assert.equal(run("sh", "--help").help, false);
});

const REFUSED: [argv: string[], says: string][] = [
  [["--memoyr", "1"], `unknown flag "--memoyr": did you mean "--memory"?`],
  [["--enviroment", "A=1"], `unknown flag "--enviroment"`],
  [["--read", "x"], `unknown flag "--read": did you mean "--read-only"?`],
  [["-ix"], `unknown flag "-x" in "-ix"`],
  [["--name"], `"--name" needs a value: NAME`],
  [["-itv"], `"-v" needs a value: SRC:DST[:OPTS]`],
  [["--rm=no"], `"--rm" is true or false, not "no"`],
  [["--pull", "often"], `"--pull" is one of always, missing, never, not "often"`],
];

for (const [argv, says] of REFUSED) {
  Deno.test(`${argv.join(" ")} is refused on one line, with where to read more`, () => {
    assert.throws(() => run(...argv), new UsageError(`${says}; see 'minictr run --help'`));
  });
}

Deno.test("every command line is taken apart or refused, and no word is lost", () => {
  const word = fc.oneof(
    fc.constantFrom("-i", "-it", "-e", "--rm", "--", "--env=A", "-eA", "--net", "--help", "sh"),
    fc.string(),
  );
  fc.assert(fc.property(fc.array(word), (argv) => {
    try {
      const { operands } = run(...argv);
      assert.deepEqual(operands, argv.slice(argv.length - operands.length));
    } catch (error) {
      assert(error instanceof UsageError, String(error));
    }
  }));
});

Deno.test("any list of values comes out as it went in, whatever it looks like", () => {
  fc.assert(fc.property(fc.array(fc.string()), fc.array(fc.string()), (values, operands) => {
    const argv = [...values.flatMap((value) => ["-e", value]), "--", ...operands];
    const line = run(...argv);
    assert.deepEqual([line.flags.env, line.operands], [values, operands]);
    const joined = run(...values.map((value) => `--env=${value}`), "--", ...operands);
    assert.deepEqual(joined.flags, line.flags);
  }));
});

Deno.test("the flags of run have names and letters of their own, and helps without a full stop", () => {
  const flags = RUN.groups.flatMap((group) => [...group.flags]);
  const names = flags.map(({ name }) => name);
  const letters = flags.flatMap((flag) => "short" in flag ? [flag.short] : []);
  assert.equal(new Set(names).size, names.length);
  assert.equal(new Set(letters).size, letters.length);
  for (const { name, help } of flags) {
    assert.match(name, /^[a-z][a-z0-9-]+$/);
    assert.match(help, /^[^A-Z].*[^.]$|^(IPv|System|NIS|OCI|CPU)/, name);
  }
});

Deno.test("nearest() finds swapped, missing and cut letters, and nothing in the distance", () => {
  const words = ["memory", "memory-swap", "cpus", "publish", "read-only"];
  assert.equal(nearest("mmeory", words), "memory");
  assert.equal(nearest("publsh", words), "publish");
  assert.equal(nearest("read", words), "read-only");
  assert.equal(nearest("xyz", words), undefined);
});
