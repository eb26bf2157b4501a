/** --security-opt seccomp=: the profile of a container, and the filter that it comes to. */

import {
  type CompiledSeccomp,
  defaultProfile,
  filterOf as compiled,
  type ProfileInputs,
  readProfile,
} from "../plan/seccomp/mod.ts";
import { type LinuxSeccomp, type Spec, SpecError } from "../spec/mod.ts";
import { UsageError } from "./usage_error.ts";

/**
 * The profile that a container gets: the default one, or a file's, for its bounding set and this
 * kernel.
 *
 * @throws {UsageError} if the file is no profile that can be compiled
 */
export async function profileFor(
  wanted: "default" | "unconfined" | { path: string },
  spec: Spec,
): Promise<LinuxSeccomp | undefined> {
  if (wanted === "unconfined") return undefined;
  const inputs: ProfileInputs = {
    capabilities: new Set(spec.process?.capabilities?.bounding),
    arch: Deno.build.arch,
    kernel: kernelVersion(),
  };
  return wanted === "default" ? defaultProfile(inputs) : await profileOf(wanted.path, inputs);
}

/**
 * The filter of `linux.seccomp` for this machine.
 *
 * @throws {SpecError} for what it names and this program does not know
 */
export function filterOf(seccomp: LinuxSeccomp): Promise<CompiledSeccomp> {
  return compiled(seccomp, Deno.build.arch);
}

/** Compiles it on trial, so that what is wrong is said of the file, and not of a config.json. */
async function profileOf(path: string, inputs: ProfileInputs): Promise<LinuxSeccomp> {
  const text = textOf(path);
  try {
    const profile = await readProfile(text, inputs);
    await compiled(profile, inputs.arch);
    return profile;
  } catch (cause) {
    if (!(cause instanceof SpecError)) throw cause;
    const what = cause.message.replace(/^config\.json: (linux\.seccomp\.)?/, "");
    throw new UsageError(`--security-opt: cannot use the seccomp profile "${path}": ${what}`, {
      cause,
    });
  }
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/: \w+ '.*$/, "") : String(cause);
    throw new UsageError(`--security-opt: cannot read the seccomp profile "${path}": ${why}`, {
      cause,
    });
  }
}

/** Major and minor of "6.18.5-cloud"; uname(2). */
function kernelVersion(): [major: number, minor: number] {
  const [major, minor] = Deno.osRelease().split(".", 2);
  return [parseInt(major ?? ""), parseInt(minor ?? "")];
}
