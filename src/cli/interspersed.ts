import { type CommandLine, type Grammar, parseCommandLine } from "./grammar.ts";

/**
 * The same as parseCommandLine for a command whose operands are names, not a command of the
 * container's: options may stand behind them too, as docker has it (`inspect web --format json`).
 *
 * @throws {UsageError} as parseCommandLine
 */
export function parseInterspersed<const G extends Grammar>(
  grammar: G,
  args: readonly string[],
): CommandLine<G> {
  const operands: string[] = [];
  for (let rest = args;;) {
    const line = parseCommandLine(grammar, rest);
    const [operand, ...behind] = line.operands;
    if (operand === undefined || line.help) return { ...line, operands };
    operands.push(operand);
    const before = rest.slice(0, rest.length - line.operands.length);
    if (before.at(-1) === "--") return { ...line, operands: [...operands, ...behind] };
    rest = [...before, ...behind];
  }
}
