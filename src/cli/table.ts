/** docker's: a column is three blanks wider than its widest cell, and ten at least. */
const GAP = 3, WIDTH_MIN = 10;

/** What a terminal would take for orders of its own, or for the end of a line. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const PLAIN = /^[ -~]*$/;
const INVISIBLE = /[\p{Mn}\p{Me}\p{Cf}]/u;
/** Characters that take two columns; East Asian Width, UAX #11, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Columns that text takes on a terminal. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const character of text) {
    columns += INVISIBLE.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  }
  return columns;
}

/** Text in one line of a table: what a container may have chosen does not move the cursor. */
export function oneLine(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(
    CONTROLS,
    (c) =>
      c === "\t" || c === "\n"
        ? " "
        : `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** Rows of cells, one below the other; the last cell of a row is not padded. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  const shown = rows.map((row) => row.map(oneLine));
  for (const row of shown) {
    for (const [at, cell] of row.slice(0, -1).entries()) {
      widths[at] = Math.max(widths[at] ?? WIDTH_MIN, columnsOf(cell) + GAP);
    }
  }
  const line = (row: readonly string[]) =>
    row.map((cell, at) =>
      at === row.length - 1 ? cell : cell + " ".repeat((widths[at] ?? 0) - columnsOf(cell))
    ).join("").trimEnd();
  return shown.map((row) => `${line(row)}\n`).join("");
}
