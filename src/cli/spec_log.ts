import { DEFAULT_LOG, type LogOptions } from "../container/definition.ts";
import { cut, parsed } from "./grammar.ts";
import { parseDecimalSize, parseInteger, parseSize } from "./number.ts";
import type { RunSpec, Wish } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";

/** Other engines' names for what is one kind of log here: files that are rotated, read by `logs`. */
const FILES = ["local", "json-file", "k8s-file"];

/** `--log-driver` and `--log-opt`. */
export function applyLog({ engine }: RunSpec, { line: { flags } }: Wish): void {
  const log: LogOptions = { ...DEFAULT_LOG };
  const driver = flags["log-driver"];
  if (driver === "none") log.driver = "none";
  else if (driver !== undefined && !FILES.includes(driver)) {
    const there = [...FILES, "none"].join(", ");
    throw new UsageError(`--log-driver: knows no "${driver}"; there are ${there}`);
  }
  for (const text of flags["log-opt"]) parsed("--log-opt", text, (text) => applyOption(log, text));
  engine.log = log;
}

/** Changes what one option says; its names and units are docker's. */
type Option = (log: LogOptions, value: string) => void;

const OLDEST = 100, LEAST_BYTES = 1;

const OPTIONS: Record<string, Option> = {
  "max-size": (log, value) => {
    const limitBytes = value === "-1" ? Number.MAX_SAFE_INTEGER : parseDecimalSize(value);
    if (limitBytes < LEAST_BYTES) throw new UsageError(`"${value}" leaves no room for a log`);
    log.limitBytes = limitBytes;
  },
  "max-file": (log, value) => log.files = parseInteger(value, 1, OLDEST),
  // The supervisor never waits for whoever reads the log, and the disk it writes to does not wait.
  "mode": (_, value) => {
    if (value === "blocking" || value === "non-blocking") return;
    throw new UsageError(`"${value}" is neither blocking nor non-blocking`);
  },
  "max-buffer-size": (_, value) => void parseSize(value),
};

function applyOption(log: LogOptions, text: string): void {
  const [name, value] = cut(text);
  const apply = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (!apply) {
    throw new UsageError(`there is no "${name}"; there are ${Object.keys(OPTIONS).join(", ")}`);
  }
  if (value === undefined || value === "") throw new UsageError(`"${name}" needs a value`);
  apply(log, value);
}
