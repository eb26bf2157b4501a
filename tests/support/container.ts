/**
 * A container that runs while a test does, for what is done to running ones.
 */
import { type Ended, patient, type Program } from "./program.ts";
import type { Scratch } from "./scratch.ts";

/** A running container of a test, which ends when its input does. */
export class Container implements AsyncDisposable {
  readonly name: string;
  readonly #program: Program;

  private constructor(readonly t: Scratch, words: string[]) {
    this.name = words[words.indexOf("--name") + 1] ?? "";
    this.#program = t.start(words, { stdin: "pipe" });
  }

  /** One whose first process is a shell with this script, of which the last command reads its input. */
  static async start(
    t: Scratch,
    flags: string[] = [],
    script = "exec cat",
  ): Promise<Container> {
    const container = new Container(t, t.runWords(["-i", ...flags], ["sh", "-c", script]));
    const deadline = performance.now() + patient(15_000);
    while (container.state().pid === undefined) {
      if (performance.now() > deadline) {
        throw new Error(`container did not start: ${(await container.end()).err}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return container;
  }

  /** What is written down of it; empty before. */
  state(): { id?: string; pid?: number; cgroup?: string; startTime?: number } {
    try {
      for (const { name } of Deno.readDirSync(`${this.t.root}/run/containers`)) {
        const path = `${this.t.root}/run/containers/${name}/state.json`;
        const state = JSON.parse(Deno.readTextFileSync(path));
        if (state.name === this.name) return state;
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return {};
  }

  /** Its first process as the host sees it. */
  get pid(): number {
    return this.state().pid ?? 0;
  }

  /** Of `minictr`: `exec` in it. */
  words(flags: string[], command: string[]): string[] {
    return ["exec", ...flags, this.name, ...command];
  }

  /** The same with the words that start `minictr`. */
  programWords(flags: string[], command: string[]): string[] {
    const words = this.t.runWords([], []);
    return [...words.slice(0, words.indexOf("--root") + 2), ...this.words(flags, command)];
  }

  /** Runs a command in it to its end. */
  async exec(flags: string[], command: string[]): Promise<Ended> {
    return await this.t.minictr(this.words(flags, command));
  }

  /** The same for a command that succeeds: what it printed. */
  async output(flags: string[], command: string[]): Promise<string> {
    const { code, out, err } = await this.exec(flags, command);
    if (code !== 0) throw new Error(`"${command.join(" ")}" ended with ${code}: ${err}`);
    return out;
  }

  /** Ends its input, and with it the container. */
  async end(): Promise<Ended> {
    await this.#program.closeStdin().catch(() => {});
    return await this.#program.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
