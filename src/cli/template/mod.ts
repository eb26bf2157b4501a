/**
 * Templates as Go's text/template has them, as far as people write them behind docker's `--format`.
 *
 * `lex.ts` and `parse.ts` turn text into nodes, `evaluate.ts` carries them out on plain data, with
 * `functions.ts`; `show.ts` prints values as Go does. Nothing here knows what is printed. There are
 * no methods: a field may hold a function, which is called with what follows it.
 *
 * @see https://pkg.go.dev/text/template, docker's "Format command and log output"
 * @module
 */
export { execute, type Functions } from "./evaluate.ts";
export { FUNCTIONS, HEADER_FUNCTIONS } from "./functions.ts";
export { type Node, parseTemplate } from "./parse.ts";
export { TemplateError } from "./error.ts";
