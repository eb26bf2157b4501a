/**
 * Deno.test for tests of the program: needs, a limit, and a scratch that must be left clean.
 */
import { describe, type Leftover, leftovers, removeLeftovers } from "./leftovers.ts";
import { type Ended, minictrCommand, patient, Program, type StartOptions } from "./program.ts";
import { type Need, requires, skipMark } from "./requires.ts";
import { testRootfs } from "./rootfs.ts";
import { deadRuns, makeDirectory, RUN_DIRECTORY } from "./run.ts";
import { Terminal, type TerminalOptions } from "./terminal.ts";

/** What a test needs, and how long it may take. */
export interface TestOptions {
  readonly requires?: readonly Need[];
  /** 60 s; four times that in the virtual machine. */
  readonly timeoutMs?: number;
}

/**
 * A test with a scratch of its own. It fails, too, when a process, mount or control group that
 * carries the scratch's name is still there two seconds after it.
 */
export function test(
  name: string,
  options: TestOptions,
  body: (t: Scratch) => Promise<void> | void,
): void {
  const lack = requires(...options.requires ?? []);
  if (lack === undefined) {
    Deno.test({ name, fn: (context) => inScratch(context, options, body) });
    return;
  }
  const mark = skipMark(lack.need, lack.reason);
  if (mark !== undefined) {
    Deno.test({ name: name + mark, ignore: true, fn: () => {} });
  } else {
    Deno.test(name, () => {
      throw new Error(`cannot skip "${name}", which needs ${lack.need}: ${lack.reason}`);
    });
  }
}

/** What one test has to itself. */
export class Scratch {
  /** A directory; removed after the test. */
  readonly directory = makeDirectory();
  /** Unique on this machine, for containers, control groups and the like; the directory's name. */
  readonly name = this.directory.slice(this.directory.lastIndexOf("/") + 1);
  /** The program's state and data (`--root`). */
  readonly root = `${this.directory}/root`;
  readonly step: Deno.TestContext["step"];
  #containers = 0;

  constructor(context: Deno.TestContext) {
    this.step = context.step.bind(context);
  }

  /** A busybox root file system, shared by all tests of the run: do not write to it. */
  get rootfs(): string {
    return testRootfs();
  }

  /** Runs `minictr --root ROOT ARGS` to its end. */
  async minictr(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
    await using program = this.start([...this.#minictr(), ...args], options);
    return await program.ended;
  }

  /** Starts `minictr --root ROOT ARGS`. */
  startMinictr(args: readonly string[], options: StartOptions = {}): Program {
    return this.start([...this.#minictr(), ...args], options);
  }

  /** The words that start `minictr --root ROOT ARGS`. */
  words(args: readonly string[]): string[] {
    return [...this.#minictr(), ...args];
  }

  /** Runs a command in a new container of `rootfs`, without a network, to its end. */
  async run(
    flags: readonly string[],
    command: readonly string[],
    options: StartOptions = {},
  ): Promise<Ended> {
    await using program = this.startRun(flags, command, options);
    return await program.ended;
  }

  /** Starts a command in a new container of `rootfs`. */
  startRun(
    flags: readonly string[],
    command: readonly string[],
    options: StartOptions = {},
  ): Program {
    return this.start(this.runWords(flags, command), options);
  }

  /** The words of `minictr run` in a new container of `rootfs`, whose name carries the test's. */
  runWords(flags: readonly string[], command: readonly string[]): string[] {
    const name = `${this.name}-${++this.#containers}`;
    const always = ["--rm", "--network", "none", "--name", name, "--rootfs", this.rootfs];
    // The last of a flag given twice counts, so that `flags` can name another root.
    return [...this.#minictr(), "run", ...always, ...flags, ...command];
  }

  /** A copy of `rootfs` that the test may write to. */
  async ownRootfs(): Promise<string> {
    const copy = `${this.directory}/rootfs`;
    await this.start(["cp", "-a", this.rootfs, copy]).ended;
    return copy;
  }

  /**
   * Makes an OCI bundle of what `run` makes of a command, as the one bundle of the test.
   *
   * @param change what its config.json has otherwise
   * @returns its directory
   */
  async bundle(
    command: readonly string[],
    // deno-lint-ignore no-explicit-any -- as any config.json may be
    change: (spec: any) => void = () => {},
  ): Promise<string> {
    const { out } = await this.run(["--print-spec"], command);
    const spec = JSON.parse(out);
    spec.root.path = this.rootfs;
    change(spec);
    const bundle = `${this.directory}/bundle`;
    Deno.mkdirSync(bundle, { recursive: true });
    Deno.writeTextFileSync(`${bundle}/config.json`, JSON.stringify(spec));
    return bundle;
  }

  /** Starts any program on a terminal of its own, marked as the test's. */
  onTerminal(words: readonly string[], options: TerminalOptions = {}): Terminal {
    return new Terminal(words, { ...options, env: this.#mark(options) });
  }

  /** Starts any program, marked as the test's. */
  start(words: readonly string[], options: StartOptions = {}): Program {
    return new Program(words, { ...options, env: this.#mark(options) });
  }

  #minictr(): string[] {
    return [...minictrCommand(), "--root", this.root];
  }

  /** By this variable a process that outlives the test is found. */
  #mark(options: StartOptions): Record<string, string> {
    return { ...options.env, MINICTR_TEST: this.name };
  }
}

async function inScratch(
  context: Deno.TestContext,
  { timeoutMs = 60_000 }: TestOptions,
  body: (t: Scratch) => Promise<void> | void,
): Promise<void> {
  await sweepOnce();
  const scratch = new Scratch(context);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limitMs = patient(timeoutMs);
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([body(scratch), timeUp]);
  } catch (cause) {
    await removeContainers(scratch);
    await clear(scratch, 0);
    throw cause;
  } finally {
    clearTimeout(timer);
  }
  // What becomes minictr once more to note an end is still at it.
  const left = await clear(scratch, patient(5000));
  if (left.length > 0) throw new Error(`the test left behind:\n${describe(left)}`);
}

/** Of a test that failed: their control groups carry no name of the test's. */
async function removeContainers(scratch: Scratch): Promise<void> {
  const { out, code } = await scratch.minictr(["ps", "-aq", "--no-trunc"]);
  const ids = out.split("\n").filter((id) => id !== "");
  if (code === 0 && ids.length > 0) await scratch.minictr(["rm", "-f", ...ids]);
}

/** Removes, and returns, what is left after `graceMs`. */
async function clear(scratch: Scratch, graceMs: number): Promise<Leftover[]> {
  const left = await leftovers(scratch.name, graceMs);
  await removeLeftovers(scratch.name, [scratch.directory]);
  return left;
}

let sweeping: Promise<void> | undefined;

/** Removes what earlier runs that were killed left; without a runner, this run's directory too. */
function sweepOnce(): Promise<void> {
  sweeping ??= (async () => {
    if (Deno.env.has("MINICTR_TEST_RUN")) return; // The runner does both.
    for (const directory of deadRuns()) await removeRun(directory);
    globalThis.addEventListener("unload", () => {
      new Deno.Command("rm", { args: ["-rf", "--one-file-system", RUN_DIRECTORY] })
        .outputSync();
    });
  })();
  return sweeping;
}

/** Removes all that the run with this directory left. */
export async function removeRun(directory: string): Promise<void> {
  await removeLeftovers(directory.slice(directory.lastIndexOf("/") + 1), [directory]);
}
