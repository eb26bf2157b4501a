/**
 * The program as one minified JavaScript file.
 */

/** What only some commands need is loaded when they do; Deno would load what it finds by name. */
const BUILT_INTO_DENO = /\bimport\("(node:[a-z/]+)"\)/g;
/** A package that wants Node's ReadableStream when it takes itself for CommonJS. */
const STREAMS = /\b[\w$]+\("node:stream\/web"\)/g;

/**
 * Bundles `entry` into `output`. Every module is in it, and runs when it is first imported.
 *
 * For a browser, as for Deno the bundler would load `node:module` at every start (10 ms).
 *
 * @throws {Error} when something is left that is looked for elsewhere at run time
 */
export async function bundle(entry: string, output: string): Promise<void> {
  await whollyWritten(entry, output, [], "");
}

/**
 * Bundles what containers are started with alone, next to a bundle of all, `whole`: in place of any
 * of the modules `left` that one is imported, and begins anew. Deno reads and V8 unpacks all of a
 * file at each start, some 10 ms for a megabyte of compiled code.
 *
 * @param left specifiers as they are written in dynamic imports: "./doctor.ts"; what has such a name
 * and is imported statically is bundled all the same
 * @throws {Error} as {@link bundle}
 */
export async function bundleHot(
  entry: string,
  output: string,
  { left, whole }: { left: string[]; whole: string },
): Promise<void> {
  const needed = await write(entry, output, left, whole);
  if (needed.length === 0) return;
  await whollyWritten(entry, output, left.filter((name) => !needed.includes(name)), whole);
}

async function whollyWritten(
  entry: string,
  output: string,
  left: string[],
  whole: string,
): Promise<void> {
  const rest = await write(entry, output, left, whole);
  if (rest.length > 0) throw new Error(`cannot bundle "${entry}": it imports ${rest.join(", ")}`);
}

/** Returns what is still imported. */
async function write(
  entry: string,
  output: string,
  left: string[],
  whole: string,
): Promise<string[]> {
  const external = left.flatMap((specifier) => ["--external", specifier]);
  const how = ["--quiet", "--minify", "--platform", "browser", ...external, "-o", output];
  await deno(["bundle", ...how, entry]);
  let code = lazyBuiltIns(await Deno.readTextFile(output));
  for (const specifier of left) {
    code = code.replaceAll(`import("${specifier}")`, `import((name=>name)("${whole}"))`);
  }
  await Deno.writeTextFile(output, code);
  return importsIn(code);
}

/** The modules that a module imports when it needs them, but for those of the commands `kept`. */
export function leftOut(source: string, kept: readonly string[]): string[] {
  const found = source.matchAll(/\bimport\("(\.\/([a-z_]+)\.ts)"\)/g);
  const names = Array.from(found).filter(([, , name = ""]) => !kept.includes(name));
  return [...new Set(names.map(([, specifier = ""]) => specifier))];
}

/** Hides the names of modules that are built into Deno from what Deno loads in advance. */
export function lazyBuiltIns(code: string): string {
  return code
    .replaceAll(BUILT_INTO_DENO, (_, name) => `import((name=>name)("${name}"))`)
    .replaceAll(STREAMS, "globalThis");
}

/** The specifiers that Deno would load before the program runs. */
export function importsIn(code: string): string[] {
  const found = code.matchAll(/\bimport\s*(?:\(\s*|(?:[\w$*{][^;"'()]*from\s*)?)["']([^"']+)["']/g);
  return Array.from(found, ([, name = ""]) => name);
}

/** Runs Deno; its standard error is shown. */
export async function deno(args: string[], env: Record<string, string> = {}): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), { args, env, stdin: "null" }).spawn();
  const { success, code } = await child.status;
  if (!success) throw new Error(`deno ${args[0]} ended with status ${code}`);
}
