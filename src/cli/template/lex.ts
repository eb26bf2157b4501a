import { TemplateError } from "./error.ts";

/** A word of a template; `at` is where it begins. */
export interface Token {
  kind: "text" | "open" | "close" | "string" | "number" | "field" | "variable" | "name" | "sign";
  /** A string's content; a field's and a variable's name without "." and "$". */
  text: string;
  at: number;
  /** Whether blanks are in front: `.A.B` is one operand, `.A .B` are two. */
  apart: boolean;
}

const WORDS: readonly [kind: Token["kind"], pattern: RegExp][] = [
  ["string", /"(?:[^"\\\n]|\\.)*"/y],
  ["string", /`[^`]*`/y],
  ["number", /[-+]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)/y],
  ["field", /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ["variable", /\$[\p{L}\p{N}_]*/uy],
  ["name", /[\p{L}_][\p{L}\p{N}_]*/uy],
  ["sign", /:=|[=|(),.]/y],
];
const BLANKS = /[ \t\r\n]+/y;
const COMMENT = /\{\{(?:- )?\/\*[^]*?\*\/(?: -)?\}\}/y;

/**
 * The words of a template. `{{- ` and ` -}}` take the blanks beside them away; comments are gone.
 *
 * @throws {TemplateError} where something can be no word, or an action does not end
 */
export function tokens(source: string): Token[] {
  const found: Token[] = [];
  for (let at = 0, trim = false; at < source.length;) {
    const open = source.indexOf("{{", at);
    const end = open === -1 ? source.length : open;
    const trimsBefore = /^\{\{-[ \t\r\n]/.test(source.slice(end, end + 4));
    let text = source.slice(at, end);
    if (trim) text = text.trimStart();
    if (trimsBefore) text = text.trimEnd();
    if (text !== "") found.push({ kind: "text", text, at, apart: false });
    if (open === -1) break;
    COMMENT.lastIndex = open;
    const comment = COMMENT.exec(source)?.[0];
    if (comment !== undefined) {
      [at, trim] = [open + comment.length, comment.endsWith(" -}}")];
      continue;
    }
    found.push({ kind: "open", text: "{{", at: open, apart: false });
    [at, trim] = action(source, open + (trimsBefore ? 3 : 2), open, found);
  }
  return found;
}

/** @returns where the action ends, and whether the blanks behind it go */
function action(source: string, from: number, open: number, found: Token[]): [number, boolean] {
  for (let at = from;;) {
    const start = at;
    BLANKS.lastIndex = at;
    at += BLANKS.exec(source)?.[0].length ?? 0;
    const apart = at > start;
    if (at >= source.length) throw new TemplateError('"{{" without "}}"', open);
    const close = apart && source.startsWith("-}}", at)
      ? "-}}"
      : source.startsWith("}}", at)
      ? "}}"
      : undefined;
    if (close) {
      found.push({ kind: "close", text: close, at, apart });
      return [at + close.length, close === "-}}"];
    }
    const token = word(source, at, apart);
    found.push(token.token);
    at = token.end;
  }
}

function word(source: string, at: number, apart: boolean): { token: Token; end: number } {
  for (const [kind, pattern] of WORDS) {
    pattern.lastIndex = at;
    const raw = pattern.exec(source)?.[0];
    if (raw === undefined) continue;
    const text = kind === "string"
      ? unquote(raw, at)
      : kind === "field" || kind === "variable"
      ? raw.slice(1)
      : raw;
    return { token: { kind, text, at, apart }, end: at + raw.length };
  }
  const rest = source.slice(at).split("}}")[0]?.slice(0, 10) ?? "";
  const what = rest.startsWith('"') || rest.startsWith("`")
    ? "a string that does not end"
    : "no word";
  throw new TemplateError(`"${rest}" is ${what}`, at);
}

const ESCAPES: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
};

/** As Go's strconv.Unquote. */
function unquote(raw: string, at: number): string {
  const inner = raw.slice(1, -1);
  if (raw.startsWith("`")) return inner;
  const pattern = /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([0-7]{3})|(.))/gi;
  return inner.replace(pattern, (whole, x, u, long, octal, letter) => {
    const hex = x ?? u ?? long;
    const code = hex !== undefined ? parseInt(hex, 16) : octal ? parseInt(octal, 8) : undefined;
    if (code !== undefined && code <= 0x10ffff) return String.fromCodePoint(code);
    const known = letter === undefined ? undefined : ESCAPES[letter];
    if (known === undefined) throw new TemplateError(`${raw}: there is no escape "${whole}"`, at);
    return known;
  });
}
