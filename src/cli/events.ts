import { type Event, followEvents, pastEvents } from "../container/journal.ts";
import { rootsBelow } from "../container/mod.ts";
import { cut, type Grammar, parseCommandLine, parsed, wrongUse } from "./grammar.ts";
import { parseInstant } from "./instant.ts";
import { listed, print } from "./output.ts";

/** `events` */
export const EVENTS = {
  command: "events",
  operands: "",
  summary: "Print what happens to containers, networks and volumes",
  examples: [
    ["minictr events", "from now on, until it is interrupted"],
    ["minictr events --since 1h --until 0s --filter container=web", "of the last hour"],
    ["minictr events --filter event=die --format '{{.Actor.Attributes.name}}'", "who ends"],
  ],
  groups: [{
    name: "events",
    title: "Options",
    flags: [
      { name: "since", value: "TIME", help: "from then on: RFC 3339, or a duration as 10m" },
      { name: "until", value: "TIME", help: "up to then; without it, it goes on" },
      {
        name: "filter",
        short: "f",
        value: "KEY=VALUE",
        many: true,
        help:
          "only those with container=, event=, image=, label=, network=, scope=, type=, volume=",
      },
      { name: "format", value: "FORMAT", help: "json, or a template" },
    ],
  }],
} as const satisfies Grammar;

/** `minictr events`: goes on unless --until is given, as in docker. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseCommandLine(EVENTS, args);
  if (help) {
    console.log((await import("./help.ts")).helpText(EVENTS));
    return 0;
  }
  if (operands.length > 0) throw wrongUse(EVENTS, '"events" takes no operand');
  const roots = rootsBelow(root);
  const now = Date.now();
  const sinceMs = flags.since === undefined
    ? undefined
    : parsed("--since", flags.since, parseInstant);
  const untilMs = flags.until === undefined
    ? Infinity
    : parsed("--until", flags.until, parseInstant);
  const passes = filterOf(flags.filter);
  // Without --since docker tells of what is to come; with --until alone, of all before it.
  const fromMs = sinceMs ?? (untilMs === Infinity ? now : -Infinity);
  const tell = async (event: Event) => {
    if (event.atMs < fromMs || event.atMs > untilMs || !passes(event)) return;
    print(await eventText(event, flags.format));
  };
  if (untilMs <= now) { for (const event of pastEvents(roots)) await tell(event); }
  else for await (const event of followEvents(roots, untilMs)) await tell(event);
  return 0;
}

/** One line, with its end. */
async function eventText(event: Event, format: string | undefined): Promise<string> {
  const { line, id, status, from, Type, Action, Actor, scope, time, nanoseconds } = event;
  if (format === "json" || format === "{{json .}}") return `${line}\n`;
  if (format !== undefined) {
    const row = { ID: id, Status: status, From: from, Type, Action, Actor, Scope: scope };
    const TimeNano = time * 1e9 + nanoseconds;
    return await listed({ headings: {}, columns: [] }, [{ ...row, Time: time, TimeNano }], {
      format,
    });
  }
  const when = new Date(time * 1000).toISOString().slice(0, 19);
  const attributes = Object.entries(Actor.Attributes).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([key, value]) => `${key}=${value}`).join(", ");
  const fraction = String(nanoseconds).padStart(9, "0");
  return `${when}.${fraction}Z ${Type} ${Action} ${Actor.ID} (${attributes})\n`;
}

const MATCHES: Readonly<Record<string, (event: Event, value: string) => boolean>> = {
  container: isCalled("container"),
  // docker's health_status and exec_start have more behind them.
  event: ({ Action }, value) => Action === value || Action.startsWith(`${value}: `),
  image: ({ from }, value) => from === value,
  label: ({ Actor }, value) => {
    const [label, wanted] = cut(value);
    const found = Actor.Attributes[label];
    return found !== undefined && (wanted === undefined || found === wanted);
  },
  network: isCalled("network"),
  scope: ({ scope }, value) => scope === value,
  type: ({ Type }, value) => Type === value,
  volume: isCalled("volume"),
};

/** By its id, the beginning of that, or its name. */
function isCalled(type: string): (event: Event, value: string) => boolean {
  return ({ Type, Actor }, value) =>
    Type === type && (Actor.ID.startsWith(value) || Actor.Attributes["name"] === value);
}

/** Of the same key one has to hold, of labels all. */
function filterOf(texts: readonly string[]): (event: Event) => boolean {
  const wanted = texts.map((text) => {
    const [key, value = ""] = cut(text);
    const match = MATCHES[key];
    if (!match) {
      const keys = Object.keys(MATCHES).join(", ");
      throw wrongUse(EVENTS, `there is no filter "${key}"; there are ${keys}`);
    }
    return { key, holds: (event: Event) => match(event, value) };
  });
  const byKey = Map.groupBy(wanted, ({ key }) => key);
  return (event) =>
    [...byKey].every(([key, all]) =>
      key === "label"
        ? all.every(({ holds }) => holds(event))
        : all.some(({ holds }) => holds(event))
    );
}
