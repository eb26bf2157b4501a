import { ERRNO } from "../../ffi/mod.ts";
import type { On } from "../plan/step.ts";

/** A label that begins with a dot belongs to its step. */
export function scoped(label: string, step: number): string {
  return label.charCodeAt(0) === 46 ? step + label : label;
}

/** The result that a condition waits for. */
export function wanted({ errno, value = 0 }: On): number {
  return errno === undefined || errno === "any" ? value : -ERRNO[errno];
}
