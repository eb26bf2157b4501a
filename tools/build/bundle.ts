/**
 * The program as one minified JavaScript file.
 */

import { stop, transform } from "esbuild"; // The release that `deno bundle` runs.
import { ROOT } from "../source.ts";

/** What only some commands need is loaded when they do; Deno would load what it finds by name. */
const BUILT_INTO_DENO = /\bimport\("(node:[a-z/]+)"\)/g;
/** Each module is a method that is named by its path, from here to wherever Deno's cache is. */
const MODULE_PATHS = /\b(__esm|__commonJS)\(\{\s*"[^"]*"/g;
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
  await bundleCommand(entry, output, { files: {} });
}

/** What is not in a bundle but in files beside it. */
export interface Beside {
  /** Files that are imported in place of modules, by specifiers as dynamic imports have them. */
  files: Readonly<Record<string, string>>;
  /** Modules that take the place of others, by path. */
  instead?: Readonly<Record<string, string>>;
  /** What is done with the code before it is minified. */
  change?(code: string): string;
}

/**
 * Bundles one command alone. Deno reads and V8 unpacks all of a file at each start, some 10 ms for a
 * megabyte of compiled code. What has the name of something beside the bundle, and is imported
 * statically, is bundled all the same.
 *
 * @throws {Error} as {@link bundle}
 */
export async function bundleCommand(
  entry: string,
  output: string,
  beside: Beside,
): Promise<void> {
  const needed = await write(entry, output, beside);
  if (needed.length === 0) return;
  const { files } = beside;
  if (needed.every((name) => !(name in files))) {
    throw new Error(`cannot bundle "${entry}": it imports ${needed.join(", ")}`);
  }
  const rest = Object.entries(files).filter(([name]) => !needed.includes(name));
  await bundleCommand(entry, output, { ...beside, files: Object.fromEntries(rest) });
}

/** Returns what is still imported. */
async function write(
  entry: string,
  output: string,
  { files, instead = {}, change = (code) => code }: Beside,
): Promise<string[]> {
  const external = Object.keys(files).flatMap((specifier) => ["--external", specifier]);
  const how = ["--quiet", "--platform", "browser", ...external, "-o", output];
  const map = `${output}.map.json`;
  await Deno.writeTextFile(map, JSON.stringify({ imports: importsWith(instead) }));
  await deno(["bundle", "--import-map", map, ...how, entry]);
  await Deno.remove(map);
  let code = lazyBuiltIns(await minified(change(await Deno.readTextFile(output))));
  for (const [specifier, file] of Object.entries(files)) {
    code = code.replaceAll(`import("${specifier}")`, `import((name=>name)("${file}"))`);
  }
  await Deno.writeTextFile(output, code);
  return importsIn(code);
}

/**
 * Without blanks and paths, and with short names. `deno bundle --minify` simplifies too, and then takes
 * `using lock = f(); if (lock) …` for `if (f()) …`: what should be closed stays open.
 *
 * @throws {Error} when a `using` is lost all the same
 */
export async function minified(code: string): Promise<string> {
  const how = { minifyWhitespace: true, minifyIdentifiers: true, target: "esnext" };
  const nameless = code.replaceAll(MODULE_PATHS, '$1({"m"');
  const { code: short } = await transform(nameless, { ...how, legalComments: "none" });
  await stop();
  if (usings(short) !== usings(code)) throw new Error("the bundler has lost a `using`");
  return short;
}

function usings(code: string): number {
  return code.match(/\busing\s+[\w$]+\s*=/g)?.length ?? 0;
}

/** deno.json's imports, and files in place of others. */
function importsWith(instead: Readonly<Record<string, string>>): Record<string, string> {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const url = (path: string) => `file://${path}`;
  const mapped = Object.entries(instead).map(([path, other]) => [url(path), url(other)]);
  return { ...imports, ...Object.fromEntries(mapped) };
}

/**
 * The table of commands in which only the module of one is imported; for the others another file is.
 *
 * @param directory where the table lies: its imports are relative to that
 */
export function tableOf(
  { table, module, directory, otherwise }: Record<
    "table" | "module" | "directory" | "otherwise",
    string
  >,
): string {
  return table
    .replaceAll(
      /\bimport\("\.\/([a-z_]+)\.ts"\)/g,
      (_, name) =>
        name === module
          ? `import("file://${directory}/${name}.ts")`
          : `import((name => name)("${otherwise}"))`,
    )
    .replaceAll(/ from "\.\//g, ` from "file://${directory}/`);
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

/**
 * Runs Deno; its standard error is shown.
 *
 * @returns its standard output, where that is "piped"
 */
export async function deno(
  args: string[],
  stdout: "inherit" | "piped" = "inherit",
): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout }).spawn();
  const text = stdout === "piped" ? await new Response(child.stdout).text() : "";
  const { success, code } = await child.status;
  if (!success) throw new Error(`deno ${args[0]} ended with status ${code}`);
  return text;
}
