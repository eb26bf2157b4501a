/** --security-opt seccomp=: the profile of a container, and the filter that it comes to. */

import { type CompiledSeccomp, compileSeccomp, defaultProfile } from "../plan/seccomp/mod.ts";
import type { LinuxSeccomp, Spec } from "../spec/mod.ts";

/** The profile that a container gets: the default one fits its bounding set and this kernel. */
export function profileFor(
  wanted: "default" | "unconfined" | { path: string },
  spec: Spec,
): LinuxSeccomp | undefined {
  if (wanted === "unconfined") return undefined;
  const inputs = {
    capabilities: new Set(spec.process?.capabilities?.bounding),
    arch: Deno.build.arch,
    kernel: kernelVersion(),
  };
  return defaultProfile(inputs);
}

/**
 * The filter of `linux.seccomp` for this machine.
 *
 * @throws {SpecError} for what it names and this program does not know
 */
export function filterOf(seccomp: LinuxSeccomp): CompiledSeccomp {
  return compileSeccomp(seccomp, Deno.build.arch);
}

/** Major and minor of "6.18.5-cloud"; uname(2). */
function kernelVersion(): [major: number, minor: number] {
  const [major, minor] = Deno.osRelease().split(".", 2);
  return [parseInt(major ?? ""), parseInt(minor ?? "")];
}
