/** What is noted of a further process in a container. */
import type { Process } from "../spec/mod.ts";
import { containerEvent, noteEvent, noteEvents, type Subject } from "./events.ts";
import type { Roots } from "./state.ts";

/** A new id of an execution, 64 hexadecimal digits. */
export function newExecId(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}

/** That it was started, in docker's two events. */
export function noteExec(
  roots: Roots,
  container: Subject,
  { args = [] }: Process,
  execID: string,
): void {
  const command = args.join(" ");
  noteEvents(roots, [
    containerEvent(`exec_create: ${command}`, container, { execID }),
    containerEvent(`exec_start: ${command}`, container, { execID }),
  ]);
}

/** How it ended. */
export function noteExecEnd(
  roots: Roots,
  container: Subject,
  { execId, status }: { execId: string; status: number },
): void {
  noteEvent(roots, "exec_die", container, { execID: execId, exitCode: String(status) });
}
