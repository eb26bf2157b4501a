/**
 * The project's own lint rules: import directions, who may exit, sizes, docstrings.
 */
import { type ImportKind, isFree, objection } from "./directions.ts";

/** Beyond this a function is more than one thought; look again at 40. */
const FUNCTION_LINES = 70;
const FILE_LINES = 300;

const ROOT = new URL("../..", import.meta.url).pathname;

type Function =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

const directions: Deno.lint.Rule = {
  create(context) {
    const file = relative(context.filename);
    const judge = (
      node: Deno.lint.Node,
      source: Deno.lint.Node | null | undefined,
      kind: ImportKind,
    ) => {
      if (source?.type !== "Literal" || typeof source.value !== "string") return;
      const message = objection(file, source.value, kind);
      if (message !== undefined) context.report({ node, message });
    };
    const kindOf = (kind: "type" | "value") => kind === "type" ? "type" : "static";
    return {
      ImportDeclaration: (node) => judge(node, node.source, kindOf(node.importKind)),
      ExportNamedDeclaration: (node) => judge(node, node.source, kindOf(node.exportKind)),
      ExportAllDeclaration: (node) => judge(node, node.source, kindOf(node.exportKind)),
      ImportExpression: (node) => judge(node, node.source, "dynamic"),
    };
  },
};

const exits: Deno.lint.Rule = {
  create(context) {
    const file = relative(context.filename);
    if (file === "main.ts" || isFree(file)) return {};
    return {
      MemberExpression(node) {
        const name = context.sourceCode.getText(node);
        if (/^(Deno\.exit|Deno\.exitCode|console\.error)$/.test(name)) {
          context.report({ node, message: `${name} is for main.ts alone: throw an error` });
        }
      },
    };
  },
};

const namespaces: Deno.lint.Rule = {
  create(context) {
    if (isFree(relative(context.filename))) return {};
    return {
      ImportNamespaceSpecifier(node) {
        const message = "a bundle makes a function of each export for this: import by name";
        context.report({ node, message });
      },
    };
  },
};

const assertions: Deno.lint.Rule = {
  create(context) {
    const file = relative(context.filename);
    if (file.startsWith("ffi/") || isFree(file)) return {};
    return {
      TSNonNullExpression(node) {
        context.report({ node, message: "`!` is for ffi/ alone: test the value" });
      },
    };
  },
};

const size: Deno.lint.Rule = {
  create(context) {
    const measure = (node: Function) => {
      const lines = countLines(context.sourceCode.getText(node));
      if (lines <= FUNCTION_LINES) return;
      const message = `a function of ${lines} lines; the limit is ${FUNCTION_LINES}`;
      context.report({ node, message });
    };
    return {
      FunctionDeclaration: measure,
      FunctionExpression: measure,
      ArrowFunctionExpression: measure,
      "Program:exit"(node) {
        const lines = countLines(context.sourceCode.text.trimEnd());
        const message = `a file of ${lines} lines; the limit is ${FILE_LINES}`;
        if (lines > FILE_LINES) context.report({ node, message });
      },
    };
  },
};

/** Constants in capitals are the kernel's own names: their file says where they come from. */
const docs: Deno.lint.Rule = {
  create(context) {
    if (isFree(relative(context.filename))) return {};
    return {
      ExportNamedDeclaration(node) {
        const { declaration } = node;
        if (declaration === null || declaration === undefined) return;
        if (/^export const [A-Z0-9_]+\b/.test(context.sourceCode.getText(node))) return;
        const comment = context.sourceCode.getCommentsBefore(node).at(-1);
        if (comment?.type === "Block" && comment.value.startsWith("*")) return;
        context.report({
          node,
          message: "an export without a docstring: one sentence, its source",
        });
      },
    };
  },
};

function countLines(text: string): number {
  return text.split("\n").length;
}

function relative(path: string): string {
  return path.replace(/^file:\/\//, "").replace(ROOT, "");
}

const plugin: Deno.lint.Plugin = {
  name: "minictr",
  rules: { directions, exits, namespaces, assertions, size, docs },
};
export default plugin;
