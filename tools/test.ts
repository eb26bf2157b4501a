/**
 * Runs the suite and ends with the plain line "N passed, N failed, N skipped".
 *
 *     deno run -A tools/test.ts [units|kernel|system|FILE]...
 *
 * "units" are the tests beside the code, "kernel" those of them that talk to the kernel; "system"
 * are those in tests/, which run the program, several files at a time, and those in tests/alone/, which
 * change something of the whole machine, one after the other. Without a word: units and system. After them nothing of the run may be left on the machine; that counts as one test.
 */
import {
  describe,
  filesIn,
  type Leftover,
  leftovers,
  unnamedObjects,
} from "../tests/support/leftovers.ts";
import { deadRuns, IN_VM, PROJECT, RUN_DIRECTORY, RUN_NAME } from "../tests/support/run.ts";
import { removeRun } from "../tests/support/scratch.ts";
import { files } from "./source.ts";

const SYSTEM = "tests", ALONE = "tests/alone";
const SUITES: Readonly<Record<string, readonly string[]>> = {
  units: ["ffi", "src", "rootfs", "tools", "bench"],
  kernel: ["ffi", "src/stage", "src/cgroup", "src/netlink", "src/network", "src/container"],
  system: [SYSTEM],
};
/** The tests' TMPDIR, which must be empty after them. */
const TEMPORARY = `${RUN_DIRECTORY}/tmp`;
const LIMIT_MS = 60 * 60_000;
/** Files of system tests at a time: they wait more than they work. */
const JOBS = 3;

interface Tally {
  passed: number;
  failed: string[];
  skipped: string[];
  /** The last test of which it was said that it takes long. */
  slow: string;
}

async function main(args: readonly string[]): Promise<number> {
  const tally: Tally = { passed: 0, failed: [], skipped: [], slow: "" };
  for (const directory of deadRuns()) await removeRun(directory);
  Deno.mkdirSync(TEMPORARY, { recursive: true, mode: 0o755 });
  const before = unnamedObjects();
  for (const word of args.length > 0 ? args : ["units", "system"]) {
    await runSuite(SUITES[word] ?? [word], tally);
    if (word === "system") await runSuite([ALONE], tally);
  }
  await checkLeftovers(before, tally);
  report(tally);
  return tally.failed.length === 0 && tally.passed > 0 ? 0 : 1;
}

/** Types are checked by `deno task check`; where nothing may be downloaded, nothing is. */
async function runSuite(places: readonly string[], tally: Tally): Promise<void> {
  const args = ["test", "-A", "--no-lock", "--no-check", ...(IN_VM ? ["--cached-only"] : [])];
  const present = places.filter(hasTests);
  if (present.length === 0) return;
  // Units change the process that they are in: its signals, its namespaces.
  if (present.includes(SYSTEM)) args.push("--parallel", `--ignore=${ALONE}`);
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args, ...present],
    cwd: PROJECT,
    env: {
      MINICTR_TEST_RUN: RUN_DIRECTORY,
      TMPDIR: TEMPORARY,
      NO_COLOR: "1",
      DENO_JOBS: `${JOBS}`,
    },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const failedBefore = tally.failed.length;
  for await (const line of lines(child.stdout)) {
    console.log(line);
    count(line, tally);
  }
  const { success, code } = await child.status;
  clearTimeout(timer);
  if (!success && tally.failed.length === failedBefore) {
    tally.failed.push(`the suite of ${places.join(", ")} ended with status ${code}`);
  }
}

function hasTests(place: string): boolean {
  if (place.endsWith(".ts")) return true;
  return [...files()].some((path) => path.startsWith(`${place}/`) && path.endsWith("_test.ts"));
}

/**
 * The reporter's lines: "NAME ... ok (3ms)", where a step's are indented. Of a test that takes over a
 * minute it says so behind "NAME ...", and the result stands alone in a later line.
 */
function count(line: string, tally: Tally): void {
  const [, slow] = /^(\S.*) \.\.\.'.*' has been running for/.exec(line) ?? [];
  if (slow !== undefined) tally.slow = slow;
  const [, own, result] = /^(\S.*) \.\.\. (ok|FAILED|ignored)\b/.exec(line) ??
    /^()\s(ok|FAILED) \(/.exec(line) ?? [];
  const name = own || tally.slow;
  if (result === "ok") tally.passed++;
  if (result === "FAILED") tally.failed.push(name);
  if (result === "ignored" && maySkip(name)) tally.skipped.push(name);
  else if (result === "ignored") tally.failed.push(`${name} is ignored, and no list names why`);
  const [, module] = /^Uncaught error from (\S+) FAILED/.exec(line) ?? [];
  if (module !== undefined) tally.failed.push(`${module} (an error outside of its tests)`);
}

/** Where skips are failures, those pass that `requires` found in a list. */
function maySkip(name: string): boolean {
  return Deno.env.get("MINICTR_TEST_NO_SKIP") !== "1" || name.includes(" (skipped as listed: ");
}

async function checkLeftovers(before: readonly Leftover[], tally: Tally): Promise<void> {
  const isNew = ({ what }: Leftover) => !before.some((old) => old.what === what);
  const named = await leftovers(RUN_NAME);
  const first = unnamedObjects().filter(isNew);
  if (first.length > 0) await new Promise((resolve) => setTimeout(resolve, 2000));
  const still = new Set(unnamedObjects().map(({ what }) => what));
  const unnamed = first.filter(({ what }) => still.has(what));
  const left = [...named, ...unnamed, ...filesIn(TEMPORARY)];
  await removeRun(RUN_DIRECTORY);
  if (left.length === 0) tally.passed++;
  else tally.failed.push(`the suite leaves nothing behind, but there is\n${describe(left)}`);
}

function report({ passed, failed, skipped }: Tally): void {
  console.log();
  for (const name of skipped) {
    console.log(`skipped: ${name.replace(/ \(skipped( as listed)?: (.*)\)$/, ": $2")}`);
  }
  for (const name of failed) console.log(`failed: ${name}`);
  const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
  console.log(`${passed} passed, ${failed.length} failed${skips}`);
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let pending = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const whole = (pending + chunk).split("\n");
    pending = whole.pop() ?? "";
    yield* whole;
  }
  if (pending !== "") yield pending;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
