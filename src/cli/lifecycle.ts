import { readCgroupHost } from "../cgroup/host.ts";
import { freeze, thaw } from "../cgroup/mod.ts";
import { ContainerError, pick } from "../container/find.ts";
import { knownContainers, statusOf } from "../container/list.ts";
import { rootsBelow } from "../container/mod.ts";
import { forEach } from "./containers.ts";
import { type Grammar, parseCommandLine, parsed, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { KILL, PAUSE, RM, START, STOP, UNPAUSE, WAIT } from "./lifecycle_flags.ts";
import { parseInteger } from "./number.ts";
import { parseSignal } from "./signal.ts";

const DEFAULT_STOP_SIGNAL = 15, DEFAULT_STOP_MS = 10_000, SIGKILL = 9, DAY_SECONDS = 86_400;

type Run = (args: string[], root: string | undefined) => Promise<number>;

/** Prints the help of a command if it was asked for. */
function helped(grammar: Grammar, help: boolean): boolean {
  if (help) console.log(helpText(grammar));
  return help;
}

/** `minictr stop` */
export const stop: Run = async (args, root) => {
  const { flags, operands, help } = parseCommandLine(STOP, args);
  if (helped(STOP, help)) return 0;
  const { stopContainer } = await import("../container/stop.ts");
  const seconds = flags.time === undefined
    ? undefined
    : parsed("--time", flags.time, (text) => parseInteger(text, 0, DAY_SECONDS));
  const asked = flags.signal === undefined
    ? undefined
    : parsed("--signal", flags.signal, parseSignal);
  return await forEach(STOP, rootsBelow(root), operands, async (known) => {
    const { definition } = known;
    const signal = asked ?? definition?.stopSignal ?? DEFAULT_STOP_SIGNAL;
    const timeoutMs = seconds === undefined
      ? definition?.stopTimeoutMs ?? DEFAULT_STOP_MS
      : seconds * 1000;
    await stopContainer(known, signal, timeoutMs);
  });
};

/** `minictr kill` */
export const kill: Run = async (args, root) => {
  const { flags, operands, help } = parseCommandLine(KILL, args);
  if (helped(KILL, help)) return 0;
  const { sendSignal } = await import("../container/stop.ts");
  const { signal: text } = flags;
  const signal = text === undefined ? SIGKILL : parsed("--signal", text, parseSignal);
  return await forEach(KILL, rootsBelow(root), operands, (known) => sendSignal(known, signal));
};

/** `minictr rm` */
export const rm: Run = async (args, root) => {
  const { flags, operands, help } = parseCommandLine(RM, args);
  if (helped(RM, help)) return 0;
  const roots = rootsBelow(root);
  const { removeContainer } = await import("../container/remove.ts");
  return await forEach(RM, roots, operands, async (known) => {
    await removeContainer(roots, known, flags.force);
    const { definition } = known;
    if (definition && (flags.volumes || definition.remove)) {
      await (await import("../container/detached.ts")).dropAnonymous(roots, definition);
    }
  });
};

/** `minictr pause` */
export const pause: Run = async (args, root) => {
  const grammar = PAUSE;
  const line = parseCommandLine(grammar, args);
  if (helped(grammar, line.help)) return 0;
  const { running } = await import("../container/stop.ts");
  return await forEach(grammar, rootsBelow(root), line.operands, (known) => {
    freeze(readCgroupHost(), running(known).cgroup);
  });
};

/** `minictr unpause` */
export const unpause: Run = async (args, root) => {
  const grammar = UNPAUSE;
  const line = parseCommandLine(grammar, args);
  if (helped(grammar, line.help)) return 0;
  const { running } = await import("../container/stop.ts");
  return await forEach(grammar, rootsBelow(root), line.operands, (known) => {
    thaw(readCgroupHost(), running(known).cgroup);
  });
};

/** `minictr wait`: prints the exit status of each as soon as it has ended. */
export const wait: Run = async (args, root) => {
  const grammar = WAIT;
  const { operands, help } = parseCommandLine(grammar, args);
  if (helped(grammar, help)) return 0;
  if (operands.length === 0) throw wrongUse(grammar, '"wait" needs a container');
  const roots = rootsBelow(root);
  const { ended } = await import("../container/stop.ts");
  const { settled } = await import("../container/remove.ts");
  const { readExit } = await import("../container/definition.ts");
  for (const known of operands.map((name) => pick(knownContainers(roots), name))) {
    if (known.state) await ended(known.state, Infinity);
    await settled(roots, known.id);
    console.log(readExit(roots, known.id)?.status ?? 137);
  }
  return 0;
};

/** `minictr start`: runs containers that have ended, or were only created, in the background. */
export const start: Run = async (args, root) => {
  const grammar = START;
  const line = parseCommandLine(grammar, args);
  if (helped(grammar, line.help)) return 0;
  const roots = rootsBelow(root);
  return await forEach(grammar, roots, line.operands, async (known) => {
    const { definition, name } = known;
    if (!definition) throw new ContainerError(`nothing is kept of container "${name}"`);
    const status = statusOf(roots, known);
    if (status === "running" || status === "paused") return;
    const { startAgain } = await import("./start_again.ts");
    await startAgain(roots, definition);
  });
};
