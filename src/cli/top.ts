import { readCgroupHost } from "../cgroup/host.ts";
import { processIds } from "../cgroup/processes.ts";
import { pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import { readProcesses } from "../container/process_table.ts";
import { rootsBelow } from "../container/state.ts";
import { running } from "../container/stop.ts";
import { type Grammar, parseCommandLine, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { print } from "./output.ts";
import { aligned } from "./table.ts";
import { type Around, columnNames, columnsFor } from "./top_columns.ts";

/** `top` */
export const TOP = {
  command: "top",
  operands: "CONTAINER [-ef|aux|-o COLUMN,…]",
  summary: "Print the processes of a container, as the host sees them",
  examples: [
    ["minictr top web", "as ps -ef"],
    ["minictr top web -o pid,user,rss,args", "columns of one's choice"],
  ],
  groups: [],
} as const satisfies Grammar;

/** `minictr top`: the processes of a container with docker's columns, which are those of ps(1). */
export function run(args: string[], root: string | undefined): Promise<number> {
  const { operands: [name, ...options], help } = parseCommandLine(TOP, args);
  if (help) {
    print(`${helpText(TOP)}\n`);
    return Promise.resolve(0);
  }
  if (name === undefined) throw wrongUse(TOP, '"top" needs a container');
  const columns = columnsFor(options);
  if (!columns) {
    throw wrongUse(
      TOP,
      `"${options.join(" ")}": of ps's options there are -ef, aux, and -o with ${
        columnNames().join(", ")
      }`,
    );
  }
  const roots = rootsBelow(root);
  const { cgroup } = running(roots, pick(knownContainers(roots), name));
  const processes = readProcesses(processIds(readCgroupHost(), cgroup));
  const around = surroundings();
  print(aligned([
    columns.map(({ heading }) => heading),
    ...processes.map((process) => columns.map((column) => column.of(process, around))),
  ]));
  return Promise.resolve(0);
}

function surroundings(): Around {
  const [users, groups] = [namesIn("/etc/passwd"), namesIn("/etc/group")];
  return {
    nowMs: Date.now(),
    memoryBytes: memoryBytes(),
    userName: (uid) => users.get(uid) ?? String(uid),
    groupName: (gid) => groups.get(gid) ?? String(gid),
  };
}

/** The host's memory; proc_meminfo(5). */
export function memoryBytes(): number {
  return Number(/^MemTotal: +(\d+)/m.exec(Deno.readTextFileSync("/proc/meminfo"))?.[1] ?? 0) * 1024;
}

/** The names of the host's ids, as docker shows them; passwd(5), group(5). */
function namesIn(file: string): Map<number, string> {
  const names = new Map<number, string>();
  try {
    for (const line of Deno.readTextFileSync(file).split("\n")) {
      const [name, , id] = line.split(":");
      if (name && id && !names.has(Number(id))) names.set(Number(id), name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names;
}
