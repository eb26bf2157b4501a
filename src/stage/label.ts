import { ERRNO } from "../../ffi/mod.ts";
import type { On } from "../plan/step.ts";

/** Where a jump leads: an instruction's index, or a label of the whole program. */
export type Target = number | string;

/** The labels of a program, and the jumps to them. */
export class Labels {
  /** Instructions by label: of the whole program, and, of those with a dot, of the step in hand. */
  readonly #named = new Map<string, number>();
  readonly #local = new Map<string, number>();
  /** Offsets of the jumps of the step in hand, and of all others with where they lead. */
  readonly #pending: [offset: number, label: string][] = [];
  readonly #offsets: number[] = [];
  readonly #targets: Target[] = [];

  /** Gives an instruction a label; one that begins with a dot belongs to the step in hand. */
  name(label: string, instruction: number): void {
    (isLocal(label) ? this.#local : this.#named).set(label, instruction);
  }

  /** Notes a jump of the step in hand, by the label that a plan has. */
  jump(offset: number, label: string): void {
    this.#pending.push([offset, label]);
  }

  /** Notes a jump whose target is known. */
  jumpTo(offset: number, target: Target): void {
    this.#offsets.push(offset);
    this.#targets.push(target);
  }

  /**
   * What a label of the step in hand stands for, when all of its instructions are there.
   *
   * @param next the first instruction of the next step
   * @throws {Error} when the step has no such label
   */
  target(label: string, next: number): Target {
    if (label === "next") return next;
    return isLocal(label) ? found(this.#local, label) : label;
  }

  /** Ends the step in hand. */
  endStep(next: number): void {
    for (let index = 0; index < this.#pending.length; index++) {
      const [offset, label] = this.#pending[index] as [number, string];
      this.jumpTo(offset, this.target(label, next));
    }
    this.#pending.length = 0;
    if (this.#local.size > 0) this.#local.clear(); // Most steps have none, and it makes a new table.
  }

  /** The instruction that has a label of the whole program. */
  find(label: string): number {
    return found(this.#named, label);
  }

  /** Goes through all jumps of ended steps, in no order. */
  eachJump(act: (offset: number, instruction: number) => void): void {
    for (let index = 0; index < this.#offsets.length; index++) {
      const target = this.#targets[index] as Target;
      act(this.#offsets[index] as number, typeof target === "number" ? target : this.find(target));
    }
  }
}

const DOT = 0x2e;

function isLocal(label: string): boolean {
  return label.charCodeAt(0) === DOT;
}

function found(labels: Map<string, number>, label: string): number {
  const instruction = labels.get(label);
  if (instruction === undefined) throw new Error(`no step has the label "${label}"`);
  return instruction;
}

/** The result that a condition waits for. */
export function wanted({ errno, value = 0 }: On): number {
  return errno === undefined || errno === "any" ? value : -ERRNO[errno];
}
