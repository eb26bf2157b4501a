/**
 * Runs the suite and prints how much of the program it reaches, file by file:
 *
 *     deno run -A tools/coverage.ts [units|kernel|system|FILE]...
 *
 * The program under test counts too, wherever a test starts it: Deno notes what a process has run
 * where DENO_COVERAGE_DIR says. What a stage does, in machine code, is not seen.
 */
import { ROOT } from "./source.ts";

const PRODUCT = `^file://${ROOT}(main\\.ts|(ffi|rootfs|src)/)`;
const TESTS = String.raw`_test\.ts$|/testdata/|/arbitrary_`;

async function main(suites: readonly string[]): Promise<number> {
  const directory = await Deno.makeTempDir({ prefix: "minictr-coverage-" });
  // Hundreds of starts in a row reach nothing that one does not.
  const env = { DENO_COVERAGE_DIR: directory, MINICTR_TEST_QUICK: "1" };
  try {
    const tests = ["run", "-A", "--no-lock", "--cached-only", `${ROOT}tools/test.ts`, ...suites];
    const { code } = await new Deno.Command(Deno.execPath(), { args: tests, env }).spawn().status;
    const report = ["coverage", `--include=${PRODUCT}`, `--exclude=${TESTS}`, directory];
    const { success } = await new Deno.Command(Deno.execPath(), { args: report }).spawn().status;
    return success ? code : 1;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
