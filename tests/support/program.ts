/**
 * Starts programs for tests: bytes in, bytes and an exit status out, never longer than a limit.
 */
import { IN_VM, PROJECT } from "./run.ts";

/** How a program is started. */
export interface StartOptions {
  /** Bytes or text for its standard input; "null" (the default) is /dev/null; "closed" closes it;
   * "pipe" leaves it to `Program.write`. */
  readonly stdin?: Uint8Array | string[] | "null" | "closed" | "pipe";
  readonly env?: Record<string, string>;
  /** Starts from an empty environment. */
  readonly clearEnv?: boolean;
  readonly cwd?: string;
  /** After this it is killed and `ended` rejects; 30 s, four times that in the virtual machine. */
  readonly timeoutMs?: number;
}

/** A program that has ended. */
export interface Ended {
  /** The exit status as a shell reports it: 128 + n when signal n killed it. */
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** `stdout` and `stderr` as text. */
  readonly out: string;
  readonly err: string;
}

/** The words that start the program under test: those of MINICTR, separated by blanks, or main.ts of
 * the checkout on the Deno that runs the tests. */
export function minictrCommand(): string[] {
  const named = Deno.env.get("MINICTR");
  if (named !== undefined) {
    return named.split(" ").map((word, i) => i === 0 && word === "deno" ? Deno.execPath() : word);
  }
  return [Deno.execPath(), "run", "-A", "--no-lock", "--cached-only", `${PROJECT}/main.ts`];
}

/** Multiplies a limit by what process starts cost on this machine. */
export function patient(timeoutMs: number): number {
  return IN_VM ? timeoutMs * 4 : timeoutMs;
}

/** A running program whose output is collected. */
export class Program implements AsyncDisposable {
  /** Resolves when it has ended and its output is closed; rejects when its time is over. */
  readonly ended: Promise<Ended>;
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Uint8Array[] = [];
  readonly #stderr: Uint8Array[] = [];
  readonly #words: readonly string[];
  #changed = Promise.withResolvers<void>();
  #hasEnded = false;

  constructor(words: readonly string[], options: StartOptions = {}) {
    const { stdin = "null", env = {}, clearEnv = false, cwd, timeoutMs = patient(30_000) } =
      options;
    this.#words = words;
    const [command = "", ...args] = stdin === "closed"
      ? ["/bin/sh", "-c", 'exec "$@" <&-', "sh", ...words]
      : words;
    this.#child = new Deno.Command(command, {
      args,
      env,
      clearEnv,
      ...(cwd === undefined ? {} : { cwd }),
      stdin: stdin === "null" || stdin === "closed" ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.ended = this.#collect(timeoutMs);
    this.ended.catch(() => {}); // The test that awaits it sees it.
    if (typeof stdin !== "string") void this.#feed(stdin);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it has printed so far, as text. */
  get out(): string {
    return new TextDecoder().decode(concat(this.#stdout));
  }

  /** Sends bytes to its standard input ("pipe"). */
  async write(input: Uint8Array | string): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input);
    writer.releaseLock();
  }

  /** Ends its standard input ("pipe"). */
  async closeStdin(): Promise<void> {
    await this.#child.stdin.close();
  }

  /** Does nothing when it has ended already. */
  kill(signal: Deno.Signal = "SIGTERM"): void {
    try {
      this.#child.kill(signal);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause; // "Child process has already terminated"
    }
  }

  /** Waits until its standard output, as `read` sees it, holds `text`, and returns all of it. */
  async until(text: string | RegExp, read = (out: string) => out): Promise<string> {
    while (true) {
      const out = read(this.out);
      if (typeof text === "string" ? out.includes(text) : text.test(out)) return out;
      if (this.#hasEnded) throw new Error(`${this.#describe()} ended before it printed ${text}`);
      await this.#changed.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.kill("SIGKILL");
    await this.ended.catch(() => {});
  }

  async #collect(timeoutMs: number): Promise<Ended> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.kill("SIGKILL");
    }, timeoutMs);
    try {
      const [status] = await Promise.all([
        this.#child.status,
        // A child that outlives the program may hold its output open.
        this.#drain(this.#child.stdout, this.#stdout, timeoutMs + 1000),
        this.#drain(this.#child.stderr, this.#stderr, timeoutMs + 1000),
      ]);
      if (isLate) throw new Error(`${this.#describe()} did not end within ${timeoutMs} ms`);
      const [stdout, stderr] = [concat(this.#stdout), concat(this.#stderr)];
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      const { code, signal } = status;
      return { code, signal, stdout, stderr, out: decode(stdout), err: decode(stderr) };
    } finally {
      clearTimeout(timer);
      this.#hasEnded = true;
      this.#announce();
    }
  }

  async #drain(stream: ReadableStream<Uint8Array>, into: Uint8Array[], timeoutMs: number) {
    const reader = stream.getReader();
    const timer = setTimeout(() => reader.cancel().catch(() => {}), timeoutMs);
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      into.push(read.value);
      this.#announce();
    }
    clearTimeout(timer);
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  /** A program may end without reading all of its input: not an error here. */
  async #feed(stdin: Uint8Array | string[]): Promise<void> {
    const bytes = stdin instanceof Uint8Array
      ? stdin
      : new TextEncoder().encode(stdin.map((line) => `${line}\n`).join(""));
    try {
      const writer = this.#child.stdin.getWriter();
      await writer.write(bytes);
      await writer.close();
    } catch (cause) {
      if (!(cause instanceof Deno.errors.BrokenPipe)) throw cause;
    }
  }

  #describe(): string {
    const stderr = new TextDecoder().decode(concat(this.#stderr));
    return `"${this.#words.join(" ")}" (stdout "${this.out}", stderr "${stderr}")`;
  }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
