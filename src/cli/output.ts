/**
 * What listing commands print: docker's `--format`, which is a table, JSON, or a template for each.
 *
 * @see docker's "Format command and log output"
 * @module
 */
import { aligned } from "./table.ts";
import { UsageError } from "./usage_error.ts";

/** What can be listed of something, by docker's names; functions are for templates alone. */
export type Row = Readonly<Record<string, unknown>>;

/** How rows are printed where the user says nothing else. */
export interface Listing {
  /** The fields of a row that have a heading, and what it is. */
  headings: Readonly<Record<string, string>>;
  /** The fields that the table shows, in their order. */
  columns: readonly string[];
  /** The field that `--quiet` prints. */
  quiet?: string;
  /** Fields that are called with one argument, which is then the heading. */
  called?: readonly string[];
}

/** `--format` and `--quiet`, as far as a command has them. */
export interface Style {
  format?: string | undefined;
  quiet?: boolean;
  /** Leaves out the headings of a table. */
  bare?: boolean;
}

/**
 * Rows as `--format` wants them: nothing or "table", "json" (one object a line), a template, or
 * "table " and a template.
 *
 * @returns lines with their ends
 * @throws {UsageError} that says what is wrong with the template, and where
 */
export async function listed(
  { headings, columns, quiet, called = [] }: Listing,
  rows: readonly Row[],
  style: Style,
): Promise<string> {
  const { format = "" } = style;
  if (format === "json") return await lines("{{json .}}", rows);
  if (format !== "" && format !== "table" && !format.startsWith("table ")) {
    return await lines(unescaped(format), rows);
  }
  if (style.quiet && quiet !== undefined) return rows.map((row) => `${row[quiet]}\n`).join("");
  if (format === "" || format === "table") {
    const cells = rows.map((row) => columns.map((name) => String(row[name] ?? "")));
    const head = columns.map((name) => headings[name] ?? name.toUpperCase());
    return aligned(style.bare ? cells : [head, ...cells]);
  }
  const template = unescaped(format.slice("table ".length).trim());
  const body = await lines(template, rows);
  const top = style.bare ? "" : await heading(template, headings, called);
  return aligned((top + body).split("\n").slice(0, -1).map((line) => line.split("\t")));
}

/**
 * Things as `inspect` prints them: an indented array, one in a line ("json"), or a template for each.
 *
 * @throws {UsageError} as listed
 */
export async function inspected(
  things: readonly Row[],
  format: string | undefined,
): Promise<string> {
  if (format === undefined || format === "") return `${JSON.stringify(things, null, 4)}\n`;
  if (format === "json") return `${JSON.stringify(things)}\n`;
  return await lines(unescaped(format), things);
}

/** Prints text as it is; console.log would end it with one more line. */
export function print(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

async function lines(template: string, rows: readonly Row[]): Promise<string> {
  const { execute, FUNCTIONS, parseTemplate } = await import("./template/mod.ts");
  return await told(template, () => {
    const nodes = parseTemplate(template);
    return rows.map((row) => `${execute(nodes, row, FUNCTIONS)}\n`).join("");
  });
}

/** The template carried out on the headings. */
async function heading(
  template: string,
  headings: Readonly<Record<string, string>>,
  called: readonly string[],
): Promise<string> {
  const { execute, HEADER_FUNCTIONS, parseTemplate } = await import("./template/mod.ts");
  const calls = Object.fromEntries(called.map((name) => [name, (given: unknown) => given]));
  const data = { ...headings, ...calls };
  return await told(
    template,
    () => `${execute(parseTemplate(template), data, HEADER_FUNCTIONS)}\n`,
  );
}

/** As docker, before the template is read. */
function unescaped(format: string): string {
  return format.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
}

async function told(template: string, act: () => string): Promise<string> {
  const { TemplateError } = await import("./template/mod.ts");
  try {
    return act();
  } catch (cause) {
    if (!(cause instanceof TemplateError)) throw cause;
    throw new UsageError(`--format: ${JSON.stringify(template)} ${cause.message}`, { cause });
  }
}
