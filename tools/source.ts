/**
 * The checkout's files and the graph of its modules, for the tests that keep it tidy.
 */

/** The checkout's directory, with a slash at its end. */
export const ROOT = new URL("..", import.meta.url).pathname;

const SKIPPED = new Set([".git", "node_modules", "dist"]);

/** All files below `directory`, as paths from the checkout's root. */
export function* files(directory = ""): Generator<string> {
  for (const entry of Deno.readDirSync(ROOT + directory)) {
    if (SKIPPED.has(entry.name)) continue;
    const path = directory + entry.name;
    if (entry.isDirectory) yield* files(`${path}/`);
    else if (entry.isFile) yield path;
  }
}

/** What a module imports. */
interface Imports {
  static: string[];
  dynamic: string[];
}

/** The modules that `roots` lead to, as `deno info` sees them: paths from the checkout's root, and
 * specifiers of what lies outside it. */
export async function moduleGraph(roots: readonly string[]): Promise<Map<string, Imports>> {
  const graph = new Map<string, Imports>();
  for (const root of roots) {
    if (graph.has(root)) continue;
    for (const [path, imports] of await graphOf(root)) graph.set(path, imports);
  }
  return graph;
}

/** What is loaded when `root` is: its static imports, theirs, and so on. */
export function loadedBy(root: string, graph: Map<string, Imports>): Set<string> {
  const loaded = new Set<string>();
  const visit = (path: string) => {
    if (loaded.has(path)) return;
    loaded.add(path);
    graph.get(path)?.static.forEach(visit);
  };
  visit(root);
  return loaded;
}

/** The part of `deno info --json` that is read here. */
interface Report {
  modules: { specifier: string; dependencies?: Dependency[] }[];
}

interface Dependency {
  /** Where the code is; absent for an import of types alone. */
  code?: { specifier?: string };
  isDynamic?: boolean;
}

async function graphOf(root: string): Promise<Map<string, Imports>> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", root],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(`cannot read the graph of "${root}": ${decode(stderr)}`);
  const report: Report = JSON.parse(decode(stdout));
  return new Map(report.modules.map(({ specifier, dependencies = [] }) => {
    const targets = (isDynamic: boolean) =>
      dependencies.filter((one) => (one.isDynamic ?? false) === isDynamic)
        .map((one) => one.code?.specifier).filter((target) => target !== undefined).map(shorten);
    return [shorten(specifier), { static: targets(false), dynamic: targets(true) }];
  }));
}

function shorten(specifier: string): string {
  return specifier.replace(`file://${ROOT}`, "");
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
