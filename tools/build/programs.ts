/**
 * The JavaScript of the portable executable: a file for each command that containers are started with,
 * one for all others, and pieces that few starts need.
 */
import { moduleGraph, ROOT } from "../source.ts";
import { bundle, bundleCommand, tableOf } from "./bundle.ts";
import {
  borrower,
  lending,
  type Lent,
  type Piece,
  piecesOf,
  refuseNamesakes,
  specifiersOf,
} from "./pieces.ts";

/** Commands that have a file of their own, and the module of each. */
export const HOT: Readonly<Record<string, string>> = {
  run: "run",
  exec: "exec",
  create: "create",
  start: "start",
  ended: "ended",
  ps: "ps",
  stop: "lifecycle",
  rm: "lifecycle",
};

/**
 * V8's flags for them: all functions come compiled from the cache, none runs long enough to be compiled
 * better, and no memory is collected meanwhile.
 */
export const HOT_V8_FLAGS = "--no-lazy,--max-opt=0,--min-semi-space-size=16";

/** What they load on some starts only. */
const PIECES = [
  "src/cli/detach.ts",
  "src/cli/explain.ts",
  "src/cli/help.ts",
  "src/cli/trace.ts",
  "src/container/networking.ts",
  "src/container/settle.ts",
  "src/container/user_namespace.ts",
  "src/container/volumes.ts",
  "src/network/batch.ts",
  "src/network/creation.ts",
  "src/network/port_choice.ts",
  "src/plan/attributes.ts",
  "src/plan/seccomp/compile.ts",
  "src/plan/seccomp/profile_file.ts",
];

/** Keeps the program from ending, so that Deno stores what V8 has compiled. */
const STAY = "Deno.exit = () => {};\n";

/**
 * Empties the logs that Deno leaves beside its caches, which SQLite would otherwise read whole at
 * every start; the `wal_checkpoint` pragma of SQLite.
 */
const SETTLE = `import { DatabaseSync } from "node:sqlite";
for (const directory of Deno.args) {
  for (const { name } of Deno.readDirSync(directory)) {
    if (!/_cache_v\\d+$/.test(name)) continue;
    // Another first run may be at it: then one of both waits for the other.
    const database = new DatabaseSync(\`\${directory}/\${name}\`, { timeout: 10_000 });
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
  }
}
`;

const MAIN = "main.ts", COMMANDS = "src/cli/mod.ts";
/** The whole program, from the beginning: what is not found it builds. */
const AGAIN = "./again.js", FIRST_ROOTFS = "src/cli/first_rootfs.ts";

/**
 * Writes all files into a directory.
 *
 * @returns their names
 */
export async function makePrograms(directory: string): Promise<string[]> {
  await bundle(`${ROOT}${MAIN}`, `${directory}/whole.js`);
  await bundle(`${ROOT}tools/build/again.ts`, `${directory}/${AGAIN}`);
  const graph = await moduleGraph([MAIN]);
  refuseNamesakes(PIECES, graph);
  for (const command of Object.keys(HOT)) await makeCommand(command, directory, graph);
  await Deno.writeTextFile(`${directory}/stay.js`, STAY);
  await Deno.writeTextFile(`${directory}/settle.js`, SETTLE);
  return Array.from(Deno.readDirSync(directory), ({ name }) => name).sort();
}

/** A command's file, those of its pieces, and `COMMAND.pieces.js`, which loads all of them. */
async function makeCommand(
  command: string,
  directory: string,
  graph: Awaited<ReturnType<typeof moduleGraph>>,
): Promise<void> {
  const module = HOT[command] ?? command;
  const isElsewhere = (path: string) => path === COMMANDS || path === FIRST_ROOTFS;
  const pieces = piecesOf([MAIN, `src/cli/${module}.ts`], PIECES, { graph, isElsewhere });
  const nameOf = ({ path }: Piece) => fileOf(path, command);
  const files = Object.fromEntries([
    ...pieces.flatMap((piece) => specifiersOf(piece.path).map((name) => [name, nameOf(piece)])),
    ...specifiersOf(FIRST_ROOTFS).map((name) => [name, AGAIN]),
  ]);
  const scratch = await Deno.makeTempDir({ prefix: "minictr-build-" });
  try {
    const output = `${directory}/${command}.js`;
    const table = tableOf({
      table: Deno.readTextFileSync(`${ROOT}${COMMANDS}`),
      module,
      directory: `${ROOT}src/cli`,
      otherwise: AGAIN,
    });
    const own = `${scratch}/table.ts`;
    const make = async (lent: Lent) => {
      await Deno.writeTextFile(own, table + lending(lent));
      await bundleCommand(`${ROOT}${MAIN}`, output, {
        files,
        instead: { [`${ROOT}${COMMANDS}`]: own },
      });
    };
    await make(new Map()); // Only then it is known which pieces it comes to load.
    const lent: Lent = new Map();
    const made: string[] = [output];
    for (const at of made) {
      const code = await Deno.readTextFile(at);
      for (const piece of pieces) {
        const its = `${directory}/${nameOf(piece)}`;
        if (made.includes(its) || !code.includes(`("${nameOf(piece)}")`)) continue;
        const how = await borrower(piece, lent, scratch);
        const all = { ...files, ...how.files };
        await bundleCommand(`${ROOT}${piece.path}`, its, { ...how, files: all });
        made.push(its);
      }
    }
    if (lent.size > 0) await make(lent);
    const text = made.map((path) => `import "${path.replace(directory, ".")}";\n`).join("");
    await Deno.writeTextFile(`${directory}/${command}.pieces.js`, text);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** "src/container/networking.ts" → "./run.networking.js" */
function fileOf(path: string, command: string): string {
  return path.replace(/^.*\//, `./${command}.`).replace(/ts$/, "js");
}
