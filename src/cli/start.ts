import { rootsBelow } from "../container/state.ts";
import { forEach } from "./containers.ts";
import { type Grammar, parseCommandLine } from "./grammar.ts";

/** `start` */
export const START = {
  command: "start",
  operands: "CONTAINER…",
  summary: "Start containers that were created, or have ended",
  examples: [
    ["minictr start web", "with the same spec and files"],
    ["minictr start --all-restartable", "what is to run at boot, by restart policy"],
  ],
  groups: [{
    name: "start",
    title: "Options",
    flags: [
      {
        name: "all-restartable",
        help: "those that are to run always, or unless they were stopped",
      },
    ],
  }],
} as const satisfies Grammar;

/** `minictr start`: in the background, with the same spec and files. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseCommandLine(START, args);
  if (help) {
    console.log((await import("./help.ts")).helpText(START));
    return 0;
  }
  const roots = rootsBelow(root);
  const { startAgain } = await import("../container/start_again.ts");
  let names = operands;
  if (flags["all-restartable"]) {
    const { restartable } = await import("../container/restart.ts");
    names = [...operands, ...restartable(roots)];
    if (names.length === 0) return 0;
  }
  return await forEach(START, roots, names, async (known) => {
    await startAgain(roots, known);
  });
}
