import type { LinuxSeccomp } from "../../spec/types.ts";
import { SpecError } from "../../spec/error.ts";
import { type Action, actionOf, isPermissive, KILL_PROCESS } from "./action.ts";
import { abisOf, isKnownArchitecture, type NativeArchitecture } from "./architecture.ts";
import { putCondition } from "./condition.ts";
import { filterFlags } from "./flags.ts";
import { JEQ, JGE, Program, PROGRAM_LIMIT_INSTRUCTIONS, type Target } from "./program.ts";
import { type Ranges, rangesOf } from "./ranges.ts";
import { type Choice, rulesByName, type Verdict } from "./rules.ts";

/** struct seccomp_data { int nr; u32 arch; … } */
const NR_OFFSET_BYTES = 0;
const ARCH_OFFSET_BYTES = 4;

/** struct sock_filter { u16 code; u8 jt, jf; u32 k; } */
const INSTRUCTION_BYTES = 8;

/** What seccomp(2)'s SECCOMP_SET_MODE_FILTER takes. */
export interface CompiledSeccomp {
  /** struct sock_filter[]. */
  filter: Uint8Array<ArrayBuffer>;
  /** SECCOMP_FILTER_FLAG_* by name. */
  flags: Record<string, number>;
}

/**
 * The filter of `linux.seccomp` as struct sock_filter[], for seccomp(2)'s SECCOMP_SET_MODE_FILTER.
 *
 * It means what libseccomp makes of the profile in runc: the native architecture is always in it,
 * names that no table has are passed over, and unless the default action lets calls through, calls
 * newer than all those named are answered with ENOSYS. Other than there, a call of an architecture
 * that is not listed kills the process, not just the thread.
 *
 * @throws SpecError for an unknown action, operator or architecture; for SCMP_ACT_NOTIFY where runc
 * refuses it; for rules that contradict one another; for a filter of over 4096 instructions
 */
export function compileSeccomp(profile: LinuxSeccomp, native: NativeArchitecture): CompiledSeccomp {
  const { defaultAction, defaultErrnoRet } = profile;
  const other = actionOf(defaultAction, defaultErrnoRet, "linux.seccomp.defaultAction");
  refuseNotify(profile);
  const byName = rulesByName(profile, other);
  const answers = { byName, other, newerIsUnknown: !isPermissive(defaultAction) };
  const program = new Program();
  const roots = abisOf(native, architectures(profile))
    .map((abi) => ({ abi, root: putRanges(program, rangesOf(abi, answers), other) }));
  let next = program.ret(KILL_PROCESS);
  for (const { abi, root } of roots.reverse()) next = program.compare(JEQ, abi.audit, root, next);
  program.load(ARCH_OFFSET_BYTES, next);
  return { filter: limited(program.bytes()), flags: filterFlags(profile) };
}

/** Binary search for the call's number. */
function putRanges(program: Program, ranges: Ranges, other: Action): Target {
  const { starts, verdicts } = ranges;
  const choices = new Map<Choice, Target>();
  const leaf = (verdict: Verdict | undefined): Target => {
    if (typeof verdict !== "object") return program.ret(verdict ?? other);
    const known = choices.get(verdict) ?? putChoice(program, verdict, other);
    choices.set(verdict, known);
    return known;
  };
  const tree = (from: number, to: number): Target => {
    if (to - from === 1) return leaf(verdicts[from]);
    const middle = (from + to) >> 1;
    if (isOneWithin(ranges, from, to)) {
      const around = leaf(verdicts[from]);
      return program.compare(JEQ, starts[from + 1] ?? 0, leaf(verdicts[from + 1]), around);
    }
    const above = tree(middle, to);
    return program.compare(JGE, starts[middle] ?? 0, above, tree(from, middle));
  };
  return program.load(NR_OFFSET_BYTES, tree(0, starts.length));
}

/** Whether all but one number of three ranges have the same answer: one comparison will do. */
function isOneWithin({ starts, verdicts }: Ranges, from: number, to: number): boolean {
  return to - from === 3 && verdicts[from] === verdicts[from + 2] &&
    (starts[from + 1] ?? 0) + 1 === starts[from + 2];
}

/** One rule after the other; in each, one condition after the other. */
function putChoice(program: Program, { rules, width }: Choice, other: Action): Target {
  let next = program.ret(other);
  for (const { action, conditions } of rules.toReversed()) {
    const no = next;
    next = program.ret(action);
    for (const condition of conditions.toReversed()) {
      next = putCondition(program, condition, { yes: next, no, width });
    }
  }
  return next;
}

function architectures({ architectures = [] }: LinuxSeccomp): ReadonlySet<string> {
  for (const [index, name] of architectures.entries()) {
    if (isKnownArchitecture(name)) continue;
    throw new SpecError(
      `linux.seccomp.architectures[${index}]`,
      `there is no architecture "${name}"`,
    );
  }
  return new Set(architectures);
}

function refuseNotify({ defaultAction, syscalls = [] }: LinuxSeccomp): void {
  const at = syscalls.findIndex(({ action }) => action === "SCMP_ACT_NOTIFY");
  if (defaultAction !== "SCMP_ACT_NOTIFY" && at < 0) return;
  const field = at < 0 ? "defaultAction" : `syscalls[${at}].action`;
  throw new SpecError(`linux.seccomp.${field}`, "SCMP_ACT_NOTIFY is not supported");
}

function limited(program: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const length = program.length / INSTRUCTION_BYTES;
  if (length <= PROGRAM_LIMIT_INSTRUCTIONS) return program;
  const message = `the filter has ${length} instructions; the kernel takes at most ` +
    `${PROGRAM_LIMIT_INSTRUCTIONS}: name fewer arguments`;
  throw new SpecError("linux.seccomp.syscalls", message);
}
