/**
 * The OCI runtime specification: what a container is, before anything is done about it.
 *
 * `types.ts` and `linux_types.ts` describe config.json; `defaults.ts` is the container for which
 * nothing was said; `validate.ts` turns foreign JSON into a {@link Spec} or says which field is
 * wrong: `shape.ts` looks at types, it at meanings. All is pure: nothing here reads a file, asks
 * the kernel, or knows what a plan is.
 *
 * Modules cost time at each start, so that those for reading a config.json are loaded only then.
 *
 * @see config.md and config-linux.md of the OCI runtime specification 1.3.0
 * @module
 */

import type { Process, Spec } from "./types.ts";

export type * from "./types.ts";
export { CAPABILITIES } from "./capabilities.ts";
export {
  DEFAULT_CAPABILITIES,
  DEFAULT_PATH,
  DEFAULT_SHM_BYTES,
  defaultSpec,
  OCI_VERSION,
  RLIM_INFINITY,
  thermalThrottlePaths,
} from "./defaults.ts";
export { SpecError } from "./error.ts";
export { cleanPath, mountPointProblem } from "./mount_point.ts";
export { sysctlPath, sysctlProblem } from "./sysctl.ts";

/**
 * The spec that the text of a config.json is.
 *
 * @throws {SpecError} that names the first field which is wrong
 */
export async function readSpec(text: string): Promise<Spec> {
  const [{ parseJson }, { validateSpec }] = await reader();
  return validateSpec(parseJson(text));
}

/**
 * The process that a text is, as `exec --process` takes it.
 *
 * @throws {SpecError} that names the first field which is wrong
 */
export async function readProcess(text: string): Promise<Process> {
  const [{ parseJson }, { validateProcess }] = await reader();
  return validateProcess(parseJson(text));
}

/**
 * What the text of a config.json says, unchecked: for what this program wrote itself.
 *
 * @throws {SpecError} if it is no JSON
 */
export async function parseSpec(text: string): Promise<unknown> {
  return (await import("./json.ts")).parseJson(text);
}

/** The text of a config.json, two spaces deep. */
export async function printSpec(spec: Spec): Promise<string> {
  return (await import("./json.ts")).printJson(spec);
}

function reader() {
  return Promise.all([import("./json.ts"), import("./validate.ts")]);
}
