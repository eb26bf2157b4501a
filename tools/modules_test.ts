import assert from "assert";
import { files, loadedBy, moduleGraph } from "./source.ts";

/** Each module costs some 0.1 ms at every start. */
const LIMIT = 80;

/** Commands that engines and scripts start for every container. */
const HOT = ["run", "exec", "create", "start"];

const paths = [...files()];

for (const command of HOT) {
  const module = `src/cli/${command}.ts`;
  if (!paths.includes("main.ts") || !paths.includes(module)) continue;

  Deno.test(`${command} loads at most ${LIMIT} modules, and none of Node's`, async () => {
    const graph = await moduleGraph(["main.ts", module]);
    const loaded = [...loadedBy("main.ts", graph), ...loadedBy(module, graph)];
    const own = new Set(loaded);
    assert.deepEqual([...own].filter((path) => path.startsWith("node:")), []);
    assert.ok(own.size <= LIMIT, `${own.size} modules:\n${[...own].join("\n")}`);
  });
}
