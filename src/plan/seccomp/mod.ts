/**
 * `linux.seccomp`: which system calls a container may make.
 *
 * `default_profile.ts` is docker's profile, `profile_file.ts` reads others, `compile.ts` turns any
 * into a program for the kernel. On the way, `rules.ts` finds what is said of each name, `ranges.ts`
 * which numbers those names have (`architecture.ts`, `syscalls_*.ts`), and `program.ts` and
 * `condition.ts` write the instructions; `default_filter.ts` is what comes of it for most containers.
 * All of it is pure; loading a filter is a step of the plan.
 *
 * Modules cost time at each start, so that all but the default profile are loaded when needed.
 *
 * @see seccomp(2), bpf(2), config-linux.md#seccomp
 * @module
 */

import type { LinuxSeccomp } from "../../spec/types.ts";
import type { NativeArchitecture } from "./architecture.ts";
import type { CompiledSeccomp } from "./compile.ts";
import { defaultFilter } from "./default_filter.ts";
import type { ProfileInputs } from "./default_profile.ts";

export type { CompiledSeccomp, NativeArchitecture, ProfileInputs };
export { defaultProfile, filterKey } from "./default_profile.ts";

/**
 * The filter of a profile: the one that is kept, or what it compiles to.
 *
 * @throws {SpecError} as `compileSeccomp()` of compile.ts does
 */
export async function filterOf(
  profile: LinuxSeccomp,
  arch: NativeArchitecture,
): Promise<CompiledSeccomp> {
  return defaultFilter(profile, arch) ??
    (await import("./compile.ts")).compileSeccomp(profile, arch);
}

/**
 * The profile that the text of a file is, in docker's or in config.json's format.
 *
 * @throws {SpecError} at the first field that is missing or of another type
 */
export async function readProfile(text: string, inputs: ProfileInputs): Promise<LinuxSeccomp> {
  return (await import("./profile_file.ts")).readProfile(text, inputs);
}
