import { notice } from "../container/console.ts";
import { pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import { rootsBelow } from "../container/state.ts";
import { type Grammar, parseCommandLine, wrongUse } from "./grammar.ts";

/** `attach` */
export const ATTACH = {
  command: "attach",
  operands: "CONTAINER",
  summary: "Show what a running container writes, and type into it",
  examples: [
    ["minictr attach web", "Ctrl-P Ctrl-Q leaves it running, if it has a terminal"],
    ["minictr attach --no-stdin --sig-proxy=false web", "only look; Ctrl-C ends no more than this"],
  ],
  groups: [{
    name: "attach",
    title: "Options",
    flags: [
      { name: "no-stdin", help: "hand on no input" },
      { name: "sig-proxy", help: "hand on signals, unless it has a terminal", default: "true" },
      {
        name: "detach-keys",
        value: "KEYS",
        help: "keys that leave it running",
        default: "ctrl-p,ctrl-q",
      },
    ],
  }],
} as const satisfies Grammar;

/** `minictr attach`: returns the container's exit status; 0 if it was left running. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, given, operands: [name, extra], help } = parseCommandLine(ATTACH, args);
  if (help) {
    console.log((await import("./help.ts")).helpText(ATTACH));
    return 0;
  }
  if (name === undefined) throw wrongUse(ATTACH, '"attach" needs a container');
  if (extra !== undefined) {
    throw wrongUse(ATTACH, `"attach" is for one container, not also "${extra}"`);
  }
  const { detachKeysOf } = await import("./detach.ts");
  const keys = await detachKeysOf(flags["detach-keys"]);
  const roots = rootsBelow(root);
  const known = pick(knownContainers(roots), name);
  const { attachTo } = await import("../container/attach.ts");
  const status = await attachTo(known, {
    roots,
    stdin: !flags["no-stdin"],
    keys,
    signals: flags["sig-proxy"] || !given.has("sig-proxy"),
  });
  if (status === undefined) {
    notice(`left container "${known.name}" running`);
  }
  return status ?? 0;
}
