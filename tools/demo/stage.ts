/**
 * Where the demonstration plays: it says what it does, does it, shows what came of it, and checks.
 */

/** What a command left. */
export interface Outcome {
  code: number;
  /** Without the last newline. */
  out: string;
  err: string;
  elapsedMs: number;
}

/** A scratch of its own on the machine, and the tally of what has held. */
export class Stage implements AsyncDisposable {
  #held = 0;
  readonly #failed: string[] = [];

  private constructor(
    readonly directory: string,
    readonly words: readonly string[],
  ) {}

  /** Opens one that calls minictr by these words; the first container is started, to build its root. */
  static async open(words: readonly string[]): Promise<Stage> {
    const stage = new Stage(await Deno.makeTempDir({ prefix: "minictr-demo-" }), words);
    const { code, err } = await stage.run(["run", "--rm", "--network", "none", "true"]);
    if (code === 0) return stage;
    await stage[Symbol.asyncDispose]();
    throw new Error(`cannot start a container here: ${err}; \`minictr doctor\` tells more`);
  }

  /** The heading of a scene. */
  title(text: string): void {
    console.log(`\n== ${text}`);
  }

  /** What is about to be seen, in a sentence. */
  say(text: string): void {
    console.log(`\n${text}`);
  }

  /** Shows a command of minictr, runs it to its end and shows what it prints. */
  async show(args: readonly string[]): Promise<Outcome> {
    console.log(`$ minictr ${args.map(quoted).join(" ")}`);
    const outcome = await this.run(args);
    for (const text of [outcome.out, outcome.err]) if (text !== "") console.log(text);
    return outcome;
  }

  /** Runs a command of minictr without a word. */
  async run(args: readonly string[]): Promise<Outcome> {
    const [command = "", ...first] = this.words;
    const start = performance.now();
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args: [...first, "--root", `${this.directory}/root`, ...args],
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
    return { code, out: text(stdout), err: text(stderr), elapsedMs: performance.now() - start };
  }

  /** Notes whether something holds. */
  check(claim: string, holds: boolean): void {
    console.log(`   ${holds ? "holds" : "DOES NOT HOLD"}: ${claim}`);
    if (holds) this.#held++;
    else this.#failed.push(claim);
  }

  /** Prints the tally; returns the exit status. */
  finish(): number {
    console.log(`\n${this.#held} hold, ${this.#failed.length} do not`);
    for (const claim of this.#failed) console.log(`does not hold: ${claim}`);
    return this.#failed.length === 0 ? 0 : 1;
  }

  /** Takes away what a scene that broke off has left, and the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { out } = await this.run(["ps", "-aq"]);
    const ids = out.split("\n").filter((id) => id !== "");
    if (ids.length > 0) await this.run(["rm", "-f", ...ids]);
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** As one would type it into a shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
