/**
 * The life of containers: what is made for one, what is written down of it, and how it goes.
 *
 * `run.ts` is the life of one in the foreground, read from top to bottom; `start.ts` carries a plan
 * out; `attend.ts` is what goes on meanwhile; `state.ts` is what is on disk, under a lock;
 * `cleanup.ts` takes all of it away, its own and that of commands that died.
 *
 * @see the OCI runtime specification, runtime.md
 * @module
 */
export { type End, statusOf } from "./attend.ts";
export { isTerminal, terminalSize } from "./console.ts";
export { planRun, type RunOptions } from "./make.ts";
export { runContainer } from "./run.ts";
export { type Assembled, assemblePlan } from "./start.ts";
export { StartError } from "./start_error.ts";
export { wantsUserNamespace, withUserNamespace } from "./user_namespace.ts";
export { type ResolvedUser, resolveUser } from "./users.ts";
export { readState, type Roots, rootsBelow, stateDirectories, stateDirectory } from "./state.ts";
