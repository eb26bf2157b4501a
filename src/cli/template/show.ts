/** What a missing key of a map is: Go prints it so. */
export const NO_VALUE = "<no value>";

/** Whether a value is an object with fields: a struct or a map of Go's. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value holds: all but false, 0, "", nil and what is empty; text/template, "truth". */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isRecord(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A value as `{{.}}` prints it: Go's fmt verb %v. */
export function show(value: unknown): string {
  if (value === undefined) return NO_VALUE;
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(show).join(" ")}]`;
  if (isRecord(value)) {
    const keys = Object.keys(value).sort();
    return `map[${keys.map((key) => `${key}:${show(value[key])}`).join(" ")}]`;
  }
  return String(value);
}

/** A value as `{{json .}}` prints it: one line. */
export function json(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

const FLAGS = /%([-+ 0#]*)(\d+)?(?:\.(\d+))?(.)/gsu;

/**
 * Go's fmt.Sprintf with the verbs v s q d x X o b f g e t c and %.
 *
 * What has no argument, or an argument of another kind, is printed as Go does: `%!d(string=x)`.
 */
export function sprintf(format: string, values: readonly unknown[]): string {
  let used = 0;
  const text = format.replace(FLAGS, (_, flags, width, precision, verb) => {
    if (verb === "%") return "%";
    if (used >= values.length) return `%!${verb}(MISSING)`;
    const shown = formatted(verb, values[used++], flags, precision && Number(precision));
    const wide = Number(width ?? 0);
    if (flags.includes("-")) return shown.padEnd(wide);
    if (!flags.includes("0") || !/^[-+]?\d/.test(shown)) return shown.padStart(wide);
    const sign = /^[-+]?/.exec(shown)?.[0] ?? "";
    return sign + shown.slice(sign.length).padStart(wide - sign.length, "0");
  });
  if (used >= values.length) return text;
  const extra = values.slice(used).map((value) => `${kindOf(value)}=${show(value)}`);
  return `${text}%!(EXTRA ${extra.join(", ")})`;
}

const BASES: Record<string, number> = { d: 10, x: 16, X: 16, o: 8, b: 2 };

function formatted(verb: string, value: unknown, flags: string, precision?: number): string {
  const wrong = `%!${verb}(${kindOf(value)}=${show(value)})`;
  if (verb === "v") return show(value);
  if (verb === "s") return show(value).slice(0, precision);
  if (verb === "q") return typeof value === "number" ? wrong : JSON.stringify(show(value));
  if (verb === "t") return typeof value === "boolean" ? String(value) : wrong;
  const isWhole = typeof value === "bigint" || Number.isInteger(value);
  const plus = (text: string) => flags.includes("+") && !text.startsWith("-") ? `+${text}` : text;
  const base = BASES[verb];
  if (base !== undefined) {
    if ((verb === "x" || verb === "X") && typeof value === "string") {
      const hex = new TextEncoder().encode(value).toHex();
      return verb === "X" ? hex.toUpperCase() : hex;
    }
    if (!isWhole || (typeof value !== "number" && typeof value !== "bigint")) return wrong;
    const digits = value.toString(base);
    return plus(verb === "X" ? digits.toUpperCase() : digits);
  }
  if (typeof value !== "number") return wrong;
  if (verb === "c") return String.fromCodePoint(value);
  if (verb === "f" || verb === "F") return plus(value.toFixed(precision ?? 6));
  if (verb === "e") {
    return plus(value.toExponential(precision ?? 6).replace(/e([-+])(\d)$/, "e$10$2"));
  }
  if (verb === "g") {
    return plus(precision ? String(Number(value.toPrecision(precision))) : `${value}`);
  }
  return wrong;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  if (Array.isArray(value)) return "[]interface {}";
  return isRecord(value) ? "map[string]interface {}" : typeof value;
}
