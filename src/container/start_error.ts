import type { SyscallError } from "../../ffi/mod.ts";
import type { Diagnosis } from "./diagnose.ts";

/** A step of a container's start failed; nothing runs. */
export class StartError extends Error {
  override name = "StartError";
  /** 125, or 126 and 127 where it was the command that could not be executed. */
  readonly exitCode: number;

  /**
   * @param step what was being done, as "mount proc on /proc"
   * @param hint what is usually the cause, and what to do
   */
  constructor(
    readonly step: string,
    hint: string | undefined,
    override readonly cause: SyscallError,
    diagnosis?: Partial<Diagnosis>,
  ) {
    super(
      diagnosis?.text !== undefined
        ? `cannot ${step}: ${diagnosis.text}`
        : `cannot ${step}: ${cause.message}${hint ? `: ${hint}` : ""}`,
      { cause },
    );
    this.exitCode = diagnosis?.exitCode ?? 125;
  }
}
