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
    ["minictr start -a -i box", "as run does, at its terminal or with standard input"],
    ["minictr start --all-restartable", "what is to run at boot, by restart policy"],
  ],
  groups: [{
    name: "start",
    title: "Options",
    flags: [
      { name: "attach", short: "a", help: "stay in the foreground, as run does" },
      { name: "interactive", short: "i", help: "and hand on standard input" },
      { name: "detach-keys", value: "KEYS", help: "that leave it", default: "ctrl-p,ctrl-q" },
      {
        name: "all-restartable",
        help: "those that are to run always, or unless they were stopped",
      },
    ],
  }],
} as const satisfies Grammar;

/**
 * `minictr start`: with the same spec and files, in the background or (`-a`, `-i`) in the foreground.
 *
 * @returns 0; in the foreground its exit status
 */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseCommandLine(START, args);
  if (help) {
    console.log((await import("./help.ts")).helpText(START));
    return 0;
  }
  const roots = rootsBelow(root);
  const { startAgain } = await import("../container/start_again.ts");
  if (flags.attach || flags.interactive) {
    const { startInForeground } = await import("./start_attached.ts");
    return await startInForeground(roots, operands, {
      interactive: flags.interactive,
      detachKeys: flags["detach-keys"],
    });
  }
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
