import { RecipeError } from "./recipe.ts";

/** How `runProgram` runs it. */
export interface ProgramOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Killed after this long. */
  timeoutMs: number;
  /** Called with each line of either output. */
  onLine?: (line: string) => void;
}

const OUTPUT_KEPT_LINES = 20;
const OUTPUT_MAX_BYTES = 16 << 20;

/**
 * Runs a program of the host, without a shell, and waits for its end.
 *
 * @returns its standard output
 * @throws {RecipeError} when it is not there, fails (with its last lines), or takes too long
 */
export async function runProgram(argv: string[], options: ProgramOptions): Promise<string> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, options);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, options.timeoutMs);
  try {
    const last: string[] = [];
    const onLine = (line: string) => {
      last.push(line);
      if (last.length > OUTPUT_KEPT_LINES) last.shift();
      options.onLine?.(line);
    };
    const [out, , status] = await Promise.all([
      readLines(child.stdout, onLine),
      readLines(child.stderr, onLine),
      child.status,
    ]);
    if (timedOut) {
      throw new RecipeError(`"${program}" did not end within ${options.timeoutMs / 1000} s`);
    }
    if (!status.success) {
      const how = status.signal ?? `exit code ${status.code}`;
      throw new RecipeError(`cannot run "${argv.join(" ")}" (${how}): ${last.join("\n").trim()}`);
    }
    return out;
  } finally {
    clearTimeout(timer);
  }
}

function spawn(program: string, args: string[], options: ProgramOptions): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { LC_ALL: "C", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "it is not installed" : String(cause);
    throw new RecipeError(`cannot run "${program}": ${reason}`, { cause });
  }
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<string> {
  let text = "", rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    if (text.length < OUTPUT_MAX_BYTES) text += piece;
    const lines = (rest + piece).split(/[\r\n]/);
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  }
  if (rest !== "") onLine(rest);
  return text;
}
