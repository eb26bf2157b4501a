import { TemplateError } from "./error.ts";
import { type Token, tokens } from "./lex.ts";

/** What stands for a value; `at` is where in the template. */
export type Operand =
  | { kind: "value"; value: string | number | boolean | null; at: number }
  | { kind: "function"; name: string; at: number }
  /** `.A.B`, `$.A`, `$x.A`; without `variable`, from the dot. */
  | { kind: "path"; variable?: string; fields: string[]; at: number }
  /** `(…).A` */
  | { kind: "group"; pipeline: Pipeline; fields: string[]; at: number };

/** A function, or a field that holds one, with its arguments; or a value alone. */
export type Command = readonly [Operand, ...Operand[]];

/** `command | command | …`; the result of each is the last argument of the next. */
export interface Pipeline {
  commands: Command[];
  /** `$x := …`, or `$i, $x := …` in a range. */
  variables: string[];
  /** `$x = …` */
  assigns: boolean;
  at: number;
}

/** A part of a template. */
export type Node =
  | { kind: "text"; text: string }
  | { kind: "print"; pipeline: Pipeline }
  | { kind: "leave"; how: "break" | "continue" }
  | { kind: "if" | "with" | "range"; pipeline: Pipeline; body: Node[]; otherwise: Node[] };

/** Deeper than anybody nests; the recursion would end in an overflow. */
const DEPTH_MAX = 200;

/**
 * Reads a template.
 *
 * @throws {TemplateError} that says what is wrong with it, and where
 */
export function parseTemplate(source: string): Node[] {
  return new Parser(tokens(source), source.length).whole();
}

class Parser {
  #next = 0;
  #depth = 0;
  #ranges = 0;

  constructor(readonly all: Token[], readonly length: number) {}

  whole(): Node[] {
    const { nodes, end } = this.#nodes();
    if (end) throw new TemplateError(`"{{${end.text}}}" without a beginning`, end.at);
    return nodes;
  }

  /** Nodes up to an `end` or `else`, which is left to be read. */
  #nodes(): { nodes: Node[]; end?: Token } {
    const nodes: Node[] = [];
    for (let token = this.#peek(); token; token = this.#peek()) {
      this.#next++;
      if (token.kind === "text") {
        nodes.push({ kind: "text", text: token.text });
        continue;
      }
      const first = this.#peek();
      if (first?.kind === "name" && /^(end|else)$/.test(first.text)) return { nodes, end: first };
      nodes.push(this.#action(first));
    }
    return { nodes };
  }

  #action(first: Token | undefined): Node {
    if (first?.kind === "name") {
      const { text, at } = first;
      if (text === "if" || text === "with" || text === "range") {
        this.#next++;
        return this.#block(text, at);
      }
      if (text === "break" || text === "continue") {
        this.#next++;
        if (this.#ranges === 0) throw new TemplateError(`"${text}" outside of a range`, at);
        this.#close(text);
        return { kind: "leave", how: text };
      }
      if (/^(block|define|template)$/.test(text)) {
        throw new TemplateError(`"${text}" is not known here`, at);
      }
    }
    const pipeline = this.#pipeline(1);
    this.#close("the pipeline");
    return { kind: "print", pipeline };
  }

