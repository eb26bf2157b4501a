import type { LinuxSeccomp } from "../../spec/types.ts";
import { SpecError } from "../../spec/error.ts";
import { type Action, actionOf } from "./action.ts";
import {
  compareConditions,
  type Condition,
  conditionOf,
  isAlways,
  type Width,
} from "./condition.ts";

/** An action for the calls whose arguments meet all conditions. */
export interface Rule {
  action: Action;
  conditions: Condition[];
}

/** What a profile says of the system calls of one or more names, as it is listed. */
export interface Rules {
  name: string;
  rules: Rule[];
  /** What they come to, by {@link Width}; filled in when first asked for. */
  verdicts: Partial<Record<Width, Verdict>>;
}

/** The answer to a system call: one for all arguments, or that of the first rule that holds. */
export type Verdict = Action | Choice;

/** Rules that look at arguments, in the order in which they are asked. */
export interface Choice {
  rules: Rule[];
  width: Width;
}

/**
 * The rules of a profile by the calls' names. As runc does, rules of the default action are left
 * out, and conditions of which two look at one argument become a rule each. Names with the same
 * single entry share one {@link Rules}.
 *
 * @throws SpecError for what {@link actionOf} and {@link conditionOf} do not know
 */
export function rulesByName(profile: LinuxSeccomp, other: Action): Map<string, Rules> {
  const byName = new Map<string, Rules>();
  for (
    const [index, { names, action, errnoRet, args = [] }] of (profile.syscalls ?? []).entries()
  ) {
    const field = `linux.seccomp.syscalls[${index}]`;
    const answer = actionOf(action, errnoRet, `${field}.action`);
    const conditions = args.map((arg, i) => conditionOf(arg, `${field}.args[${i}]`));
    const added = answer === other ? [] : separate(conditions).map((c) => newRule(answer, c));
    const alone: Rules = { name: names[0] ?? "", rules: added, verdicts: {} };
    for (const name of names) {
      const before = byName.get(name);
      if (before === undefined) byName.set(name, alone);
      else byName.set(name, { name, rules: [...before.rules, ...added], verdicts: {} });
    }
  }
  return byName;
}

/**
 * What rules come to: the first one without conditions decides alone, else the most specific one
 * that holds, in libseccomp's order; without rules, `other`.
 *
 * @throws SpecError for two actions on the same conditions, as libseccomp refuses them (EEXIST)
 */
export function verdictOf(of: Rules, width: Width, other: Action): Verdict {
  return of.verdicts[width] ??= of.rules.length === 0 ? other : decide(of, width);
}

function decide({ name, rules }: Rules, width: Width): Verdict {
  const conditional: Rule[] = [];
  for (const { action, conditions } of rules) {
    const needed = conditions.filter((condition) => !isAlways(condition, width));
    if (needed.length === 0) return action;
    conditional.push({ action, conditions: needed });
  }
  const choice = { rules: conditional, width };
  if (conditional.every(({ action }) => action === conditional[0]?.action)) return choice;
  const rank = (a: Rule, b: Rule) => compareRules(a, b, width);
  conditional.sort(rank);
  for (const [index, rule] of conditional.entries()) {
    const next = conditional[index + 1];
    if (next && next.action !== rule.action && rank(rule, next) === 0) {
      const message = `"${name}" has two actions for the same arguments`;
      throw new SpecError("linux.seccomp.syscalls", message);
    }
  }
  return choice;
}

function compareRules(a: Rule, b: Rule, width: Width): number {
  for (const [index, condition] of a.conditions.entries()) {
    const other = b.conditions[index];
    const rank = other ? compareConditions(condition, other, width) : 1;
    if (rank !== 0) return rank;
  }
  return a.conditions.length - b.conditions.length;
}

function separate(conditions: Condition[]): Condition[][] {
  const indices = new Set(conditions.map(({ index }) => index));
  return indices.size === conditions.length ? [conditions] : conditions.map((one) => [one]);
}

/** Conditions in the order of the arguments: rules are compared so. */
function newRule(action: Action, conditions: Condition[]): Rule {
  return { action, conditions: conditions.toSorted((a, b) => a.index - b.index) };
}
