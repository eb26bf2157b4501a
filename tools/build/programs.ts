/**
 * The JavaScript of the portable executable: a file for each command that containers are started with,
 * one for all others, and pieces that few starts need.
 */
import { bundle, bundleCommand, tableOf } from "./bundle.ts";
import { ROOT } from "../source.ts";

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

/** What they load on some starts only. A piece has classes of its own: nothing here may throw what a
 * command recognises by its class, as the compiler of seccomp profiles does. */
const PIECES = [
  "src/cli/explain.ts",
  "src/cli/help.ts",
  "src/cli/trace.ts",
  "src/container/networking.ts",
  "src/container/user_namespace.ts",
  "src/container/volumes.ts",
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
    const database = new DatabaseSync(\`\${directory}/\${name}\`);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
  }
}
`;

/**
 * Writes all files into a directory.
 *
 * @returns their names
 */
export async function makePrograms(directory: string): Promise<string[]> {
  const main = `${ROOT}main.ts`;
  const commands = `${ROOT}src/cli/mod.ts`;
  const table = Deno.readTextFileSync(commands);
  const again = "./again.js";
  const pieces = PIECES.flatMap((path) => {
    const [name = "", folder = ""] = path.split("/").reverse();
    return [`./${name}`, `../${folder}/${name}`].map((specifier) => [specifier, fileOf(path)]);
  });
  const files = Object.fromEntries([...pieces, ["./first_rootfs.ts", again]]);
  await bundle(main, `${directory}/whole.js`);
  await bundle(`${ROOT}tools/build/again.ts`, `${directory}/again.js`);
  for (const [command, module] of Object.entries(HOT)) {
    const own = `${directory}/${command}.ts`;
    const text = tableOf({ table, module, directory: `${ROOT}src/cli`, otherwise: again });
    await Deno.writeTextFile(own, text);
    await bundleCommand(main, `${directory}/${command}.js`, {
      files,
      instead: { [commands]: own },
    });
    await Deno.remove(own);
  }
  for (const path of PIECES) await bundle(`${ROOT}${path}`, `${directory}/${fileOf(path)}`);
  const all = PIECES.map((path) => `import "${fileOf(path)}";\n`).join("");
  await Deno.writeTextFile(`${directory}/pieces.js`, all);
  await Deno.writeTextFile(`${directory}/stay.js`, STAY);
  await Deno.writeTextFile(`${directory}/settle.js`, SETTLE);
  return Array.from(Deno.readDirSync(directory), ({ name }) => name).sort();
}

/** "src/container/networking.ts" → "./networking.js" */
function fileOf(path: string): string {
  return path.replace(/^.*\//, "./").replace(/ts$/, "js");
}
