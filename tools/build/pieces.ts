/**
 * Pieces: what a command loads on some starts only, in files beside its own. A piece is built for one
 * command, and takes from it whatever modules the command has loaded by then: none is there twice, so
 * that a piece is small, and a class is the same class in both.
 */
import { loadedBy, ROOT } from "../source.ts";
import type { Beside } from "./bundle.ts";

type Graph = Parameters<typeof loadedBy>[1];

/** A piece as it is built for a command. */
export interface Piece {
  /** "src/container/networking.ts" */
  path: string;
  /** The modules that it takes from the command. */
  borrowed: string[];
}

/** Where a command puts modules for its pieces; a property for each path. */
const SHELF = "globalThis.minictr";

/** Re-exports, and constants of which each user needs a few: to have them twice costs less. */
const PLAIN = /\/(mod|constants)\.ts$/;

/**
 * The pieces that a command can come to load, from itself or from one another.
 *
 * @param roots modules that are in the command's file
 * @param pieces by path; one that the command loads at once is none
 * @param isElsewhere whether a module is in neither
 */
export function piecesOf(
  roots: readonly string[],
  pieces: readonly string[],
  { graph, isElsewhere }: { graph: Graph; isElsewhere(path: string): boolean },
): Piece[] {
  const own = new Set(roots.flatMap((root) => [...loadedBy(root, graph)]));
  const found = new Map<string, Set<string>>();
  const isPiece = (path: string) => pieces.includes(path) && !own.has(path);
  const walk = (path: string, seen: Set<string>, borrowed: Set<string>) => {
    if (seen.has(path) || isElsewhere(path)) return;
    seen.add(path);
    const { static: now, dynamic: later } = graph.get(path) ?? { static: [], dynamic: [] };
    for (const next of [...now, ...later]) {
      if (own.has(next) && !PLAIN.test(next)) borrowed.add(next);
      else if (later.includes(next) && isPiece(next)) begin(next);
      else walk(next, seen, borrowed);
    }
  };
  const begin = (path: string) => {
    if (found.has(path)) return;
    const borrowed = new Set<string>();
    found.set(path, borrowed);
    walk(path, new Set(), borrowed);
  };
  const none = new Set<string>(), seen = new Set<string>();
  for (const path of own) walk(path, seen, none);
  return [...found].map(([path, borrowed]) => ({ path, borrowed: [...borrowed].sort() }))
    .sort((one, other) => one.path < other.path ? -1 : 1);
}

/** What a module is called by dynamic imports: of its own folder, and of another beside that. */
export function specifiersOf(path: string): string[] {
  const [name = "", folder = ""] = path.split("/").reverse();
  return [`./${name}`, `../${folder}/${name}`];
}

/**
 * The bundler knows a piece by the specifier alone, so that nothing else may be imported by the same.
 *
 * @throws {Error} when something is
 */
export function refuseNamesakes(pieces: readonly string[], graph: Graph): void {
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));
  for (const [from, { dynamic }] of graph) {
    for (const to of dynamic) {
      const [near = "", far = ""] = specifiersOf(to);
      const specifier = folderOf(from) === folderOf(to) ? near : far;
      const other = pieces.find((path) => path !== to && specifiersOf(path).includes(specifier));
      if (other === undefined) continue;
      throw new Error(`cannot build "${other}" as a piece: "${from}" imports "${to}" by its name`);
    }
  }
}

/** Names that pieces take, by the modules that they are of. */
export type Lent = Map<string, Set<string>>;

/**
 * How a piece is bundled, so that it takes what it borrows from the shelf.
 *
 * @param lent is told what that is
 * @param scratch a directory for what takes the place of modules
 */
export async function borrower(piece: Piece, lent: Lent, scratch: string): Promise<Beside> {
  const files: Record<string, string> = {}, instead: Record<string, string> = {};
  for (const path of piece.borrowed) {
    const specifier = `./lent/${path}`;
    const names = Object.keys(await import(`${ROOT}${path}`));
    const standIn = `${scratch}/${path.replaceAll("/", ".")}`;
    await Deno.writeTextFile(standIn, `export { ${names.join(", ")} } from "${specifier}";\n`);
    files[specifier] = specifier;
    instead[`${ROOT}${path}`] = standIn;
  }
  return { files, instead, change: (code) => borrowing(code, lent) };
}

const LENT_IMPORT = /^import \{([^}]*)\} from "\.\/lent\/([^"]+)";$/gm;

/**
 * Has a bundled piece take from the shelf what it imports and uses.
 *
 * @param lent is told which names those are
 */
export function borrowing(code: string, lent: Lent): string {
  const lists: [path: string, names: string[][]][] = [];
  const rest = code.replaceAll(LENT_IMPORT, (_, list, path) => {
    lists.push([path, String(list).split(",").map((one) => one.trim().split(" as "))]);
    return "";
  });
  const words = new Set(rest.match(/[\w$]+/g));
  const taken = lists.map(([path, all]) => {
    const names = all.filter((one) => words.has(one.at(-1) ?? ""));
    if (names.length === 0) return "";
    const known = lent.get(path) ?? new Set();
    lent.set(path, known);
    for (const [name = ""] of names) known.add(name);
    return `const { ${names.map((one) => one.join(": ")).join(", ")} } = ${SHELF}["${path}"];\n`;
  });
  return taken.join("") + rest; // In front, as imports are carried out.
}

/** Code that puts on the shelf what pieces take. */
export function lending(lent: Lent): string {
  const modules = [...lent].sort(([one], [other]) => one < other ? -1 : 1);
  const imports = modules.map(([path, names], at) => {
    const list = [...names].sort().map((name) => `${name} as lent${at}_${name}`);
    return `import { ${list.join(", ")} } from "file://${ROOT}${path}";\n`;
  });
  const entries = modules.map(([path, names], at) => {
    const list = [...names].sort().map((name) => `${name}: lent${at}_${name}`);
    return `  "${path}": { ${list.join(", ")} },\n`;
  });
  return `${imports.join("")}${SHELF} = {\n${entries.join("")}};\n`;
}
