import { readCgroupHost } from "../cgroup/host.ts";
import { freeze, isFrozen, thaw } from "../cgroup/mod.ts";
import { notice } from "../container/console.ts";
import { noteEvent } from "../container/events.ts";
import { ContainerError, pick } from "../container/find.ts";
import { type Known, knownContainers, statusOf } from "../container/list.ts";
import { rootsBelow } from "../container/mod.ts";
import { forEach } from "./containers.ts";
import { type Grammar, parseCommandLine, parsed, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { KILL, PAUSE, STOP, UNPAUSE, WAIT } from "./lifecycle_flags.ts";
import { parseInteger } from "./number.ts";
import { parseSignal } from "./signal.ts";

const DEFAULT_STOP_SIGNAL = 15, DEFAULT_STOP_MS = 10_000, SIGKILL = 9, DAY_SECONDS = 86_400;

type Run = (args: string[], root: string | undefined) => Promise<number>;

/** Prints the help of a command if it was asked for. */
export function helped(grammar: Grammar, help: boolean): boolean {
  if (help) console.log(helpText(grammar));
  return help;
}

/**
 * How a container is to be stopped: as `-t` and `-s` say, or else as it was created.
 *
 * @throws {UsageError}
 */
export function howToStop(
  flags: { time: string | undefined; signal: string | undefined },
): (known: Known) => { signal: number; timeoutMs: number } {
  const seconds = flags.time === undefined
    ? undefined
    : parsed("--time", flags.time, (text) => parseInteger(text, 0, DAY_SECONDS));
  const asked = flags.signal === undefined
    ? undefined
    : parsed("--signal", flags.signal, parseSignal);
  return ({ definition }) => ({
    signal: asked ?? definition?.stopSignal ?? DEFAULT_STOP_SIGNAL,
    timeoutMs: seconds === undefined
      ? definition?.stopTimeoutMs ?? DEFAULT_STOP_MS
      : seconds * 1000,
  });
}

/** `minictr stop`: one that does not run stays as it is, as with docker; one never started is told of. */
export const stop: Run = async (args, root) => {
  const { flags, operands, help } = parseCommandLine(STOP, args);
  if (helped(STOP, help)) return 0;
  const roots = rootsBelow(root);
  const how = howToStop(flags);
  const { stopContainer } = await import("../container/stop.ts");
  return await forEach(STOP, roots, operands, async (known) => {
    if (statusOf(roots, known) === "created") {
      notice(`container "${known.name}" was never started: there is nothing to stop`);
    }
    const { signal, timeoutMs } = how(known);
    await stopContainer(roots, known, signal, timeoutMs);
  });
};

/** `minictr kill` */
export const kill: Run = async (args, root) => {
  const { flags, operands, help } = parseCommandLine(KILL, args);
  if (helped(KILL, help)) return 0;
  const roots = rootsBelow(root);
  const { killContainer } = await import("../container/stop.ts");
  const { signal: text } = flags;
  const signal = text === undefined ? SIGKILL : parsed("--signal", text, parseSignal);
  return await forEach(KILL, roots, operands, (known) => killContainer(roots, known, signal));
};

/** `minictr pause` */
export const pause: Run = (args, root) => setFrozen(true, args, root);

/** `minictr unpause` */
export const unpause: Run = (args, root) => setFrozen(false, args, root);

async function setFrozen(wanted: boolean, args: string[], root?: string): Promise<number> {
  const grammar = wanted ? PAUSE : UNPAUSE;
  const { operands, help } = parseCommandLine(grammar, args);
  if (helped(grammar, help)) return 0;
  const roots = rootsBelow(root);
  const { running } = await import("../container/stop.ts");
  return await forEach(grammar, roots, operands, (known) => {
    const host = readCgroupHost();
    const { cgroup } = running(roots, known);
    if (isFrozen(host, cgroup) === wanted) {
      const how = wanted ? "is paused already" : "is not paused";
      throw new ContainerError(`container "${known.name}" ${how}`);
    }
    if (wanted) freeze(host, cgroup);
    else thaw(host, cgroup);
    noteEvent(roots, wanted ? "pause" : "unpause", known.definition ?? known.state ?? known);
  });
}

/** `minictr wait`: prints the exit status of each as soon as it has ended. */
export const wait: Run = async (args, root) => {
  const grammar = WAIT;
  const { operands, help } = parseCommandLine(grammar, args);
  if (helped(grammar, help)) return 0;
  if (operands.length === 0) throw wrongUse(grammar, '"wait" needs a container');
  const roots = rootsBelow(root);
  const { endOf } = await import("../container/wait.ts");
  for (const known of operands.map((name) => pick(knownContainers(roots), name))) {
    console.log(await endOf(roots, known));
  }
  return 0;
};
