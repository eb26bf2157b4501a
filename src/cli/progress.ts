/**
 * Shows how far something is: a bar that is redrawn on a terminal, a line now and then elsewhere.
 *
 * Own code: the packages for it start at four modules and draw through Node's streams.
 *
 * @module
 */

/** What is being done, and how much of how much; see rootfs/recipe.ts. */
export interface Shown {
  step: string;
  done?: number;
  total?: number;
  unit?: "bytes" | "files" | "packages";
}

/** Where progress goes. */
export interface Screen {
  /** Whether lines can be redrawn. */
  isTerminal: boolean;
  /** Characters in a line. */
  columns: number;
  write(text: string): void;
  nowMs(): number;
}

const REDRAW_MS = 100, PLAIN_MS = 5000, BAR_CELLS = 24;

/** Draws one line of progress; `end` takes it away. */
export class ProgressLine {
  readonly #screen: Screen;
  #lastMs = -Infinity;
  #lastVerb = "";
  #drawn = false;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  show(shown: Shown): void {
    const now = this.#screen.nowMs();
    const verb = shown.step.split(" ")[0] ?? "";
    const everyMs = this.#screen.isTerminal ? REDRAW_MS : PLAIN_MS;
    if (verb === this.#lastVerb && now - this.#lastMs < everyMs) return;
    this.#lastMs = now;
    this.#lastVerb = verb;
    if (this.#screen.isTerminal) this.#draw(bar(shown, this.#screen.columns));
    else this.#screen.write(`${printable(shown.step)}${amount(shown)}\n`);
  }

  end(): void {
    if (this.#drawn) this.#screen.write("\r\x1b[K");
    this.#drawn = false;
  }

  #draw(text: string): void {
    this.#screen.write(`\r\x1b[K${text}`);
    this.#drawn = true;
  }
}

/** Standard error as the place for progress: standard output carries results. */
export function standardError(): Screen {
  const encoder = new TextEncoder();
  return {
    isTerminal: Deno.stderr.isTerminal(),
    columns: columns(),
    write: (text) => {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
    },
    nowMs: () => performance.now(),
  };
}

/** One line that fits: bar and percentage where the total is known, else only the amount. */
export function bar(shown: Shown, columns: number): string {
  const { done, total } = shown;
  const step = printable(shown.step);
  if (done === undefined || total === undefined || total <= 0) {
    return `${step}${amount(shown)}`.slice(0, columns - 1);
  }
  const part = Math.min(done / total, 1);
  const full = Math.round(part * BAR_CELLS);
  const cells = `[${"#".repeat(full)}${".".repeat(BAR_CELLS - full)}]`;
  const percent = `${Math.floor(part * 100)}`.padStart(3);
  return `${cells} ${percent} % ${step}${amount(shown)}`.slice(0, columns - 1);
}

/** Bytes with the decimal units that docker prints sizes with: 1983165 → `1.98MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes, unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))}${units[unit]}`;
}

function amount({ done, total, unit }: Shown): string {
  if (done === undefined) return "";
  const number = (value: number) => unit === "bytes" ? formatBytes(value) : String(value);
  const of = total === undefined ? "" : ` of ${number(total)}`;
  return ` (${number(done)}${of}${unit === "bytes" || unit === undefined ? "" : ` ${unit}`})`;
}

/** A step may carry a name from outside: nothing in it may steer the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
}

function columns(): number {
  try {
    return Math.max(Deno.consoleSize().columns, 20);
  } catch {
    return 80; // No terminal at all.
  }
}
