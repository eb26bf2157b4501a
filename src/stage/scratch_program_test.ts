/**
 * What the tests of programs share; there is no test in here.
 * @module
 */
import assert from "assert";
import { ARCH } from "../../ffi/mod.ts";
import type { Step } from "../plan/step.ts";
import { assemble, type Program, runHere } from "./mod.ts";
import type { AssembleOptions } from "./program.ts";

/** A program that is to run in this process. */
export function assembled(steps: Step[], options: Partial<AssembleOptions> = {}): Program {
  return assemble(steps, { base: "here", arch: ARCH, ...options });
}

/** Runs steps, which must all succeed. */
export function ran(...steps: Step[]): Program {
  const program = assembled(steps);
  assert.equal(runHere(program), undefined);
  return program;
}
