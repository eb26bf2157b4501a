import { ContainerError, pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import { type Roots, rootsBelow } from "../container/mod.ts";
import { type Grammar, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { parseInterspersed } from "./interspersed.ts";
import { inspected, print, type Row } from "./output.ts";
import { SomeFailed } from "./containers.ts";

/** `inspect` */
export const INSPECT = {
  command: "inspect",
  operands: "NAME…",
  summary: "Print all that is known of containers, networks and volumes",
  examples: [
    ["minictr inspect web", "as JSON"],
    ["minictr inspect -f '{{.State.Status}} {{.State.Pid}}' web", "what a template picks"],
    [
      "minictr inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' web",
      "its addresses",
    ],
  ],
  groups: [{
    name: "inspect",
    title: "Options",
    flags: [
      { name: "format", short: "f", value: "FORMAT", help: "json, or a template of Go" },
      {
        name: "type",
        value: "KIND",
        help: "only things of this kind",
        choices: ["container", "network", "volume"],
      },
    ],
  }],
} as const satisfies Grammar;

type Find = (roots: Roots, name: string) => Promise<Row | undefined>;

/** In this order: a name is looked for as a container's first. */
const KINDS: readonly [kind: string, find: Find][] = [
  ["container", container],
  ["network", async (roots, name) => (await import("./network_rows.ts")).described(roots, name)],
  ["volume", async (roots, name) => (await import("./volume_command.ts")).described(roots, name)],
];

/** `minictr inspect`: all that is known of containers and other things, as JSON or by a template. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseInterspersed(INSPECT, args);
  if (help) {
    print(`${helpText(INSPECT)}\n`);
    return 0;
  }
  if (operands.length === 0) throw wrongUse(INSPECT, '"inspect" needs a name');
  const roots = rootsBelow(root);
  const found: Row[] = [];
  const failures: unknown[] = [];
  for (const name of operands) {
    const thing = await find(roots, name, flags.type);
    if (thing) found.push(thing);
    else {failures.push(
        new ContainerError(`there is no ${flags.type ?? "container, network or volume"} "${name}"`),
      );}
  }
  print(await inspected(found, flags.format));
  if (failures.length > 0) throw new SomeFailed(failures);
  return 0;
}

async function find(
  roots: Roots,
  name: string,
  type: string | undefined,
): Promise<Row | undefined> {
  for (const [kind, look] of KINDS) {
    if (type !== undefined && type !== kind) continue;
    const thing = await look(roots, name);
    if (thing) return thing;
  }
  return undefined;
}

async function container(roots: Roots, name: string): Promise<Row | undefined> {
  const { describe } = await import("./describe.ts");
  try {
    return await describe(roots, pick(knownContainers(roots), name));
  } catch (error) {
    const isMissing = error instanceof ContainerError && error.message.startsWith("there is no");
    if (isMissing) return undefined;
    throw error;
  }
}
