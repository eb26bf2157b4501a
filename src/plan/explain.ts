import type { Call, Step, Value } from "./step.ts";

/** A call as people read it, and as programs do. */
export interface ExplainedCall {
  /** Of the call in its step. */
  index: number;
  call: string;
  /** As in the C header's words: `openat2(root, "proc", …)`. */
  text: string;
  man?: string;
}

/** A step as people and programs read it. */
export interface ExplainedStep {
  side: "minictr" | "container" | "supervisor";
  label: string;
  calls: ExplainedCall[];
}

const OPERATIONS = new Set(
  "end load64 load32 store64 store32 add and less copy subtract".split(" "),
);

/** The steps of one side in words; operations on memory, which are plumbing, are left out. */
export function explain(steps: Step[], side: ExplainedStep["side"]): ExplainedStep[] {
  return steps.map(({ label, calls }) => ({
    side,
    label,
    calls: calls.map(explainCall).filter(({ call }) => !OPERATIONS.has(call)),
  }));
}

/** One call with its arguments decoded. */
export function explainCall(call: Call, index: number): ExplainedCall {
  const { name, args, to, on = [] } = call;
  const expected = on.flatMap(({ errno }) => errno ? [errno === "any" ? "any error" : errno] : []);
  const text = `${name}(${args.map(valueText).join(", ")})` +
    (to ? ` = ${to.name}` : "") +
    (expected.length > 0 ? `   [${expected.join(", ")}: expected]` : "");
  return { index, call: name, text, man: `${manPage(name)}(2)` };
}

/** Man pages that bear another name than the call. */
const PAGES: Record<string, string> = {
  pwrite64: "pwrite",
  prlimit64: "prlimit",
  newfstatat: "stat",
  rt_sigaction: "sigaction",
  rt_sigprocmask: "sigprocmask",
  exit_group: "exit_group",
};

function manPage(name: string): string {
  return PAGES[name] ?? name;
}

const SHOWN_BYTES = 16;

/** A value as C would write it: flags by name, results by what they are, text in quotes. */
function valueText(value: Value): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array) {
    return value.length > SHOWN_BYTES ? `<${value.length} bytes>` : `<${value.toHex()}>`;
  }
  switch (value.kind) {
    case "flags":
      return Object.keys(value.named).join("|") || "0";
    case "slot":
    case "room":
      return `<${value.name}>`;
    case "place":
      return `<${value.room.name}+${value.offset}>`;
    case "strings":
      return `[${value.values.map((text) => JSON.stringify(text)).join(", ")}]`;
    case "struct":
      return `{${
        value.fields.filter(([, , field]) => field !== 0)
          .map(([name, , field]) => `${name}: ${valueText(field)}`).join(", ")
      }}`;
    case "self":
      return `<the stage's ${value.what === "address" ? "memory" : value.what}>`;
  }
}
