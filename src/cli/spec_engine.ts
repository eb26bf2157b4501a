import { parsed } from "./grammar.ts";
import { parseName } from "./name.ts";
import { parseDuration, parseInteger } from "./number.ts";
import { parsePair, parsePairs } from "./pair.ts";
import type { RunSpec, Wish } from "./run_spec.ts";
import { parseSignal } from "./signal.ts";

/** A day is longer than anybody waits for a container to stop. */
const STOP_LIMIT_SECONDS = 86_400;

/** The flags of which the kernel knows nothing: names, labels, how a container ends. */
export function applyEngine(made: RunSpec, { line: { flags }, context }: Wish): void {
  const { engine, spec } = made;
  if (flags.name !== undefined) engine.name = parsed("--name", flags.name, parseName);
  if (flags["detach-keys"] !== undefined) engine.detachKeys = flags["detach-keys"];
  if (flags.cidfile !== undefined) engine.cidfile = flags.cidfile;
  if (flags.pidfile !== undefined) engine.pidfile = flags.pidfile;
  const signal = flags["stop-signal"] ?? context.image?.stopSignal;
  if (signal !== undefined) engine.stopSignal = parsed("--stop-signal", signal, parseSignal);
  const stop = flags["stop-timeout"];
  if (stop !== undefined) {
    const read = (text: string) => parseInteger(text, 0, STOP_LIMIT_SECONDS);
    engine.stopTimeoutMs = parsed("--stop-timeout", stop, read) * 1000;
  }
  const timeoutMs = flags.timeout === undefined ? undefined : timeoutOf(flags.timeout);
  if (timeoutMs !== undefined) engine.timeoutMs = timeoutMs;
  for (const path of flags["label-file"]) {
    const read = () => parsePairs(context.readFile(path), () => "");
    for (const pair of parsed(`--label-file "${path}"`, path, read)) addLabel(engine.labels, pair);
  }
  for (const pair of flags.label) parsed("--label", pair, (text) => addLabel(engine.labels, text));
  for (const pair of flags.annotation) {
    const [key, value] = parsed("--annotation", pair, (text) => parsePair(text, true));
    (spec.annotations ??= {})[key] = value;
  }
}

/** `--timeout`; 0 is no limit, as in podman. */
export function timeoutOf(text: string): number | undefined {
  return parsed("--timeout", text, parseDuration) || undefined;
}

function addLabel(labels: Record<string, string>, pair: string): void {
  const [key, value] = parsePair(pair);
  labels[key] = value;
}
