/**
 * The OCI runtime specification: what a container is, before anything is done about it.
 *
 * `types.ts` and `linux_types.ts` describe config.json; `defaults.ts` is the container for which
 * nothing was said; `validate.ts` turns foreign JSON into a {@link Spec} or says which field is
 * wrong: `shape.ts` looks at types, it at meanings. All is pure: nothing here reads a file, asks
 * the kernel, or knows what a plan is.
 *
 * This door opens on what every start needs. Modules cost time at each start, so that the rest has
 * doors of its own: `validate.ts` and `json.ts` for those who read a config.json, `sysctl.ts` and
 * `mount_point.ts` for those who make or carry out such entries.
 *
 * @see config.md and config-linux.md of the OCI runtime specification 1.3.0
 * @module
 */

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
