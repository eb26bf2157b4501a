/**
 * `linux.seccomp`: which system calls a container may make.
 *
 * `default_profile.ts` is docker's profile, `profile_file.ts` reads others, `compile.ts` turns any
 * into a program for the kernel. On the way, `rules.ts` finds what is said of each name, `ranges.ts`
 * which numbers those names have (`architecture.ts`, `syscalls_*.ts`), and `program.ts` and
 * `condition.ts` write the instructions; `default_filter.ts` is what comes of it for most containers.
 * All of it is pure; loading a filter is a step of the plan.
 *
 * @see seccomp(2), bpf(2), config-linux.md#seccomp
 * @module
 */
export { ACTION_NAMES } from "./action.ts";
export type { NativeArchitecture } from "./architecture.ts";
export { type CompiledSeccomp, compileSeccomp } from "./compile.ts";
export { OPERATOR_NAMES } from "./condition.ts";
export { defaultFilter } from "./default_filter.ts";
export { defaultProfile, filterKey, type ProfileInputs } from "./default_profile.ts";
export { filterFlags, FLAG_NAMES } from "./flags.ts";
export { readProfile } from "./profile_file.ts";
