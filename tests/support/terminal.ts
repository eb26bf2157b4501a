/**
 * A program on a pseudo-terminal of its own, typed at and resized as a person would.
 */
import { type Ended, Program, type StartOptions } from "./program.ts";

/** As StartOptions, with the terminal's size. */
export interface TerminalOptions extends Omit<StartOptions, "stdin"> {
  /** 24 */
  readonly rows?: number;
  /** 80 */
  readonly columns?: number;
}

/** Needs python3 (its pty module): `requires: ["command:python3"]`. */
export class Terminal implements AsyncDisposable {
  readonly #driver: Program;

  constructor(words: readonly string[], options: TerminalOptions = {}) {
    const { rows = 24, columns = 80, ...rest } = options;
    const script = new URL("terminal.py", import.meta.url).pathname;
    const driver = [python(), script, `${rows}`, `${columns}`, ...words];
    this.#driver = new Program(driver, { ...rest, stdin: "pipe" });
  }

  /** `out` is all that the terminal showed, byte for byte. */
  get ended(): Promise<Ended> {
    return this.#driver.ended;
  }

  /** The text that it has shown so far: without the sequences that move the cursor, which shells
   * and Deno itself print on a terminal. */
  get shown(): string {
    return plain(this.#driver.out);
  }

  /** Types; "\r" is Enter, "\x03" is Ctrl-C, "\x1a" is Ctrl-Z, "\x04" is Ctrl-D. */
  async type(text: string): Promise<void> {
    await this.#driver.write(`send ${new TextEncoder().encode(text).toHex()}\n`);
  }

  /** Waits until the terminal has shown `text`. */
  async until(text: string | RegExp): Promise<string> {
    return await this.#driver.until(text, plain);
  }

  async resize(rows: number, columns: number): Promise<void> {
    await this.#driver.write(`size ${rows} ${columns}\n`);
  }

  /** Closes the terminal, as when its window is closed. */
  async hangUp(): Promise<void> {
    await this.#driver.write("hangup\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver[Symbol.asyncDispose]();
  }
}

/** Without control sequences: ECMA-48, 5.4. */
function plain(shown: string): string {
  // deno-lint-ignore no-control-regex
  return shown.replace(/\x1b\[[0-?]*[ -/]*[@-~]/g, "");
}

/** The system's own where it is: one that is found by a version manager's script starts slowly. */
function python(): string {
  try {
    Deno.statSync("/usr/bin/python3");
    return "/usr/bin/python3";
  } catch {
    return "python3";
  }
}
