import type { Functions } from "./evaluate.ts";
import { isRecord, isTrue, json, show, sprintf } from "./show.ts";

/** What a function says of arguments that it cannot take. */
export class ArgumentError extends Error {}

/** docker's functions and those of text/template; `and` and `or` are evaluate.ts's. */
export const FUNCTIONS: Functions = {
  json: { takes: [1, 1], call: ([value]) => json(value) },
  upper: { takes: [1, 1], call: ([value]) => text(value).toUpperCase() },
  lower: { takes: [1, 1], call: ([value]) => text(value).toLowerCase() },
  title: {
    takes: [1, 1],
    call: ([value]) => text(value).replace(/(^|\s)(\S)/gu, (_, a, b) => a + b.toUpperCase()),
  },
  join: { takes: [2, 2], call: ([list, separator]) => items(list).map(show).join(text(separator)) },
  split: { takes: [2, 2], call: ([value, separator]) => text(value).split(text(separator)) },
  pad: {
    takes: [3, 3],
    call: ([value, before, after]) =>
      text(value) === "" ? "" : " ".repeat(whole(before)) + text(value) + " ".repeat(whole(after)),
  },
  truncate: {
    takes: [2, 2],
    call: ([value, most]) => Array.from(text(value)).slice(0, whole(most)).join(""),
  },
  print: {
    takes: [0, Infinity],
    // Go puts blanks between two values neither of which is a string.
    call: (values) =>
      values.reduce<string>((line, value, at) => {
        const apart = at > 0 && typeof value !== "string" && typeof values[at - 1] !== "string";
        return `${line}${apart ? " " : ""}${show(value)}`;
      }, ""),
  },
  println: { takes: [0, Infinity], call: (values) => `${values.map(show).join(" ")}\n` },
  printf: { takes: [1, Infinity], call: ([format, ...rest]) => sprintf(text(format), rest) },
  len: { takes: [1, 1], call: ([value]) => lengthOf(value) },
  index: { takes: [1, Infinity], call: ([value, ...keys]) => keys.reduce(element, value) },
  slice: {
    takes: [1, 3],
    call: ([value, from, to]) => {
      const cut = typeof value === "string" ? value : items(value);
      const [start, end] = [whole(from ?? 0), whole(to ?? cut.length)];
      if (start < 0 || start > end || end > cut.length) {
        throw new ArgumentError(`${start} to ${end} is outside of ${cut.length}`);
      }
      return cut.slice(start, end);
    },
  },
  not: { takes: [1, 1], call: ([value]) => !isTrue(value) },
  eq: {
    takes: [2, Infinity],
    call: ([one, ...others]) => others.some((o) => compare(one, o) === 0),
  },
  ne: { takes: [2, 2], call: ([one, other]) => compare(one, other) !== 0 },
  lt: { takes: [2, 2], call: ([one, other]) => order(one, other) < 0 },
  le: { takes: [2, 2], call: ([one, other]) => order(one, other) <= 0 },
  gt: { takes: [2, 2], call: ([one, other]) => order(one, other) > 0 },
  ge: { takes: [2, 2], call: ([one, other]) => order(one, other) >= 0 },
};

/** The same for the heading of a table: what changes a value leaves its name as it is; as docker. */
export const HEADER_FUNCTIONS: Functions = {
  ...FUNCTIONS,
  ...Object.fromEntries(
    ["json", "upper", "lower", "title", "join", "split", "truncate", "pad", "slice"].map((name) => [
      name,
      { takes: [1, Infinity] as const, call: ([value]: readonly unknown[]) => value },
    ]),
  ),
};

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new ArgumentError(`${show(value)} is no text`);
}

function whole(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return Math.max(value, -1);
  throw new ArgumentError(`${show(value)} is no whole number`);
}

function items(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (value === undefined || value === null) return [];
  throw new ArgumentError(`${show(value)} is no list`);
}

function lengthOf(value: unknown): number {
  if (typeof value === "string") return new TextEncoder().encode(value).length; // Bytes, as in Go.
  if (Array.isArray(value)) return value.length;
  if (isRecord(value)) return Object.keys(value).length;
  if (value === undefined || value === null) return 0;
  throw new ArgumentError(`${show(value)} has no length`);
}

function element(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    const at = typeof key === "number" ? key : NaN;
    if (at >= 0 && at < value.length) return value[at];
    throw new ArgumentError(`${show(key)} is outside of a list of ${value.length}`);
  }
  if (isRecord(value)) return Object.hasOwn(value, show(key)) ? value[show(key)] : "";
  if (value === undefined || value === null || value === "") return ""; // A map that is not there.
  throw new ArgumentError(`${show(value)} has no elements`);
}

/** 0 where they are the same; undefined where they cannot be compared. */
function compare(one: unknown, other: unknown): number | undefined {
  if (typeof one === "object" && one !== null) throw new ArgumentError("a list cannot be compared");
  if (typeof other === "object" && other !== null) {
    throw new ArgumentError("a list cannot be compared");
  }
  const bothNothing = (one ?? null) === null && (other ?? null) === null;
  return one === other || bothNothing ? 0 : undefined;
}

function order(one: unknown, other: unknown): number {
  const comparable = (typeof one === "number" && typeof other === "number") ||
    (typeof one === "string" && typeof other === "string");
  if (!comparable) throw new ArgumentError(`${show(one)} and ${show(other)} have no order`);
  return one === other ? 0 : one < other ? -1 : 1;
}
