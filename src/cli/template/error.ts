/** A template that cannot be read or carried out; says where. */
export class TemplateError extends Error {
  override name = "TemplateError";

  /** @param at where in the template, counted from 0 */
  constructor(message: string, readonly at: number, options?: ErrorOptions) {
    super(`at column ${at + 1}: ${message}`, options);
  }
}
