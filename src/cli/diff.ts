import { changesOf } from "../container/changes.ts";
import { ContainerError, pick } from "../container/find.ts";
import { type Known, knownContainers } from "../container/list.ts";
import { specOf } from "../container/mounts.ts";
import { rootsBelow } from "../container/state.ts";
import { shown } from "../image/mod.ts";
import type { RootSource } from "../plan/mod.ts";
import type { Spec } from "../spec/mod.ts";
import { type Grammar, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { parseInterspersed } from "./interspersed.ts";
import { print } from "./output.ts";

/** `diff` */
export const DIFF = {
  command: "diff",
  operands: "CONTAINER",
  summary: "Print what a container has added (A), changed (C) and deleted (D)",
  examples: [["minictr diff web", "C /etc, A /etc/new, D /etc/old"]],
  groups: [],
} as const satisfies Grammar;

/** `minictr diff` */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { operands: [name, extra], help } = parseInterspersed(DIFF, args);
  if (help) {
    print(`${helpText(DIFF)}\n`);
    return 0;
  }
  if (name === undefined || extra !== undefined) throw wrongUse(DIFF, '"diff" takes a container');
  const roots = rootsBelow(root);
  const known = pick(knownContainers(roots), name);
  const spec = await specOf(roots, known);
  const made = (spec?.mounts ?? []).map(({ destination }) => destination);
  const changes = changesOf(layersOf(known, spec), made);
  print(changes.map(({ kind, path }) => `${kind} ${plain(path)}\n`).join(""));
  return 0;
}

function layersOf(
  { name, definition, state }: Known,
  spec: Spec | undefined,
): Extract<RootSource, { kind: "overlay" }> {
  const root = definition?.root;
  if (root?.kind === "overlay") return root;
  const layer = state?.layer, lower = spec?.root?.path;
  if (layer !== undefined && lower !== undefined) {
    const [upper, work] = [`${layer}/upper`, `${layer}/work`];
    return { kind: "overlay", lower: [lower], upper, work, volatile: true };
  }
  throw new ContainerError(
    `container "${name}" has no layer of its own: it changes its root filesystem itself`,
  );
}

/** A name as text; in quotes where a terminal would take it for something else. */
function plain(path: string): string {
  const quoted = shown(path);
  return quoted.slice(1, -1) === path && !/[\p{Cc}]/u.test(path) ? path : quoted;
}
