/**
 * The portable executable, for the tests of how it behaves in places that are unlike a developer's.
 */
import { output } from "../../tools/build/target.ts";
import { PROJECT, RUN_DIRECTORY } from "./run.ts";

let made: Promise<string> | undefined;

/** Its path: the one that MINICTR names, or one that is built once for a run of the suite. */
export function portableFile(): Promise<string> {
  const named = Deno.env.get("MINICTR");
  if (named !== undefined && !named.includes(" ") && isScript(named)) return Promise.resolve(named);
  return made ??= build();
}

/**
 * A copy of it, made unless it is there; returns its path. Another process writes it: a child of this
 * one that is just born would hold it open for writing, and it could not be executed (ETXTBSY).
 */
export async function portableCopy(to: string): Promise<string> {
  if (!await Deno.stat(to).catch(() => false)) await output(["cp", await portableFile(), to], "/");
  return to;
}

function isScript(path: string): boolean {
  using file = Deno.openSync(path);
  const start = new Uint8Array(2);
  return file.readSync(start) === 2 && new TextDecoder().decode(start) === "#!";
}

async function build(): Promise<string> {
  const to = `${RUN_DIRECTORY}/dist`;
  const build = [Deno.execPath(), "run", "-A", "--no-lock", "--cached-only", "tools/build.ts"];
  await output([...build, "--to", to, "portable"], PROJECT);
  return `${to}/minictr`;
}
