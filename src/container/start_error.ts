import type { SyscallError } from "../../ffi/mod.ts";

/** A step of a container's start failed. */
export class StartError extends Error {
  override name = "StartError";

  /**
   * @param step what was being done, as "mount proc on /proc"
   * @param hint what is usually the cause, and what to do
   */
  constructor(
    readonly step: string,
    readonly hint: string | undefined,
    override cause: SyscallError,
  ) {
    super(`cannot ${step}: ${cause.message}${hint ? `: ${hint}` : ""}`, { cause });
  }
}
