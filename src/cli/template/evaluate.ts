import { TemplateError } from "./error.ts";
import { ArgumentError } from "./functions.ts";
import type { Command, Node, Operand, Pipeline } from "./parse.ts";
import { isRecord, isTrue, show } from "./show.ts";

/** Functions of a template by name, each with how many arguments it takes. */
export type Functions = Readonly<
  Record<string, {
    readonly takes: readonly [least: number, most: number];
    call(values: readonly unknown[]): unknown;
  }>
>;

/** Where a template is: what the dot is, and the variables, the innermost last. */
interface Scope {
  readonly dot: unknown;
  readonly variables: { name: string; value: unknown }[];
  readonly functions: Functions;
}

/** How a body ended. */
type Flow = "go on" | "break" | "continue";

/**
 * Carries a template out on data: objects, lists, text, numbers, booleans, null, and functions as
 * fields.
 *
 * A field that begins with a capital is a struct's in Go: one that is missing is a mistake. Any other
 * is a map's key: one that is missing has no value.
 *
 * @throws {TemplateError} that says where it failed
 */
export function execute(nodes: readonly Node[], data: unknown, functions: Functions): string {
  const out: string[] = [];
  run(nodes, { dot: data, variables: [{ name: "", value: data }], functions }, out);
  return out.join("");
}

function run(nodes: readonly Node[], scope: Scope, out: string[]): Flow {
  const depth = scope.variables.length;
  for (const node of nodes) {
    const flow = step(node, scope, out);
    if (flow === "go on") continue;
    scope.variables.length = depth;
    return flow;
  }
  scope.variables.length = depth;
  return "go on";
}

function step(node: Node, scope: Scope, out: string[]): Flow {
  if (node.kind === "text") out.push(node.text);
  else if (node.kind === "leave") return node.how;
  else if (node.kind === "print") {
    const value = evaluate(node.pipeline, scope);
    if (node.pipeline.variables.length === 0) out.push(show(value));
    else declare(node.pipeline, [value], scope);
  } else if (node.kind === "range") return range(node, scope, out);
  else {
    const depth = scope.variables.length;
    const value = evaluate(node.pipeline, scope);
    declare(node.pipeline, [value], scope);
    const inner = node.kind === "with" ? { ...scope, dot: value } : scope;
    const flow = isTrue(value) ? run(node.body, inner, out) : run(node.otherwise, scope, out);
    scope.variables.length = depth;
    return flow;
  }
  return "go on";
}

function range(
  { pipeline, body, otherwise }: Extract<Node, { pipeline: Pipeline; body: Node[] }>,
  scope: Scope,
  out: string[],
): Flow {
  const value = evaluate(pipeline, scope);
  const pairs = pairsOf(value, pipeline.at);
  if (pairs.length === 0) return run(otherwise, scope, out);
  const depth = scope.variables.length;
  for (const [key, item] of pairs) {
    declare(pipeline, pipeline.variables.length === 2 ? [key, item] : [item], scope);
    const flow = run(body, { ...scope, dot: item }, out);
    scope.variables.length = depth;
    if (flow === "break") break;
  }
  return "go on";
}

function pairsOf(value: unknown, at: number): [key: unknown, item: unknown][] {
  if (Array.isArray(value)) return [...value.entries()];
  if (isRecord(value)) return Object.keys(value).sort().map((key) => [key, value[key]]);
  if (typeof value === "number" && Number.isSafeInteger(value)) {
    return Array.from({ length: Math.min(Math.max(value, 0), 1_000_000) }, (_, n) => [n, n]);
  }
  if (value === undefined || value === null) return [];
  throw new TemplateError(`cannot range over ${show(value)}`, at);
}

function declare({ variables, assigns, at }: Pipeline, values: unknown[], scope: Scope): void {
  for (const [number, name] of variables.entries()) {
    const value = values[number];
    if (!assigns) {
      scope.variables.push({ name, value });
      continue;
    }
    const known = scope.variables.findLast((one) => one.name === name);
    if (!known) throw new TemplateError(`there is no variable "$${name}"`, at);
    known.value = value;
  }
}

