import {
  catchSignals,
  MSG_DONTWAIT,
  SHUT_RDWR,
  SIGKILL,
  syscall,
  trySyscall,
} from "../../ffi/mod.ts";
import { EXIT_RECORD_SIZE } from "../plan/supervise.ts";
import type { Spec } from "../spec/mod.ts";
import { statusOf } from "./attend.ts";
import { exitIn, type ExitRecord } from "./definition.ts";
import { afterEnd, startSupervised } from "./detached.ts";
import { attendToSupervised, echoFor } from "./foreground.ts";
import type { HeldDefinition } from "./hold.ts";
import { DetachKeys } from "./keys.ts";
import type { RunOptions } from "./make.ts";

/**
 * Runs a container that is kept in the foreground: its supervisor logs its output and echoes it to
 * this process's streams, and goes on alone if this process ends before it.
 *
 * @param defined is let go of as soon as it runs
 * @param keys that leave it running when they are typed at its terminal
 * @returns its exit status as a shell shows it; 0 if it was left running
 * @throws {StartError} when a step failed
 */
export async function runKept(
  defined: HeldDefinition,
  spec: Spec,
  options: RunOptions,
  keys: Uint8Array,
): Promise<number> {
  const { definition } = defined;
  const { id, name, roots } = options;
  const signals = catchSignals();
  const terminal = spec.process?.terminal ?? false;
  const supervised = await startSupervised(definition, spec, options, {
    echo: echoFor(terminal),
  });
  defined[Symbol.dispose](); // It is started: others may do what they like with it.
  const { held, attendant } = supervised;
  await import("./cleanup.ts"); // What comes afterwards is loaded while the container runs.
  const { timeoutMs: _, ...attended } = options; // The supervisor sees to it.
  const ended = attendToSupervised(attendant, signals, {
    ...attended,
    filter: new DetachKeys(keys),
  });
  const exit = ended ? recordFrom(attendant.line) : leave(attendant.line);
  if (exit === "left") {
    options.onNotice?.(`left container "${name}" running`);
    return 0;
  }
  if (exit?.signal === SIGKILL) {
    const { outOfMemory } = await import("./out_of_memory.ts");
    const notice = outOfMemory(spec, name, supervised.host, supervised.state.cgroup);
    if (notice) options.onNotice?.(notice);
  }
  // With a restart policy the supervisor does it: who knows when it is over.
  if (!definition.restart) await afterEnd(roots, id, held.lock.release());
  const { repair } = await import("./cleanup.ts");
  await repair(roots, held.directory);
  return exit?.status ?? statusOf({ signal: SIGKILL });
}

/** What the supervisor said last; undefined if it was killed, and the container with it. */
function recordFrom(line: number): ExitRecord | undefined {
  const record = new Uint8Array(EXIT_RECORD_SIZE);
  const got = trySyscall("recvfrom", line, record, record.length, MSG_DONTWAIT, 0, 0);
  return got === record.length ? exitIn(record) : undefined;
}

/**
 * From here on the supervisor is alone: unless it has said already that the container has ended, and left
 * the rest to this process. Both ends agree, since shutdown(2) comes before or after that word.
 */
function leave(line: number): ExitRecord | undefined | "left" {
  syscall("shutdown", line, SHUT_RDWR);
  return recordFrom(line) ?? "left";
}
