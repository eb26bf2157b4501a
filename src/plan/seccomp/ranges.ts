import { type Action, ENOSYS, KILL_PROCESS } from "./action.ts";
import { type Abi, eachSyscall, isNumber } from "./architecture.ts";
import { equal } from "./condition.ts";
import { type Rules, type Verdict, verdictOf } from "./rules.ts";

/** What a profile comes to, before the numbers of an ABI are known. */
export interface Answers {
  byName: ReadonlyMap<string, Rules>;
  /** The default action. */
  other: Action;
  /** Whether calls newer than all that the profile names get ENOSYS, as an older kernel has it. */
  newerIsUnknown: boolean;
}

/** The answers to all numbers from 0 upwards: `verdicts[i]` from `starts[i]` to the next start. */
export class Ranges {
  readonly starts: number[] = [];
  readonly verdicts: Verdict[] = [];
  /** The first number without an answer. */
  #end = 0;

  /** From where the last answer ended up to `end`, which is left out. */
  fill(end: number, verdict: Verdict): void {
    if (end <= this.#end) return;
    if (this.verdicts.at(-1) !== verdict) {
      this.starts.push(this.#end);
      this.verdicts.push(verdict);
    }
    this.#end = end;
  }
}

/** The bit that marks the calls of x32; `arch/x86/include/uapi/asm/unistd.h`. */
const X32_BIT = 2 ** 30;

/** seccomp_data.nr is of 32 bits; negative numbers are those from 2^31. */
const NUMBERS = 2 ** 32;

/** i386's socketcall(2) and ipc(2): which calls they stand for, by their first argument. */
const MULTIPLEXED: Readonly<Record<string, string>> = {
  socketcall: "1 socket bind connect listen accept getsockname getpeername socketpair send recv " +
    "sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg",
  ipc:
    "1 semop semget semctl semtimedop 11 msgsnd msgrcv msgget msgctl 21 shmat shmdt shmget shmctl",
};

/** What a filter answers to each number of an ABI. */
export function rangesOf(abi: Abi, answers: Answers): Ranges {
  const ranges = new Ranges();
  if (abi.multiplexed) addI386(ranges, abi, answers);
  else if (abi.x32 !== undefined) addX86(ranges, abi, abi.x32, answers);
  else ranges.fill(NUMBERS, addTable(ranges, abi, answers) ?? answers.other);
  return ranges;
}

/**
 * The calls of a table, and those without rules in between.
 *
 * @returns the answer to the numbers above, undefined if they are no different: as runc does, the
 * newest call that the profile names is taken for the newest that its author knew
 */
function addTable(
  ranges: Ranges,
  { syscalls, width }: Pick<Abi, "syscalls" | "width">,
  { byName, other, newerIsUnknown }: Answers,
  base = 0,
): Action | undefined {
  let [number, newest] = [0, 0];
  // Neighbours mostly have the same rules: they are laid out at once.
  let rules: Rules | undefined;
  const finish = () =>
    ranges.fill(base + number, rules === undefined ? other : verdictOf(rules, width, other));
  for (const word of syscalls.split(" ")) {
    const found = byName.get(word);
    if (found !== rules) {
      finish();
      rules = found;
    }
    if (found !== undefined) newest = number++;
    else number = isNumber(word) ? Number(word) : number + 1;
  }
  if (rules !== undefined) finish();
  return newerIsUnknown && newest > 0 ? ENOSYS : undefined;
}

/**
 * x86-64's calls, then those of x32, whose arguments are compared as 32-bit ones. Where the profile
 * does not list x32, its calls are another architecture's; but -1 is no call of it: tracers skip a
 * call by it, and the filter is asked again (seccomp(2), Linux 4.8).
 */
function addX86(ranges: Ranges, abi: Abi, x32: string, answers: Answers): void {
  const { other } = answers;
  const newer = addTable(ranges, abi, answers);
  ranges.fill(X32_BIT, newer ?? other);
  if (x32 === "") {
    ranges.fill(2 * X32_BIT, KILL_PROCESS);
    ranges.fill(3 * X32_BIT, newer ?? KILL_PROCESS);
    ranges.fill(NUMBERS - 1, KILL_PROCESS);
    ranges.fill(NUMBERS, other);
    return;
  }
  const newerX32 = addTable(ranges, { syscalls: x32, width: 32 }, answers, X32_BIT);
  ranges.fill(2 * X32_BIT, newerX32 ?? other);
  ranges.fill(3 * X32_BIT, newer ?? other);
  ranges.fill(NUMBERS, newerX32 ?? other);
}

/**
 * i386's calls. A rule for one that socketcall(2) or ipc(2) stands for holds there too, but what it
 * says of the first argument is lost: a filter cannot read the memory where that is.
 */
function addI386(ranges: Ranges, abi: Abi, answers: Answers): void {
  const byName = new Map(answers.byName);
  for (const [multiplexer, table] of Object.entries(MULTIPLEXED)) {
    const rules = [...byName.get(multiplexer)?.rules ?? []];
    eachSyscall(table, (name, number) => {
      for (const { action, conditions } of answers.byName.get(name)?.rules ?? []) {
        const rest = conditions.filter(({ index }) => index !== 0);
        rules.push({ action, conditions: [equal(0, number), ...rest] });
      }
    });
    if (rules.length > 0) byName.set(multiplexer, { name: multiplexer, rules, verdicts: {} });
  }
  const newer = addTable(ranges, abi, { ...answers, byName });
  ranges.fill(NUMBERS, newer ?? answers.other);
}
