import { readExit } from "../container/definition.ts";
import { pick } from "../container/find.ts";
import { readHealth } from "../container/health.ts";
import type { Known } from "../container/list.ts";
import type { Roots } from "../container/mod.ts";
import { cut, nearest, wrongUse } from "./grammar.ts";
import { PS } from "./ps_flags.ts";
import { type Candidate, volumeName } from "./ps_row.ts";

/** What the filters are judged by, besides the container itself. */
interface Around {
  roots: Roots;
  all: readonly Known[];
}

type Judge = (candidate: Candidate, value: string, around: Around) => boolean;

const created = ({ definition, state }: Known) => definition?.created ?? state?.created ?? "";

const STATUSES = ["created", "running", "paused", "restarting", "exited", "dead", "removing"];

const JUDGES: Readonly<Record<string, Judge>> = {
  id: ({ known }, value) => known.id.startsWith(value),
  name: ({ known }, value) =>
    pattern(value).test(known.name) || pattern(value).test(`/${known.name}`),
  label: ({ known }, value) => hasLabel(known.definition?.labels, value),
  status: ({ status }, value) => status === oneOf("status", value, STATUSES),
  exited: ({ known, status }, value, { roots }) => {
    if (!/^\d+$/.test(value)) throw wrongUse(PS, `exited=N is a number, not "${value}"`);
    return status === "exited" && readExit(roots, known.id)?.status === Number(value);
  },
  ancestor: ({ known }, value) =>
    known.definition?.image === value || known.definition?.image === `${value}:latest`,
  before: ({ known }, value, { all }) => created(known) < created(pick([...all], value)),
  since: ({ known }, value, { all }) => created(known) > created(pick([...all], value)),
  volume: (candidate, value, { roots }) =>
    candidate.mounts().some(({ source = "", destination }) =>
      volumeName(roots, source) === value || source === value || destination === value
    ),
  network: ({ networks }, value) => networks.includes(value),
  health: ({ known }, value, { roots }) =>
    oneOf("health", value, ["starting", "healthy", "unhealthy", "none"]) === healthOf(roots, known),
  publish: ({ ports }, value) => {
    const [, first, last = first, protocol] = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(value) ?? [];
    if (first === undefined) throw wrongUse(PS, `publish=PORT[-PORT][/PROTO], not "${value}"`);
    return ports.some((port) =>
      (protocol === undefined || port.protocol === protocol) &&
      port.host <= Number(last) && port.host + port.count > Number(first)
    );
  },
};

/**
 * Whether a container passes the filters, `KEY=VALUE` each: of the same key one has to hold, of
 * labels all.
 *
 * @throws {UsageError} for a key or a value that there is not
 */
export function passes(filters: readonly string[], candidate: Candidate, around: Around): boolean {
  const byKey = new Map<string, string[]>();
  for (const filter of filters) {
    const [key, value] = cut(filter);
    if (!Object.hasOwn(JUDGES, key)) throw unknownFilter(key);
    if (value === undefined) throw wrongUse(PS, `--filter is KEY=VALUE, not "${filter}"`);
    byKey.set(key, [...byKey.get(key) ?? [], value]);
  }
  return [...byKey].every(([key, values]) => {
    const judged = (value: string) => JUDGES[key]?.(candidate, value, around) ?? false;
    return key === "label" ? values.every(judged) : values.some(judged);
  });
}

/** `KEY` or `KEY=VALUE` of labels. */
export function hasLabel(labels: Record<string, string> = {}, wanted: string): boolean {
  const [key, value] = cut(wanted);
  return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
}

function healthOf(roots: Roots, { id, definition }: Known): string {
  return definition?.health ? readHealth(roots, id)?.Status ?? "none" : "none";
}

function unknownFilter(key: string): Error {
  const names = Object.keys(JUDGES);
  const meant = nearest(key, names);
  const hint = meant === undefined ? `there are ${names.join(", ")}` : `did you mean "${meant}"?`;
  return wrongUse(PS, `there is no filter "${key}": ${hint}`);
}

function oneOf(key: string, value: string, values: readonly string[]): string {
  if (values.includes(value)) return value;
  throw wrongUse(PS, `${key} is one of ${values.join(", ")}, not "${value}"`);
}

/** docker takes a name for a regular expression. */
function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw wrongUse(
      PS,
      `name=${text} is no regular expression: ${cause instanceof Error ? cause.message : ""}`,
    );
  }
}
