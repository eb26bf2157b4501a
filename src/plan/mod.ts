/**
 * The plan: an OCI spec, and what was found out about the host, turned into labelled steps.
 *
 * All of it is pure. `step.ts` is the vocabulary; each mechanism is a file that knows no other but
 * what it is made of; `container.ts` puts them in order. `exec.ts` and `explain.ts` are doors of their
 * own: a start does not need them.
 *
 * @see the OCI runtime specification, config.md and config-linux.md
 * @module
 */
export { goto } from "./calls.ts";
export { attachProgram } from "./cgroup.ts";
export { MESSAGE } from "./channel.ts";
export { type ContainerPlan, planContainer } from "./container.ts";
export type { Surroundings } from "./parts.ts";
export { DEFAULT_RULES } from "./devices.ts";
export type { Privileges } from "./privileges.ts";
export { EXEC_LABEL } from "./process.ts";
export type { RootSource } from "./root.ts";
export * from "./step.ts";
export { openChannel, type Stream } from "./terminal.ts";
export { type Supervision, SUPERVISOR_FD } from "./supervision.ts";
