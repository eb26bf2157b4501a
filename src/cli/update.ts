import { rootsBelow } from "../container/mod.ts";
import { type Change, updateContainer } from "../container/update.ts";
import { forEach } from "./containers.ts";
import { type Grammar, parsed, wrongUse } from "./grammar.ts";
import { hostLookups } from "./host.ts";
import { parseInterspersed } from "./interspersed.ts";
import { helped } from "./lifecycle.ts";
import { RESOURCES } from "./resource_flags.ts";
import { parseRestart } from "./spec_lasting.ts";
import { resourcesOf } from "./spec_resources.ts";

/** `update`: the limits of `run`, but for what only a new cgroup can be given. */
export const UPDATE = {
  command: "update",
  operands: "CONTAINER…",
  summary: "Change the limits and the restart policy of containers",
  examples: [
    ["minictr update --memory 512m --cpus 1.5 web", "at once, and at each start from now on"],
    ["minictr update --restart unless-stopped web", "when it has ended next"],
  ],
  groups: [
    {
      name: "policy",
      title: "Options",
      flags: [{
        name: "restart",
        value: "POLICY",
        help: "start it again: no, always, unless-stopped, on-failure[:N]",
      }],
    },
    RESOURCES,
  ],
} as const satisfies Grammar;

/** `minictr update` */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const line = parseInterspersed(UPDATE, args);
  if (helped(UPDATE, line.help)) return 0;
  const { flags, given, operands } = line;
  if (given.size === 0) throw wrongUse(UPDATE, '"update" needs something to change');
  if (given.has("cgroup-parent") || given.has("oom-kill-disable")) {
    throw wrongUse(UPDATE, "--cgroup-parent and --oom-kill-disable are for a new container");
  }
  const roots = rootsBelow(root);
  const change = changeOf(line, flags.restart, roots);
  return await forEach(UPDATE, roots, operands, (known) => updateContainer(roots, known, change));
}

function changeOf(
  { flags }: ReturnType<typeof parseInterspersed<typeof UPDATE>>,
  restart: string | undefined,
  roots: ReturnType<typeof rootsBelow>,
): Change {
  // Without a default for swap: what it follows from is the container's.
  const context = { ...hostLookups(roots), swapAccounting: false };
  const resources = resourcesOf({ line: { flags }, context });
  if (restart === undefined) return { resources };
  return { resources, restart: parsed("--restart", restart, parseRestart) ?? null };
}