function evaluate({ commands }: Pipeline, scope: Scope): unknown {
  let value: unknown;
  for (const [number, command] of commands.entries()) {
    value = carryOut(command, number === 0 ? [] : [value], scope);
  }
  return value;
}

/** @param piped what the command in front gave, as the last argument */
function carryOut([first, ...rest]: Command, piped: unknown[], scope: Scope): unknown {
  const given = () => [...rest.map((operand) => valueOf(operand, scope)), ...piped];
  if (first.kind === "function") {
    if (first.name === "and" || first.name === "or") return shortCut(first, rest, piped, scope);
    return callFunction(first, given(), scope);
  }
  const value = first.kind === "path" || first.kind === "group"
    ? followed(first, scope)
    : valueOf(first, scope);
  if (typeof value === "function") return value(...given());
  if (rest.length === 0 && piped.length === 0) return value;
  throw new TemplateError("this is no function: it takes no arguments", first.at);
}

/** `and` and `or` do not evaluate what does not count any more; since Go 1.18. */
function shortCut(
  { name, at }: Extract<Operand, { kind: "function" }>,
  operands: readonly Operand[],
  piped: unknown[],
  scope: Scope,
): unknown {
  const thunks = [
    ...operands.map((operand) => () => valueOf(operand, scope)),
    ...piped.map((value) => () => value),
  ];
  if (thunks.length === 0) throw new TemplateError(`"${name}" needs an argument`, at);
  let value: unknown;
  for (const thunk of thunks) {
    value = thunk();
    if (isTrue(value) === (name === "or")) break;
  }
  return value;
}

function callFunction(
  { name, at }: Extract<Operand, { kind: "function" }>,
  values: unknown[],
  { functions }: Scope,
): unknown {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!found) {
    const names = ["and", "or", ...Object.keys(functions)].sort().join(", ");
    throw new TemplateError(`there is no function "${name}"; there are ${names}`, at);
  }
  const [least, most] = found.takes;
  if (values.length < least || values.length > most) {
    const wanted = least === most
      ? `${least}`
      : most === Infinity
      ? `at least ${least}`
      : `${least} to ${most}`;
    throw new TemplateError(`"${name}" takes ${wanted} arguments, not ${values.length}`, at);
  }
  try {
    return found.call(values);
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    throw new TemplateError(`${name}: ${cause.message}`, at, { cause });
  }
}

function valueOf(operand: Operand, scope: Scope): unknown {
  if (operand.kind === "value") return operand.value;
  if (operand.kind === "function") return carryOut([operand], [], scope);
  const value = followed(operand, scope);
  return typeof value === "function" ? value() : value;
}

function followed(operand: Extract<Operand, { fields: string[] }>, scope: Scope): unknown {
  let value: unknown = operand.kind === "group"
    ? evaluate(operand.pipeline, scope)
    : operand.variable === undefined
    ? scope.dot
    : variable(operand.variable, operand.at, scope);
  let path = operand.kind === "group"
    ? "(…)"
    : operand.variable === undefined
    ? ""
    : `$${operand.variable}`;
  for (const name of operand.fields) {
    value = field(value, name, path, operand.at);
    path += `.${name}`;
  }
  return value;
}

function variable(name: string, at: number, { variables }: Scope): unknown {
  const found = variables.findLast((one) => one.name === name);
  if (!found) throw new TemplateError(`there is no variable "$${name}"`, at);
  return found.value;
}

function field(value: unknown, name: string, path: string, at: number): unknown {
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) {
    throw new TemplateError(`"${path || "."}" is ${show(value)}, which has no field "${name}"`, at);
  }
  if (Object.hasOwn(value, name)) return value[name];
  if (!/^\p{Lu}/u.test(name)) return undefined;
  const names = Object.keys(value);
  const other = names.find((one) => one.toLowerCase() === name.toLowerCase());
  const hint = other === undefined ? `there are ${names.join(", ")}` : `did you mean "${other}"?`;
  throw new TemplateError(`"${path || "."}" has no field "${name}": ${hint}`, at);
}
