import { noteEvent } from "../container/events.ts";
import { rootsBelow } from "../container/mod.ts";
import { startAgain } from "../container/start_again.ts";
import { stopContainer } from "../container/stop.ts";
import { forEach } from "./containers.ts";
import { parseCommandLine } from "./grammar.ts";
import { helped, howToStop } from "./lifecycle.ts";
import { STOP } from "./lifecycle_flags.ts";

/** `restart` */
export const RESTART = {
  ...STOP,
  command: "restart",
  summary: "Stop containers and start them again",
  examples: [["minictr restart -t 2 web", "one that does not run is only started"]],
} as const;

/** `minictr restart` */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseCommandLine(RESTART, args);
  if (helped(RESTART, help)) return 0;
  const roots = rootsBelow(root);
  const how = howToStop(flags);
  return await forEach(RESTART, roots, operands, async (known) => {
    const { signal, timeoutMs } = how(known);
    if (known.definition) await stopContainer(roots, known, signal, timeoutMs);
    await startAgain(roots, known);
    if (known.definition) noteEvent(roots, "restart", known.definition);
  });
}
