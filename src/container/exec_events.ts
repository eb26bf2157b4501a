/** What is noted of a further process in a container. */
import type { Process } from "../spec/mod.ts";
import { containerEvent, noteEvent, noteEvents } from "./events.ts";
import type { Roots, State } from "./state.ts";

/**
 * That it was started, in docker's two events.
 *
 * @returns its id, 64 hexadecimal digits, which its end is noted with
 */
export function noteExec(roots: Roots, container: State, { args = [] }: Process): string {
  const execID = crypto.getRandomValues(new Uint8Array(32)).toHex();
  const command = args.join(" ");
  noteEvents(roots, [
    containerEvent(`exec_create: ${command}`, container, { execID }),
    containerEvent(`exec_start: ${command}`, container, { execID }),
  ]);
  return execID;
}

/** How it ended. */
export function noteExecEnd(
  roots: Roots,
  container: State,
  { execId, status }: { execId: string; status: number },
): void {
  noteEvent(roots, "exec_die", container, { execID: execId, exitCode: String(status) });
}
