/**
 * Makes what is given to users, in dist/:
 *
 *     deno run -A tools/build.ts [bundle|compiled|portable]...
 *
 * - `minictr.js`: the program as one file, for a Deno that is there
 * - `minictr`: one executable, by `deno compile`; where the base that this needs can neither be
 *   downloaded nor is named in DENORT_BIN, a portable one that carries Deno itself
 *
 * Without a word: the bundle, and the executable in whichever way is possible.
 */
import { bundle, deno } from "./build/bundle.ts";
import { makePortable } from "./build/portable.ts";
import { makePrograms } from "./build/programs.ts";
import { ROOT } from "./source.ts";

const DIST = `${ROOT}dist`;
const BUNDLE = `${DIST}/minictr.js`;
const EXECUTABLE = `${DIST}/minictr`;
const FLAGS = ["-A", "--quiet", "--no-config", "--no-lock", "--no-remote", "--no-npm"];

async function main(words: readonly string[]): Promise<void> {
  await Deno.mkdir(DIST, { recursive: true });
  await bundle(`${ROOT}main.ts`, BUNDLE);
  await tell(BUNDLE, "the program as one file");
  const wants = (word: string) => words.length === 0 || words.includes(word);
  if (wants("compiled") && await compiled(words.includes("compiled"))) return;
  if (wants("portable")) {
    const programs = await Deno.makeTempDir({ prefix: "minictr-build-" });
    await makePrograms(programs);
    await makePortable({ deno: Deno.execPath(), programs }, EXECUTABLE);
    await Deno.remove(programs, { recursive: true });
    await tell(EXECUTABLE, `portable: it carries Deno ${Deno.version.deno}`);
  }
}

/** Whether `deno compile` could make the executable; it fails fast where nothing can be reached. */
async function compiled(isDemanded: boolean): Promise<boolean> {
  try {
    await deno(["compile", ...FLAGS, "-o", EXECUTABLE, BUNDLE]);
  } catch (error) {
    if (isDemanded) throw error;
    const why = error instanceof Error ? error.message : String(error);
    console.log(`deno compile cannot be used here (${why}): DENORT_BIN can name its base`);
    return false;
  }
  await tell(EXECUTABLE, "compiled");
  return true;
}

async function tell(path: string, what: string): Promise<void> {
  const { size } = await Deno.stat(path);
  console.log(`${path.slice(ROOT.length)}   ${(size / 1e6).toFixed(1)} MB   ${what}`);
}

if (import.meta.main) await main(Deno.args);
