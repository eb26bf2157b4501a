import { readExit } from "../container/definition.ts";
import { type Known, knownContainers, type Status, statusOf } from "../container/list.ts";
import { type Roots, rootsBelow } from "../container/mod.ts";
import { cut, parseCommandLine, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { PS } from "./lifecycle_flags.ts";

const ID_LENGTH = 12, COMMAND_LENGTH = 20;

/** `minictr ps`: containers, in docker's columns. */
export function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseCommandLine(PS, args);
  if (help) {
    console.log(helpText(PS));
    return Promise.resolve(0);
  }
  if (operands.length > 0) throw wrongUse(PS, `"ps" takes no operand, not "${operands[0]}"`);
  const roots = rootsBelow(root);
  const listed = knownContainers(roots)
    .map((known) => ({ known, status: statusOf(roots, known) }))
    .filter(({ known, status }) => flags.filter.every((text) => matches(text, known, status)))
    .filter(({ status }) =>
      flags.all || flags.filter.some((text) => text.startsWith("status=")) ||
      status === "running" || status === "paused"
    );
  const rows = listed.map(({ known, status }) => row(roots, known, status, flags["no-trunc"]));
  if (flags.quiet) { for (const { ID } of rows) console.log(ID); }
  else if (flags.format === "json") { for (const one of rows) console.log(JSON.stringify(one)); }
  else console.log(table(rows));
  return Promise.resolve(0);
}

type Row = Record<"ID" | "Image" | "Command" | "CreatedAt" | "Status" | "Ports" | "Names", string>;

function row(roots: Roots, known: Known, status: Status, whole: boolean): Row {
  const { id, name, definition, state } = known;
  const command = (definition?.command ?? []).join(" ");
  const cutCommand = !whole && command.length > COMMAND_LENGTH
    ? `${command.slice(0, COMMAND_LENGTH - 1)}…`
    : command;
  return {
    ID: whole ? id : id.slice(0, ID_LENGTH),
    Image: definition?.image ?? "",
    Command: `"${cutCommand}"`,
    CreatedAt: definition?.created ?? state?.created ?? "",
    Status: statusText(roots, known, status),
    Ports: "",
    Names: name,
  };
}

function statusText(roots: Roots, { id, state }: Known, status: Status): string {
  const exit = readExit(roots, id);
  if (status === "running" || status === "paused") {
    const up = `Up ${ago(Date.parse(state?.startedAt ?? ""))}`;
    return status === "paused" ? `${up} (Paused)` : up;
  }
  if (status === "exited" && exit) return `Exited (${exit.status}) ${ago(exit.atMs)} ago`;
  return status === "dead" ? "Dead" : "Created";
}

const UNITS: [seconds: number, name: string][] = [
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/** How long ago something was, in the largest unit that fits. */
export function ago(thenMs: number, nowMs = Date.now()): string {
  const seconds = Math.max(0, Math.floor((nowMs - thenMs) / 1000));
  for (const [size, name] of UNITS) {
    const count = Math.floor(seconds / size);
    if (count > 0) return `${count} ${name}${count === 1 ? "" : "s"}`;
  }
  return "less than a second";
}

function table(rows: Row[]): string {
  const lines = [
    ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"],
    ...rows.map((one) => [
      one.ID,
      one.Image,
      one.Command,
      `${ago(Date.parse(one.CreatedAt))} ago`,
      one.Status,
      one.Ports,
      one.Names,
    ]),
  ];
  const widths = lines[0]?.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines.map((line) =>
    line.map((cell, at) => at === line.length - 1 ? cell : cell.padEnd(widths?.[at] ?? 0))
      .join("   ")
  ).join("\n");
}

function matches(filter: string, { id, name, definition }: Known, status: Status): boolean {
  const [key, value = ""] = cut(filter);
  if (key === "name") return name.includes(value);
  if (key === "id") return id.startsWith(value);
  if (key === "status") return status === value;
  if (key === "label") {
    const [label, wanted] = cut(value);
    const found = definition?.labels[label];
    return found !== undefined && (wanted === undefined || found === wanted);
  }
  throw wrongUse(PS, `there is no filter "${key}"; there are name, id, status and label`);
}
