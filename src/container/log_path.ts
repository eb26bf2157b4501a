import { dataDirectory, type LogOptions } from "./definition.ts";
import { type Roots, stateDirectory } from "./state.ts";

/** Where a container's current log is: one that is not kept goes with its run. */
export function logPath(roots: Roots, id: string, { driver }: LogOptions): string {
  return driver === "none" ? `${stateDirectory(roots, id)}/log` : `${dataDirectory(roots, id)}/log`;
}