  #block(kind: "if" | "with" | "range", at: number): Node {
    if (++this.#depth > DEPTH_MAX) throw new TemplateError("nested too deep", at);
    const pipeline = this.#pipeline(kind === "range" ? 2 : 1);
    this.#close(kind);
    if (kind === "range") this.#ranges++;
    const { nodes: body, end } = this.#nodes();
    if (kind === "range") this.#ranges--;
    if (!end) throw new TemplateError(`"${kind}" without "{{end}}"`, at);
    this.#next++;
    this.#depth--;
    if (end.text === "end") {
      this.#close("end");
      return { kind, pipeline, body, otherwise: [] };
    }
    return { kind, pipeline, body, otherwise: this.#otherwise(kind, end.at) };
  }

  #otherwise(kind: string, at: number): Node[] {
    const chained = this.#peek();
    if (chained?.kind === "name" && chained.text === kind && kind !== "range") {
      this.#next++;
      return [this.#block(kind === "if" ? "if" : "with", chained.at)];
    }
    this.#close("else");
    const { nodes, end } = this.#nodes();
    if (end?.text !== "end") throw new TemplateError(`"else" without "{{end}}"`, end?.at ?? at);
    this.#next++;
    this.#close("end");
    return nodes;
  }

  #pipeline(variablesMax: number): Pipeline {
    const at = this.#peek()?.at ?? this.length;
    if (++this.#depth > DEPTH_MAX) throw new TemplateError("nested too deep", at);
    const { variables, assigns } = this.#declaration(variablesMax);
    const commands: Command[] = [this.#command()];
    while (this.#sign("|")) commands.push(this.#command());
    this.#depth--;
    return { commands, variables, assigns, at };
  }

  #declaration(most: number): Pick<Pipeline, "variables" | "assigns"> {
    const none = { variables: [], assigns: false };
    const [first, sign, second, last] = this.all.slice(this.#next, this.#next + 4);
    if (first?.kind !== "variable" || sign?.kind !== "sign") return none;
    if (sign.text === ":=" || sign.text === "=") {
      this.#next += 2;
      return { variables: [first.text], assigns: sign.text === "=" };
    }
    const pair = sign.text === "," && second?.kind === "variable" && last?.text === ":=";
    if (!pair) return none;
    if (most < 2) throw new TemplateError("two variables are for range alone", second.at);
    this.#next += 4;
    return { variables: [first.text, second.text], assigns: false };
  }

  #command(): Command {
    const first = this.#operand();
    if (!first) {
      const token = this.#peek();
      const found = token && token.kind !== "close" ? `, not "${token.text}"` : "";
      throw new TemplateError(`a value is needed here${found}`, token?.at ?? this.length);
    }
    const rest: Operand[] = [];
    for (let one = this.#operand(); one; one = this.#operand()) rest.push(one);
    if (rest.length > 0 && first.kind === "value") {
      throw new TemplateError("a value takes no arguments", first.at);
    }
    return [first, ...rest];
  }

  #operand(): Operand | undefined {
    const token = this.#peek();
    if (!token) return undefined;
    const { kind, text, at } = token;
    const take = <T>(made: T): T => {
      this.#next++;
      return made;
    };
    if (kind === "string") return take({ kind: "value", value: text, at });
    if (kind === "number") return take({ kind: "value", value: Number(text), at });
    if (kind === "field") return { kind: "path", fields: this.#fields(true), at };
    if (kind === "variable") {
      this.#next++;
      return { kind: "path", variable: text, fields: this.#fields(false), at };
    }
    if (kind === "name") {
      const values: Record<string, boolean | null> = { true: true, false: false, nil: null };
      if (Object.hasOwn(values, text)) {
        return take({ kind: "value", value: values[text] ?? null, at });
      }
      return take({ kind: "function", name: text, at });
    }
    if (kind === "sign" && text === ".") return take({ kind: "path", fields: [], at });
    if (kind === "sign" && text === "(") {
      this.#next++;
      const pipeline = this.#pipeline(0);
      if (!this.#sign(")")) throw new TemplateError('"(" without ")"', at);
      return { kind: "group", pipeline, fields: this.#fields(false), at };
    }
    return undefined;
  }

  /** Fields one behind the other without blanks; the first may stand apart. */
  #fields(apart: boolean): string[] {
    const fields: string[] = [];
    for (let token = this.#peek(); token?.kind === "field"; token = this.#peek()) {
      if (token.apart && !(apart && fields.length === 0)) break;
      fields.push(token.text);
      this.#next++;
    }
    return fields;
  }

  #close(what: string): void {
    const token = this.#peek();
    if (token?.kind !== "close") {
      throw new TemplateError(`"${token?.text ?? ""}" behind ${what}`, token?.at ?? this.length);
    }
    this.#next++;
  }

  #sign(text: string): boolean {
    const token = this.#peek();
    const is = token?.kind === "sign" && token.text === text;
    if (is) this.#next++;
    return is;
  }

  #peek(): Token | undefined {
    return this.all[this.#next];
  }
}
