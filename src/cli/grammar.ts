/**
 * The grammar of the command line: docker's, that is pflag's with interspersed options off.
 *
 * `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-f=value`, switches in one bundle
 * (`-it`, `-itv /a:/b`), `--switch=false`. A flag that has a value takes the next word whatever it
 * looks like (`--memory-swap -1`). Options end at the first operand or at `--`.
 *
 * The flags are tables, so that help, completions and the manual can be made from what is parsed.
 * Why no package: of those tried, each refuses some of these forms (`-1` as a value, `-p80:80`,
 * `--rm=false`, options that end at the first operand), and costs milliseconds at each start.
 *
 * @module
 */

import { UsageError } from "./usage_error.ts";

/** One flag of a command, as data. */
export interface Flag {
  /** Without the dashes: "memory". */
  readonly name: string;
  /** One letter: "m" for `-m`. */
  readonly short?: string;
  /** What stands for the value in the help text; absent: a switch, which has none. */
  readonly value?: string;
  /** May be given several times; the values are a list. */
  readonly many?: true;
  /** Fragment without a full stop. */
  readonly help: string;
  /** What holds without it, in words or as a value; only to be shown. */
  readonly default?: string;
  /** Where the value is one of a few: for completion, and checked. */
  readonly choices?: readonly string[];
  /** Another spelling of the flag of this name, left out of the help. */
  readonly aliasOf?: string;
}

/** The flags of one heading of the help text, and one mechanism. */
export interface FlagGroup {
  readonly name: string;
  readonly title: string;
  readonly flags: readonly Flag[];
}

/** A command's flags and what its help says besides. */
export interface Grammar {
  /** As typed: "run", or "network create". */
  readonly command: string;
  readonly operands: string;
  readonly summary: string;
  readonly groups: readonly FlagGroup[];
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [command: string, does: string])[];
}

type ValueOf<F extends Flag> = F extends { many: true } ? readonly string[]
  : F extends { value: string } ? string | undefined
  : boolean;

/** The values of a grammar's flags by name: lists, strings that may be absent, and switches. */
export type Values<G extends Grammar> = {
  readonly [F in G["groups"][number]["flags"][number] as F["name"]]: ValueOf<F>;
};

/** A command line taken apart. */
export interface CommandLine<G extends Grammar> {
  readonly flags: Values<G>;
  /** The names of the flags that were there, aliases resolved. */
  readonly given: ReadonlySet<string>;
  /** The names of the groups of which a flag was there. */
  readonly groups: ReadonlySet<string>;
  /** From the first operand on. */
  readonly operands: readonly string[];
  /** `--help` was there; the rest of the line was not looked at. */
  readonly help: boolean;
}

type Found = { readonly flag: Flag; readonly group: string };

/**
 * Takes a command line apart by its grammar.
 *
 * @throws {UsageError} for an unknown flag, a value that is missing, or one too many
 */
export function parseCommandLine<const G extends Grammar>(
  grammar: G,
  argv: readonly string[],
): CommandLine<G> {
  const values = absent(grammar);
  const line = { given: new Set<string>(), groups: new Set<string>(), help: false };
  const set = ({ flag, group }: Found, value: string | boolean) => {
    const name = flag.aliasOf ?? flag.name;
    line.given.add(name);
    line.groups.add(group);
    const list = values[name];
    if (Array.isArray(list)) list.push(String(value));
    else values[name] = value;
  };
  let at = 0;
  /** The value that a flag has with it, or else the next word. */
  const valueFor = ({ flag }: Found, spelled: string, attached: string | undefined) => {
    if (flag.value === undefined) return switchValue(spelled, attached ?? "true", grammar);
    const value = attached ?? argv[at++];
    if (value === undefined) throw wrongUse(grammar, `"${spelled}" needs a value: ${flag.value}`);
    if (flag.choices && !flag.choices.includes(value)) {
      const choices = flag.choices.join(", ");
      throw wrongUse(grammar, `"${spelled}" is one of ${choices}, not "${value}"`);
    }
    return value;
  };
  while (at < argv.length) {
    const word = argv[at] ?? "";
    if (word === "-" || !word.startsWith("-")) break;
    at++;
    if (word === "--") break;
    if (word === "--help") {
      line.help = true;
      break;
    }
    if (word.startsWith("--")) {
      const [name, attached] = cut(word.slice(2));
      const found = find(grammar, (flag) => flag.name === name);
      if (!found) throw unknownFlag(grammar, `--${name}`);
      set(found, valueFor(found, `--${name}`, attached));
      continue;
    }
    for (let letters = word.slice(1); letters !== "";) {
      const letter = letters.charAt(0);
      const found = find(grammar, ({ short }) => short === letter);
      if (!found) throw wrongUse(grammar, `unknown flag "-${letter}" in "${word}"`);
      const rest = letters.slice(1);
      const bundled = found.flag.value === undefined && !rest.startsWith("=");
      const attached = bundled || rest === "" ? undefined : rest.replace(/^=/, "");
      set(found, valueFor(found, `-${letter}`, attached));
      letters = bundled ? rest : "";
    }
  }
  // The one place where the type of the values is claimed: the table has just decided them.
  return { ...line, flags: values as Values<G>, operands: argv.slice(at) };
}

/** The values of a command line without any flag. */
function absent({ groups }: Grammar): Record<string, string | boolean | string[]> {
  const values: Record<string, string | boolean | string[]> = {};
  for (const { flags } of groups) {
    for (const { name, value, many } of flags) {
      if (many) values[name] = [];
      else if (value === undefined) values[name] = false;
    }
  }
  return values;
}

/** Few flags are given of the hundred that `run` has: looking for them is faster than an index. */
function find({ groups }: Grammar, is: (flag: Flag) => boolean): Found | undefined {
  for (const { name: group, flags } of groups) {
    const flag = flags.find(is);
    if (flag) return { flag, group };
  }
  return undefined;
}

/**
 * What a parser of values makes of a flag's value.
 *
 * @throws {UsageError} with the flag's name in front
 */
export function parsed<T>(flag: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(`${flag}: ${cause.message}`, { cause });
  }
}

/** An error of the command line, with where to read more. */
export function wrongUse({ command }: Grammar, message: string): UsageError {
  return new UsageError(`${message}; see 'minictr ${command} --help'`);
}

/** The word among some that one most probably meant, or undefined. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  let least = most + 1;
  for (const candidate of words) {
    const distance = editDistance(word, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  // A word that is cut short is far from the whole, but seldom meant otherwise.
  return best ?? words.find((candidate) => word.length >= 3 && candidate.startsWith(word));
}

function unknownFlag(grammar: Grammar, spelled: string): UsageError {
  const names = grammar.groups.flatMap(({ flags }) => flags.map(({ name }) => name));
  const meant = nearest(spelled.slice(2), names);
  const hint = meant === undefined ? "" : `: did you mean "--${meant}"?`;
  return wrongUse(grammar, `unknown flag "${spelled}"${hint}`);
}

/** As Go's strconv.ParseBool. */
function switchValue(spelled: string, text: string, grammar: Grammar): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw wrongUse(grammar, `"${spelled}" is true or false, not "${text}"`);
}

/** What is before the first "=" and what behind it, if there is one. */
export function cut(text: string): [string, string | undefined] {
  const at = text.indexOf("=");
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Letters to insert, leave out, replace, or swap with the next (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((above[j - 1] ?? 0) + same, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    [before, above] = [above, row];
  }
  return above[b.length] ?? 0;
}
