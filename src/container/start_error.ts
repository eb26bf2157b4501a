import type { SyscallError } from "../../ffi/mod.ts";

/** A step of a container's start failed. */
export class StartError extends Error {
  override name = "StartError";

  /**
   * @param step what was being done, as "mount proc on /proc"
   * @param hint what is usually the cause, and what to do
   * @param executing whether it was the command itself that could not be executed
   */
  constructor(
    readonly step: string,
    readonly hint: string | undefined,
    override readonly cause: SyscallError,
    readonly executing: number | undefined,
  ) {
    super(`cannot ${step}: ${cause.message}${hint ? `: ${hint}` : ""}`, { cause });
  }
}
